/** The dotted ground; from far away the dots stand further apart, so that they stay dots. */

import { Background, BackgroundVariant, useStore } from "@xyflow/react";

const GAP = 24; // pixels on the canvas
const CLOSEST = 12; // pixels in the window

export function Dots() {
  const gap = useStore(({ transform: [, , zoom] }) => {
    return GAP * 2 ** Math.max(0, Math.ceil(Math.log2(CLOSEST / (GAP * zoom))));
  });
  const size = (1.5 * gap) / GAP;
  return <Background variant={BackgroundVariant.Dots} gap={gap} size={size} color="var(--dots)" />;
}
