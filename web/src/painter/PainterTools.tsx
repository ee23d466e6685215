/** The painter's tools: brush, eraser, feather, invert, undo, and how near one looks. */

import {
  Brush,
  Contrast,
  Crop,
  Eraser,
  Feather,
  Hand,
  Maximize,
  Minus,
  Plus,
  Redo2,
  Trash2,
  Undo2,
} from "lucide-react";
import { t } from "../i18n/t";

export type Tool = "brush" | "eraser" | "crop" | "hand";

const TOOLS = [
  { tool: "brush", title: t("Brush: what is painted is made anew (B)"), icon: Brush },
  { tool: "eraser", title: t("Eraser (E)"), icon: Eraser },
  { tool: "crop", title: t("Cut a piece out (C)"), icon: Crop },
  { tool: "hand", title: t("Move the picture (H, or the middle button)"), icon: Hand },
] as const;

/** What a key does, by its name: one of the tools, or nothing that is said here. */
export const TOOL_KEYS: Readonly<Record<string, Tool>> = {
  b: "brush",
  e: "eraser",
  c: "crop",
  h: "hand",
};

export function ToolChoice({ tool, onTool }: { tool: Tool; onTool(tool: Tool): void }) {
  return TOOLS.map(({ tool: which, title, icon: Icon }) => (
    <button
      key={which}
      type="button"
      className="icon-button"
      aria-pressed={tool === which}
      aria-label={title}
      title={title}
      data-tool={which}
      onClick={() => onTool(which)}
    >
      <Icon size={16} />
    </button>
  ));
}

interface BrushProps {
  size: number;
  softness: number;
  largest: number;
  onSize(size: number): void;
  onSoftness(softness: number): void;
}

export function BrushRanges({ size, softness, largest, onSize, onSoftness }: BrushProps) {
  return (
    <>
      <Range
        label={t("Size")}
        title={t("Size of the brush, in pixels ([ and ])")}
        value={size}
        low={1}
        high={largest}
        step={1}
        onChange={onSize}
      />
      <Range
        label={t("Softness")}
        title={t("How far the brush's edge fades")}
        value={softness}
        low={0}
        high={1}
        step={0.05}
        onChange={onSoftness}
      />
    </>
  );
}

interface ChangeProps {
  mask: {
    canUndo: boolean;
    canRedo: boolean;
    undo(): void;
    redo(): void;
    invert(): void;
    clear(): void;
    feather(radius: number): void;
  };
  feather: number;
  largest: number;
  onFeather(radius: number): void;
}

export function MaskActions({ mask, feather, largest, onFeather }: ChangeProps) {
  return (
    <>
      <Action icon={Undo2} title={t("Undo (Ctrl+Z)")} off={!mask.canUndo} run={mask.undo} />
      <Action icon={Redo2} title={t("Redo (Ctrl+Shift+Z)")} off={!mask.canRedo} run={mask.redo} />
      <Action icon={Contrast} title={t("Invert (I)")} run={mask.invert} />
      <Action icon={Trash2} title={t("Clear")} run={mask.clear} />
      <span className="bar-divider" />
      <Range
        label={t("Feather")}
        title={t("How far the mask's edge shall fade, in pixels")}
        value={feather}
        low={1}
        high={largest}
        step={1}
        onChange={onFeather}
      />
      <Action
        icon={Feather}
        title={t("Feather the mask's edge (F)")}
        test="feather"
        run={() => mask.feather(feather)}
      />
    </>
  );
}

interface NearnessProps {
  scale: number;
  onZoom(by: number): void;
  onWhole(): void;
}

export function Nearness({ scale, onZoom, onWhole }: NearnessProps) {
  return (
    <>
      <Action icon={Minus} title={t("Zoom out (-)")} run={() => onZoom(0.8)} />
      <span className="painter-zoom" data-test="painter-zoom">
        {Math.round(scale * 100)} %
      </span>
      <Action icon={Plus} title={t("Zoom in (+)")} run={() => onZoom(1.25)} />
      <Action icon={Maximize} title={t("The whole picture (0)")} run={onWhole} />
    </>
  );
}

interface ActionProps {
  icon: typeof Undo2;
  title: string;
  off?: boolean;
  test?: string;
  run(): void;
}

function Action({ icon: Icon, title, off = false, test, run }: ActionProps) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={title}
      title={title}
      disabled={off}
      data-test={test}
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
