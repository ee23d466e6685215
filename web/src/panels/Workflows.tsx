/** Templates to begin from, and the workflows that were saved. */

import { FileText, LayoutTemplate, Trash2 } from "lucide-react";
import { useCatalogue } from "../store/catalogue";
import { chooseFile, openSaved, openTemplate, removeSaved } from "../store/files";
import { ui } from "../store/ui";
import { t } from "../i18n/t";

function modified(time: number | string): string {
  const date = new Date(typeof time === "number" ? time * 1000 : time);
  return Number.isNaN(date.getTime())
    ? ""
    : date.toLocaleDateString(undefined, { dateStyle: "medium" });
}

export function Workflows() {
  const { templates, saved } = useCatalogue((state) => state.workflows);
  return (
    <div className="panel-scroll" data-test="workflows">
      <div className="panel-heading">{t("Templates")}</div>
      <button
        type="button"
        className="button panel-button"
        data-test="open-templates"
        onClick={() => ui({ sheet: { kind: "templates" } })}
      >
        {t("Show as pictures…")}
      </button>
      {templates.map(({ name, title }) => (
        <button
          key={name}
          type="button"
          className="library-item"
          data-template={name}
          onClick={() => void openTemplate(name, title)}
        >
          <LayoutTemplate size={14} aria-hidden="true" />
          <span className="library-name">{title}</span>
        </button>
      ))}
      {templates.length === 0 && <div className="empty">{t("No templates yet.")}</div>}
      <div className="panel-heading">{t("Saved")}</div>
      {saved.map(({ name, modified: time }) => (
        <div key={name} className="list-row">
          <button
            type="button"
            className="library-item"
            data-saved={name}
            onClick={() => void openSaved(name)}
          >
            <FileText size={14} aria-hidden="true" />
            <span className="library-name">{name}</span>
            <span className="list-detail">{modified(time)}</span>
          </button>
          <button
            type="button"
            className="icon-button list-action"
            aria-label={t("Delete {name}", { name })}
            title={t("Delete")}
            onClick={() => removeSaved(name)}
          >
            <Trash2 size={14} />
          </button>
        </div>
      ))}
      {saved.length === 0 && (
        <div className="empty">{t("Nothing saved yet. Ctrl+S keeps the open workflow here.")}</div>
      )}
      <button type="button" className="button panel-button" onClick={chooseFile}>
        {t("Open a file…")}
      </button>
      <div className="empty">
        {t("Or drop a workflow’s JSON, or a picture made here, anywhere on the page.")}
      </div>
    </div>
  );
}
