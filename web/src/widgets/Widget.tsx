/** A widget with its label: the place where a kind finds its component. To add one, add a row. */

import { type ComponentType, memo, type MouseEvent, useCallback } from "react";
import type { Json, WidgetDefinition } from "../api/types";
import { edit, useActive } from "../store/documents";
import { ui } from "../store/ui";
import { useView } from "../store/view";
import { setValue } from "../workflow/edits";
import { ChoiceField } from "./ChoiceField";
import { ColourField } from "./ColourField";
import { ImageFileField } from "./ImageFileField";
import { type WidgetKind, widgetKind } from "./kinds";
import { ModelFileField } from "./ModelFileField";
import { NumberField } from "./NumberField";
import type { WidgetProps } from "./props";
import { SeedField } from "./SeedField";
import { MultilineField, TextField, ToggleField } from "./TextFields";
import { t } from "../i18n/t";

interface Row {
  component: ComponentType<WidgetProps>;
  /** Takes the node's whole width, without a label beside it. */
  wide?: boolean;
}

export const FIELDS: Record<WidgetKind, Row> = {
  number: { component: NumberField },
  slider: { component: NumberField },
  seed: { component: SeedField },
  choice: { component: ChoiceField },
  toggle: { component: ToggleField },
  text: { component: TextField },
  multiline: { component: MultilineField, wide: true },
  model_file: { component: ModelFileField, wide: true },
  colour: { component: ColourField },
  image_file: { component: ImageFileField, wide: true },
};

/** Open the menu of a widget, which lies in its node's. */
function widgetMenu(event: MouseEvent, node: string, widget: string): void {
  event.preventDefault();
  event.stopPropagation();
  useView.getState().select([node]);
  const screen = { x: event.clientX, y: event.clientY };
  ui({ contextMenu: { screen, at: screen, node, widget, place: "widget" } });
}

interface Props {
  node: string;
  widget: WidgetDefinition;
  wired: boolean;
}

export const Widget = memo(function Widget({ node, widget, wired }: Props) {
  const value = useActive((document) => document.workflow.nodes[node]?.values[widget.name]);
  const onChange = useCallback(
    (next: Json, gesture?: string) =>
      edit((workflow) => setValue(workflow, node, widget.name, next), gesture),
    [node, widget.name],
  );
  const menu = (event: MouseEvent) => {
    // A text that is being written has the browser's menu, to correct and paste.
    if (event.target === document.activeElement && event.target instanceof HTMLTextAreaElement)
      return event.stopPropagation();
    widgetMenu(event, node, widget.name);
  };
  const { component: Field, wide } = FIELDS[widgetKind(widget)];
  const shown = value === undefined ? widget.default : value;
  return (
    <div
      className={wide && !wired ? "widget widget-wide" : "widget"}
      title={widget.description || undefined}
      onContextMenu={wired ? undefined : menu}
    >
      {(!wide || wired) && <span className="widget-label">{widget.title}</span>}
      {wired ? (
        <span className="widget-wired">{t("from the wire")}</span>
      ) : (
        <Field node={node} widget={widget} value={shown} onChange={onChange} />
      )}
    </div>
  );
});
