/** The whole workflow, small, in the corner: a click or a drag in it moves the view. */

import { t } from "../i18n/t";
import { MiniMap } from "@xyflow/react";
import { useSettings } from "../store/settings";
import { useUi } from "../store/ui";
import { ofThing } from "../workflow/things";
import type { FlowNode } from "./flow";

const colourOf = (node: FlowNode) => {
  if (node.selected) return "var(--accent)";
  const kind = ofThing(node.id).kind;
  return kind === "group"
    ? "var(--accent-soft)"
    : kind === "dot"
      ? "transparent"
      : "var(--line-strong)";
};

export function Minimap() {
  const on = useSettings((state) => state.minimap);
  const panel = useUi((state) => state.left !== null);
  if (!on) return null;
  return (
    <MiniMap<FlowNode>
      className={panel ? "minimap minimap-beside-panel" : "minimap"}
      position="bottom-left"
      pannable
      zoomable
      ariaLabel={t("Minimap")}
      nodeColor={colourOf}
      nodeStrokeWidth={0}
      nodeBorderRadius={16}
      maskColor="light-dark(#1c1c2214, #00000066)"
    />
  );
}
