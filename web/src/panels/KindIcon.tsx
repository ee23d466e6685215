/** The shape of what a node gives, as its picture in lists. */

import type { NodeDefinition } from "../api/types";
import { SocketShape } from "../nodes/SocketShape";

export function KindIcon({ definition }: { definition: NodeDefinition }) {
  const kind = definition.outputs[0]?.term.kind ?? definition.inputs[0]?.term.kind ?? "Any";
  return (
    <span className="kind-icon" aria-hidden="true">
      <SocketShape paint={{ kind, fill: [], outline: [], unknown: false, short: "", title: "" }} />
    </span>
  );
}
