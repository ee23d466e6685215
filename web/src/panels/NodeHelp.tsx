/** What a node does: its sentence, each socket and each setting, and an example to begin with. */

import { useMemo } from "react";
import type { WidgetDefinition } from "../api/types";
import { fitAll } from "../canvas/instance";
import { shapeOf } from "../nodes/shapes";
import { useCatalogue } from "../store/catalogue";
import { activeWorkflow, edit } from "../store/documents";
import { openWorkflow } from "../store/files";
import { sizeOf, useView } from "../store/view";
import { paste } from "../workflow/clipboard";
import { exampleOf } from "../workflow/example";
import { choicesOf, limitsOf, plainSchema } from "../widgets/kinds";
import { closeSheet, Sheet } from "./Sheet";
import "../theme/help.css";
import { kindName } from "../i18n/kinds";
import { t } from "../i18n/t";

export default function NodeHelp({ sheet }: { sheet: { type: string } }) {
  const definition = useCatalogue((state) => state.definitions[sheet.type]);
  const types = useCatalogue((state) => state.definitions);
  const models = useCatalogue((state) => state.models);
  const example = useMemo(
    () => exampleOf(sheet.type, types, (folder) => models[folder]?.find((f) => !f.trouble)?.name),
    [sheet.type, types, models],
  );
  if (!definition) return null;
  const insert = () => {
    if (!example) return;
    closeSheet();
    const places = Object.entries(activeWorkflow().layout.nodes);
    const below = Math.max(0, ...places.map(([id, { y }]) => y + sizeOf(id).height + 64));
    const left = Math.min(...places.map(([, { x }]) => x), 0);
    let names: string[] = [];
    edit((workflow) => {
      const made = paste(workflow, example, { x: left, y: below }, false);
      names = made.names;
      return made.workflow;
    });
    useView.getState().select(names);
    requestAnimationFrame(() => void fitAll());
  };
  return (
    <Sheet title={definition.title} name="node-help">
      <p className="help-lead">
        {definition.description || t("This node says nothing of itself.")}
      </p>
      <Rows
        title={t("Inputs")}
        rows={definition.inputs.map((input) => ({
          name: input.title,
          kind: [
            kindName(input.term.kind),
            input.variadic && t("any number"),
            input.optional && t("optional"),
          ]
            .filter(Boolean)
            .join(", "),
          shape: input.term.kind,
          about: input.description,
        }))}
      />
      <Rows
        title={t("Settings")}
        rows={definition.widgets.map((widget) => ({
          name: widget.title,
          kind: limitsInWords(widget),
          about: widget.description,
        }))}
      />
      <Rows
        title={t("Outputs")}
        rows={definition.outputs.map((output) => ({
          name: output.title,
          kind: kindName(output.term.kind),
          shape: output.term.kind,
          about: output.description,
        }))}
      />
      {example && (
        <div className="dialog-buttons">
          <button
            type="button"
            className="button"
            onClick={() => {
              closeSheet();
              openWorkflow(example, { name: t("Example: {title}", { title: definition.title }) });
            }}
          >
            {t("Open an example")}
          </button>
          <button
            type="button"
            className="button button-primary"
            data-test="insert-example"
            onClick={insert}
          >
            {t("Insert the example here")}
          </button>
        </div>
      )}
    </Sheet>
  );
}

interface Row {
  name: string;
  kind: string;
  about: string;
  shape?: string;
}

function Rows({ title, rows }: { title: string; rows: Row[] }) {
  if (rows.length === 0) return null;
  return (
    <section className="help-rows">
      <h3>{title}</h3>
      <dl>
        {rows.map(({ name, kind, about, shape }) => (
          <div key={name}>
            <dt>
              {shape && (
                <svg viewBox="0 0 16 16" aria-hidden="true">
                  <path d={shapeOf(shape).path} fillRule="evenodd" />
                </svg>
              )}
              {name}
            </dt>
            <dd>
              <span className="help-kind">{kind}</span>
              {about && <span>{about}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** What a setting may be, in words: "1 to 1000, usually 20". */
export function limitsInWords(widget: WidgetDefinition): string {
  const schema = plainSchema(widget.schema);
  const usual =
    widget.default === null || widget.default === undefined || widget.default === ""
      ? ""
      : t("usually {value}", { value: widget.default });
  if (widget.folder) return t("a file of {folder}", { folder: widget.folder });
  const choices = choicesOf(schema);
  if (choices.length > 0) {
    const few = choices.slice(0, 6).map(({ label }) => label);
    const more = choices.length - few.length;
    const listed = few.join(", ");
    const all = more > 0 ? t("{listed} and {more} more", { listed, more }) : listed;
    return [all, usual].filter(Boolean).join("; ");
  }
  const { low, high } = limitsOf(schema);
  const range =
    schema.type !== "integer" && schema.type !== "number"
      ? schema.type === "boolean"
        ? t("yes or no")
        : t("text")
      : low !== null && high !== null
        ? t("{low} to {high}", { low, high })
        : t("a number");
  return [range, usual].filter(Boolean).join(", ");
}
