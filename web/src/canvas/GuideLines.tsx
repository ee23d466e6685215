/** The lines that a dragged node catches on. */

import { ViewportPortal } from "@xyflow/react";
import { useGuides } from "./useMoving";

export function GuideLines() {
  const { x, y } = useGuides();
  if (x === null && y === null) return null;
  return (
    <ViewportPortal>
      {x !== null && <div className="guide guide-x" style={{ left: x }} />}
      {y !== null && <div className="guide guide-y" style={{ top: y }} />}
    </ViewportPortal>
  );
}
