/** What groups and notes share: the palette, and the corner that resizes. */

import { NodeResizeControl } from "@xyflow/react";
import type { Workflow } from "../api/types";
import { edit, newGesture } from "../store/documents";
import { COLOURS } from "../workflow/frames";
import type { Box } from "../workflow/room";
import { t } from "../i18n/t";

export function Palette({ current, onPick }: { current: string; onPick(colour: string): void }) {
  return (
    <span className="palette nodrag" role="group" aria-label={t("Colour")}>
      {COLOURS.map((colour) => (
        <button
          key={colour}
          type="button"
          className="swatch"
          data-colour={colour}
          aria-label={colour || t("neutral")}
          aria-pressed={colour === current}
          title={colour || t("neutral")}
          onClick={() => onPick(colour)}
        />
      ))}
    </span>
  );
}

const SMALLEST = { width: 120, height: 64 };
const snap = (value: number) => Math.round(value / 8) * 8;

export function FrameCorner({
  resize,
}: {
  resize(workflow: Workflow, box: Partial<Box>): Workflow;
}) {
  let gesture = "";
  return (
    <NodeResizeControl
      className="frame-corner"
      position="bottom-right"
      minWidth={SMALLEST.width}
      minHeight={SMALLEST.height}
      onResizeStart={() => (gesture = newGesture())}
      onResize={(_event, { width, height }) =>
        edit((now) => resize(now, { width: snap(width), height: snap(height) }), gesture)
      }
    />
  );
}
