/** Choose what a workflow's form shows: widgets to set, and nodes whose results are seen. */

import { ArrowDown, ArrowUp, ExternalLink } from "lucide-react";
import { Sheet } from "../panels/Sheet";
import { useCatalogue } from "../store/catalogue";
import { editWhole, newGesture, useActive, useWhole } from "../store/documents";
import {
  type AppForm,
  appOf,
  isEmpty,
  isPinned,
  movedPin,
  pinnables,
  shownPins,
  suggested,
  toggleOutput,
  togglePin,
  withApp,
} from "../workflow/app";
import "../theme/app.css";
import { t } from "../i18n/t";

const gesture = newGesture();

export default function AppEditor() {
  const workflow = useWhole((document) => document.workflow);
  const savedAs = useActive((document) => document.savedAs);
  const definitions = useCatalogue((state) => state.definitions);
  const form = appOf(workflow);
  const put = (next: AppForm, token?: string) => editWhole((now) => withApp(now, next), token);
  const pins = shownPins(form, workflow, definitions);
  return (
    <Sheet title={t("App view")} name="app-editor">
      <p className="templates-lead">
        {t("A form for people who need not see the graph: what they may set, and what they get.")}
      </p>
      <div className="app-editor">
        <label>
          {t("Title")}
          <input
            className="field"
            value={form.title}
            placeholder={t("As the workflow is called")}
            onChange={(event) => put({ ...form, title: event.target.value }, gesture)}
          />
        </label>
        <label>
          {t("What it is for")}
          <input
            className="field"
            value={form.about}
            onChange={(event) => put({ ...form, about: event.target.value }, gesture)}
          />
        </label>
        {isEmpty(form) && (
          <button
            type="button"
            className="button"
            data-test="suggest"
            onClick={() => put(suggested(workflow, definitions))}
          >
            {t("Begin with prompts, pictures, seeds and results")}
          </button>
        )}
        {pins.length > 0 && (
          <section>
            <h3>{t("The form")}</h3>
            {pins.map((pin) => {
              const at = form.inputs.findIndex(
                (other) => other.node === pin.node && other.widget === pin.widget,
              );
              const call = (label: string) =>
                put(
                  {
                    ...form,
                    inputs: form.inputs.map((one, index) =>
                      index === at ? { ...one, label } : one,
                    ),
                  },
                  gesture,
                );
              return (
                <div className="app-pin" key={`${pin.node}/${pin.widget}`}>
                  <input
                    className="field"
                    value={pin.label}
                    placeholder={pin.title}
                    aria-label={t("Label of {title}", { title: pin.title })}
                    onChange={(event) => call(event.target.value)}
                  />
                  <button
                    type="button"
                    className="icon-button"
                    aria-label={t("{title} up", { title: pin.title })}
                    disabled={at === 0}
                    onClick={() => put(movedPin(form, at, -1))}
                  >
                    <ArrowUp size={14} />
                  </button>
                  <button
                    type="button"
                    className="icon-button"
                    aria-label={t("{title} down", { title: pin.title })}
                    disabled={at === form.inputs.length - 1}
                    onClick={() => put(movedPin(form, at, 1))}
                  >
                    <ArrowDown size={14} />
                  </button>
                </div>
              );
            })}
          </section>
        )}
        <section>
          <h3>{t("Nodes")}</h3>
          {pinnables(workflow, definitions).map(({ node, title, widgets, gives }) => (
            <fieldset key={node}>
              <legend>{title}</legend>
              {widgets.map((widget) => (
                <label key={widget.name} className="app-choice">
                  <input
                    type="checkbox"
                    checked={isPinned(form, node, widget.name)}
                    data-pin={`${node}/${widget.name}`}
                    onChange={() => put(togglePin(form, node, widget.name))}
                  />
                  {widget.title}
                </label>
              ))}
              {gives && (
                <label className="app-choice">
                  <input
                    type="checkbox"
                    checked={form.outputs.includes(node)}
                    data-pin={node}
                    onChange={() => put(toggleOutput(form, node))}
                  />
                  {t("Show what it makes")}
                </label>
              )}
            </fieldset>
          ))}
        </section>
      </div>
      <div className="dialog-buttons">
        {savedAs ? (
          <a
            className="button button-primary"
            href={`./?app=${encodeURIComponent(savedAs)}`}
            target="_blank"
            rel="noreferrer"
            data-test="open-app"
          >
            <ExternalLink size={14} aria-hidden="true" />
            {t("Open the app (as last saved)")}
          </a>
        ) : (
          <span className="empty">
            {t("Save the workflow (Ctrl+S): its app then has an address.")}
          </span>
        )}
      </div>
    </Sheet>
  );
}
