/** A widget of a form, wherever its node lies: also inside of a subgraph. */

import { useCallback } from "react";
import type { Json } from "../api/types";
import { editWhole, useWhole } from "../store/documents";
import { FIELDS } from "../widgets/Widget";
import { widgetKind } from "../widgets/kinds";
import type { Shown } from "../workflow/app";
import { valueAt, withValueAt } from "../workflow/inner";

export function PinnedWidget({ pin }: { pin: Shown }) {
  const { node, widget, definition } = pin;
  const value = useWhole((document) => valueAt(document.workflow, { node, widget }));
  const onChange = useCallback(
    (next: Json, gesture?: string) =>
      editWhole((workflow) => withValueAt(workflow, { node, widget }, next), gesture),
    [node, widget],
  );
  const { component: Field, wide } = FIELDS[widgetKind(definition)];
  return (
    <div className={wide ? "widget widget-wide" : "widget"} title={definition.description || undefined}>
      {!wide && <span className="widget-label">{definition.title}</span>}
      <Field
        node={node}
        widget={definition}
        value={value === undefined ? definition.default : value}
        onChange={onChange}
      />
    </div>
  );
}
