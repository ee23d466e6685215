/** Paint a mask over an input picture, or cut a piece out of it. */

import { useEffect, useRef, useState } from "react";
import { api, ApiError } from "../api/client";
import { t } from "../i18n/t";
import { closeSheet, Sheet } from "../panels/Sheet";
import { edit } from "../store/documents";
import { notify } from "../store/ui";
import { withValueAt } from "../workflow/inner";
import { type Piece, pieceOf, type Spot } from "../workflow/painting";
import { BrushRanges, MaskActions, Nearness, type Tool, TOOL_KEYS, ToolChoice } from "./PainterTools";
import { useMask } from "./useMask";
import { usePaper, usePointers } from "./usePaper";
import { usePicture } from "./usePicture";

interface Props {
  sheet: { node: string; widget: string; name: string; tool: "brush" | "crop" };
}

export default function Painter({ sheet }: Props) {
  const { node, widget, name } = sheet;
  const [tool, setTool] = useState<Tool>(sheet.tool);
  const [size, setSize] = useState(0);
  const [softness, setSoftness] = useState(0.3);
  const [feather, setFeather] = useState(8);
  const [piece, setPiece] = useState<Piece | null>(null);
  const [busy, setBusy] = useState(false);
  const corner = useRef<Spot | null>(null);
  const mask = useMask();
  const picture = usePicture(name, (width, height, painted) => {
    if (mask.canvas.current) Object.assign(mask.canvas.current, { width, height });
    const short = Math.min(width, height);
    setSize(Math.max(4, Math.round(short / 8)));
    setFeather(Math.max(1, Math.round(short / 64)));
    mask.load(painted);
  });
  const paper = usePaper(picture);
  const brush = { size, softness, erases: tool === "eraser" };
  const pointers = usePointers(
    paper,
    {
      down: (at) => {
        if (tool === "crop") corner.current = at;
        else mask.begin(at, brush);
      },
      move: (at) => {
        if (!picture) return;
        if (corner.current) setPiece(pieceOf(corner.current, at, picture.width, picture.height));
        else mask.move(at, brush);
      },
      up: () => {
        corner.current = null;
        mask.end();
      },
      cancel: () => {
        corner.current = null;
        mask.cancel();
      },
    },
    tool === "hand",
  );
  const act = (key: string, shift: boolean, mod: boolean): boolean => {
    const chosen = mod ? undefined : TOOL_KEYS[key];
    if (mod && key === "z") (shift ? mask.redo : mask.undo)();
    else if (mod && key === "y") mask.redo();
    else if (mod) return false;
    else if (chosen) setTool(chosen);
    else if (key === "i") mask.invert();
    else if (key === "f") mask.feather(feather);
    else if (key === "[") setSize((now) => Math.max(1, Math.round(now * 0.8)));
    else if (key === "]") setSize((now) => Math.min(1024, Math.round(now * 1.25) + 1));
    else if (key === "+" || key === "=") paper.zoomBy(1.25);
    else if (key === "-") paper.zoomBy(0.8);
    else if (key === "0") paper.whole();
    else return false;
    return true;
  };
  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      if (event.altKey) return;
      const mod = event.ctrlKey || event.metaKey;
      if (!act(event.key.toLowerCase(), event.shiftKey, mod)) return;
      event.preventDefault();
      event.stopPropagation();
    };
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
      edit((workflow) => withValueAt(workflow, { node, widget }, made.name));
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
          <ToolChoice tool={tool} onTool={setTool} />
          <span className="bar-divider" />
          <BrushRanges
            size={size}
            softness={softness}
            largest={Math.max(64, picture?.width ?? 0)}
            onSize={setSize}
            onSoftness={setSoftness}
          />
          <span className="bar-divider" />
          <MaskActions
            mask={mask}
            feather={feather}
            largest={Math.max(16, Math.round((picture?.width ?? 0) / 8))}
            onFeather={setFeather}
          />
          <span className="bar-divider" />
          <Nearness scale={paper.zoom.scale} onZoom={paper.zoomBy} onWhole={paper.whole} />
          <div className="painter-end">
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
        </div>
        <div ref={paper.room} className="painter-room" data-tool={tool} {...pointers}>
          <div
            className="painter-paper"
            style={paper.style}
            data-sharp={paper.zoom.scale >= 6 || undefined}
          >
            {picture && <img src={picture.url} alt={name} draggable={false} />}
            <canvas ref={mask.canvas} data-test="mask-canvas" aria-label={t("The mask")} />
            {tool === "crop" && piece && picture && (
              <div className="painter-piece" style={framed(piece, picture)} />
            )}
          </div>
        </div>
      </div>
    </Sheet>
  );
}

/** Where the piece lies on the paper. */
function framed(piece: Piece, { width, height }: { width: number; height: number }) {
  return {
    left: `${(piece.x / width) * 100}%`,
    top: `${(piece.y / height) * 100}%`,
    width: `${(piece.width / width) * 100}%`,
    height: `${(piece.height / height) * 100}%`,
  };
}
