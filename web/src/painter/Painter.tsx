/** Paint a mask over an input picture, or cut a piece out of it. */

import { Brush as BrushIcon, Contrast, Crop, Eraser, Redo2, Trash2, Undo2 } from "lucide-react";
import { type PointerEvent, useEffect, useRef, useState } from "react";
import { api, ApiError, fileUrl } from "../api/client";
import { closeSheet, Sheet } from "../panels/Sheet";
import { edit } from "../store/documents";
import { notify } from "../store/ui";
import { setValue } from "../workflow/edits";
import { type Piece, pieceOf, type Spot } from "../workflow/painting";
import { useMask } from "./useMask";
import { t } from "../i18n/t";

type Tool = "brush" | "eraser" | "crop";

interface Props {
  sheet: { node: string; widget: string; name: string; tool: "brush" | "crop" };
}

const TOOLS = [
  { tool: "brush", title: t("Brush: what is painted is made anew (B)"), icon: BrushIcon },
  { tool: "eraser", title: t("Eraser (E)"), icon: Eraser },
  { tool: "crop", title: t("Cut a piece out (C)"), icon: Crop },
] as const;

export default function Painter({ sheet }: Props) {
  const { node, widget, name } = sheet;
  const [tool, setTool] = useState<Tool>(sheet.tool);
  const [size, setSize] = useState(0);
  const [softness, setSoftness] = useState(0.3);
  const [piece, setPiece] = useState<Piece | null>(null);
  const [busy, setBusy] = useState(false);
  const corner = useRef<Spot | null>(null);
  const painting = useRef(false);
  const mask = useMask();
  const picture = usePicture(name, (width, height, painted) => {
    if (mask.canvas.current) Object.assign(mask.canvas.current, { width, height });
    setSize(Math.max(4, Math.round(Math.min(width, height) / 8)));
    mask.load(painted);
  });

  const brush = { size, softness, erases: tool === "eraser" };
  const spot = (event: PointerEvent): Spot => {
    const box = mask.canvas.current?.getBoundingClientRect();
    if (!box || !picture) return { x: 0, y: 0 };
    return {
      x: ((event.clientX - box.left) / box.width) * picture.width,
      y: ((event.clientY - box.top) / box.height) * picture.height,
    };
  };
  const down = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    painting.current = true;
    if (tool === "crop") corner.current = spot(event);
    else mask.begin(spot(event), brush);
  };
  const move = (event: PointerEvent<HTMLCanvasElement>) => {
    if (!painting.current || !picture) return;
    if (corner.current)
      setPiece(pieceOf(corner.current, spot(event), picture.width, picture.height));
    else mask.move(spot(event), brush);
  };
  const up = () => {
    painting.current = false;
    corner.current = null;
    mask.end();
  };
  const keys = (event: KeyboardEvent) => {
    const mod = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (mod && key === "z") (event.shiftKey ? mask.redo : mask.undo)();
    else if (mod && key === "y") mask.redo();
    else if (mod || event.altKey) return;
    else if (key === "b") setTool("brush");
    else if (key === "e") setTool("eraser");
    else if (key === "c") setTool("crop");
    else if (key === "i") mask.invert();
    else if (key === "[") setSize((now) => Math.max(1, Math.round(now * 0.8)));
    else if (key === "]") setSize((now) => Math.min(1024, Math.round(now * 1.25) + 1));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  useEffect(() => {
    window.addEventListener("keydown", keys, true);
    return () => window.removeEventListener("keydown", keys, true);
  });
  const keep = async () => {
    setBusy(true);
    try {
      const made =
        tool === "crop" && piece
          ? await api.crop(name, piece)
          : await api.mask(name, await mask.picture());
      edit((workflow) => setValue(workflow, node, widget, made.name));
      closeSheet();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      notify("error", error.message);
      setBusy(false);
    }
  };
  return (
    <Sheet title={t("Mask: {name}", { name })} name="painter" full>
      <div className="painter">
        <div className="painter-tools" role="toolbar" aria-label={t("Painting")}>
          {TOOLS.map(({ tool: which, title, icon: Icon }) => (
            <button
              key={which}
              type="button"
              className="icon-button"
              aria-pressed={tool === which}
              aria-label={title}
              title={title}
              data-tool={which}
              onClick={() => setTool(which)}
            >
              <Icon size={16} />
            </button>
          ))}
          <span className="bar-divider" />
          <Range
            label={t("Size")}
            title={t("Size of the brush, in pixels ([ and ])")}
            value={size}
            low={1}
            high={Math.max(64, picture?.width ?? 0)}
            step={1}
            onChange={setSize}
          />
          <Range
            label={t("Softness")}
            title={t("How far the brush's edge fades")}
            value={softness}
            low={0}
            high={1}
            step={0.05}
            onChange={setSoftness}
          />
          <span className="bar-divider" />
          <Action icon={Undo2} title={t("Undo (Ctrl+Z)")} off={!mask.canUndo} run={mask.undo} />
          <Action
            icon={Redo2}
            title={t("Redo (Ctrl+Shift+Z)")}
            off={!mask.canRedo}
            run={mask.redo}
          />
          <Action icon={Contrast} title={t("Invert (I)")} run={mask.invert} />
          <Action icon={Trash2} title={t("Clear")} run={mask.clear} />
          <span className="painter-told" data-test="covered">
            {tool === "crop"
              ? piece
                ? `${piece.width} × ${piece.height}`
                : t("Draw a frame around what to keep")
              : t("{percent} % painted", { percent: Math.round(mask.covered * 100) })}
          </span>
          <button type="button" className="button button-quiet" onClick={closeSheet}>
            {t("Cancel")}
          </button>
          <button
            type="button"
            className="button button-primary"
            disabled={busy || !picture || (tool === "crop" && !piece)}
            data-test="keep-mask"
            onClick={() => void keep()}
          >
            {tool === "crop" ? t("Cut out") : t("Use this mask")}
          </button>
        </div>
        <div className="painter-room">
          <div
            className="painter-paper"
            style={
              picture
                ? {
                    aspectRatio: `${picture.width} / ${picture.height}`,
                    width: `min(100%, calc((100vh - 160px) * ${picture.width / picture.height}))`,
                  }
                : undefined
            }
          >
            {picture && <img src={picture.url} alt={name} draggable={false} />}
            <canvas
              ref={mask.canvas}
              data-test="mask-canvas"
              data-tool={tool}
              aria-label={t("The mask")}
              onPointerDown={down}
              onPointerMove={move}
              onPointerUp={up}
              onPointerCancel={up}
            />
            {tool === "crop" && piece && picture && (
              <div
                className="painter-piece"
                style={{
                  left: `${(piece.x / picture.width) * 100}%`,
                  top: `${(piece.y / picture.height) * 100}%`,
                  width: `${(piece.width / picture.width) * 100}%`,
                  height: `${(piece.height / picture.height) * 100}%`,
                }}
              />
            )}
          </div>
        </div>
      </div>
    </Sheet>
  );
}

interface ActionProps {
  icon: typeof Undo2;
  title: string;
  off?: boolean;
  run(): void;
}

function Action({ icon: Icon, title, off = false, run }: ActionProps) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={title}
      title={title}
      disabled={off}
      onClick={run}
    >
      <Icon size={16} />
    </button>
  );
}

interface RangeProps {
  label: string;
  title: string;
  value: number;
  low: number;
  high: number;
  step: number;
  onChange(value: number): void;
}

function Range({ label, title, value, low, high, step, onChange }: RangeProps) {
  return (
    <label className="painter-range" title={title}>
      {label}
      <input
        type="range"
        min={low}
        max={high}
        step={step}
        value={value}
        onChange={(event) => onChange(Number(event.target.value))}
      />
    </label>
  );
}

interface Picture {
  url: string;
  width: number;
  height: number;
}

/** The picture without its transparency, and what that is as a mask. */
function usePicture(
  name: string,
  onLoad: (width: number, height: number, mask: Uint8Array) => void,
): Picture | null {
  const [picture, setPicture] = useState<Picture | null>(null);
  const loaded = useRef(onLoad);
  useEffect(() => {
    let gone = false;
    const load = async () => {
      const address = fileUrl("input", name);
      const url = `${address}?layer=colour`;
      const [colour, grey] = await Promise.all([image(url), image(`${address}?layer=mask`)]);
      if (gone) return;
      const { naturalWidth: width, naturalHeight: height } = colour;
      setPicture({ url, width, height });
      loaded.current(width, height, brightness(grey));
    };
    load().catch(() => gone || notify("error", `${name} cannot be shown.`));
    return () => {
      gone = true;
    };
  }, [name]);
  return picture;
}

function image(url: string): Promise<HTMLImageElement> {
  const element = new Image();
  element.src = url;
  return element.decode().then(() => element);
}

function brightness(source: HTMLImageElement): Uint8Array {
  const paper = document.createElement("canvas");
  paper.width = source.naturalWidth;
  paper.height = source.naturalHeight;
  const pen = paper.getContext("2d");
  pen?.drawImage(source, 0, 0);
  const data = pen?.getImageData(0, 0, paper.width, paper.height).data;
  const mask = new Uint8Array(paper.width * paper.height);
  if (data) for (let at = 0; at < mask.length; at++) mask[at] = data[4 * at] ?? 0;
  return mask;
}
