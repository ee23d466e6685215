/** The fields of one way in which a value varies. */

import { Dices, FileUp, Plus, X } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { fileUrl } from "../api/client";
import { useCatalogue } from "../store/catalogue";
import { filesIn, setDraft } from "../store/batch";
import { type AxisDraft, columnNames, offered } from "../workflow/batch";
import { drawSeed } from "../workflow/seeds";
import type { Varying } from "../workflow/varying";
import { widgetKind } from "../widgets/kinds";
import { WidgetPick } from "./BatchAxis";
import { BatchFile } from "./BatchFile";
import { t } from "../i18n/t";

interface Props {
  draft: AxisDraft;
  varying: Varying;
}

interface InputProps {
  draft: AxisDraft;
  name: "start" | "stop" | "count" | "seed" | "column";
  label: string;
  list?: string;
}

function Input({ draft, name, label, list }: InputProps) {
  return (
    <label>
      {label}
      <input
        className="field"
        inputMode={name === "column" ? "text" : "decimal"}
        spellCheck={false}
        list={list}
        data-test={`axis-${name}`}
        value={draft[name]}
        onChange={(event) => setDraft(draft.key, { [name]: event.target.value })}
      />
    </label>
  );
}

function Values({ draft, varying }: Props) {
  useCatalogue((state) => state.models); // files may come while the dialog is open
  const choices = offered(varying.widget, filesIn);
  if (!choices) {
    const lines = ["text", "multiline", "image_file"].includes(widgetKind(varying.widget));
    return (
      <>
        <label>
          {lines ? t("One value a line") : t("Values, separated by commas")}
          <textarea
            className="field field-multiline"
            rows={lines ? 4 : 2}
            data-test="axis-values"
            value={draft.values}
            onChange={(event) => setDraft(draft.key, { values: event.target.value })}
          />
        </label>
        <LocalLines onLines={(values) => setDraft(draft.key, { values })} />
      </>
    );
  }
  return (
    <div
      className="batch-choices"
      role="group"
      aria-label={t("Values of {title}", { title: varying.title })}
    >
      {choices.map(({ label, value }) => {
        const chosen = draft.chosen.includes(value);
        const others = draft.chosen.filter((other) => other !== value);
        return (
          <button
            key={label}
            type="button"
            className="chip"
            aria-pressed={chosen}
            data-choice={label}
            onClick={() => setDraft(draft.key, { chosen: chosen ? others : [...others, value] })}
          >
            {label}
          </button>
        );
      })}
      {choices.length === 0 && (
        <span className="list-detail">{t("There is nothing to choose yet.")}</span>
      )}
    </div>
  );
}

/** Takes the lines of a text file of this machine as values; the file itself is not uploaded. */
function LocalLines({ onLines }: { onLines(lines: string): void }) {
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        className="button button-small button-quiet batch-local"
        onClick={() => chooser.current?.click()}
      >
        <FileUp size={12} aria-hidden="true" />
        {t("Take the lines of a file of this machine…")}
      </button>
      <input
        ref={chooser}
        type="file"
        accept=".txt,.csv,.md,text/plain"
        hidden
        data-test="axis-local"
        onChange={(event) => {
          void event.target.files?.[0]?.text().then((text) => onLines(text.trim()));
          event.target.value = "";
        }}
      />
    </>
  );
}

function Seed({ draft, label }: { draft: AxisDraft; label: string }) {
  return (
    <div className="batch-seed">
      <Input draft={draft} name="seed" label={label} />
      <button
        type="button"
        className="icon-button"
        aria-label={t("Draw another one")}
        title={t("Draw another one")}
        onClick={() => setDraft(draft.key, { seed: String(drawSeed()) })}
      >
        <Dices size={14} />
      </button>
    </div>
  );
}

/** The names of the columns of a table in the input folder, as far as it can be read. */
function useColumns(file: string): string[] {
  const [names, setNames] = useState<string[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    setNames([]);
    if (!file.trim()) return;
    const timer = setTimeout(() => {
      fetch(fileUrl("input", file.trim()), { signal: stop.signal })
        .then(async (answer) => answer.ok && setNames(columnNames(await answer.text())))
        .catch(() => setNames([])); // the plan says what is wrong with the file
    }, 300);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [file]);
  return names;
}

function Columns({ draft, varying }: Props) {
  const names = useColumns(draft.file);
  const list = useId();
  const change = (at: number, one: Partial<AxisDraft["more"][number]>) =>
    setDraft(draft.key, { more: draft.more.map((m, i) => (i === at ? { ...m, ...one } : m)) });
  return (
    <>
      <BatchFile draft={draft} label={t("CSV file in the input folder")} ending=".csv" />
      <datalist id={list}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {names.length > 0 && (
        <span className="list-detail">{t("Its columns: {join}", { join: names.join(", ") })}</span>
      )}
      <Input
        draft={draft}
        name="column"
        label={t("Column for {title}", { title: varying.title })}
        list={list}
      />
      {draft.more.map(({ column, at }, index) => (
        <div className="batch-column" key={index}>
          <input
            className="field"
            aria-label={t("Column")}
            placeholder={t("Column")}
            list={list}
            value={column}
            onChange={(event) => change(index, { column: event.target.value })}
          />
          <WidgetPick at={at} onPick={({ place }) => change(index, { at: place })} />
          <button
            type="button"
            className="icon-button"
            aria-label={t("Leave this column out")}
            title={t("Leave this column out")}
            onClick={() =>
              setDraft(draft.key, { more: draft.more.filter((_, other) => other !== index) })
            }
          >
            <X size={14} />
          </button>
        </div>
      ))}
      <button
        type="button"
        className="button button-small button-quiet"
        onClick={() => setDraft(draft.key, { more: [...draft.more, { column: "", at: draft.at }] })}
      >
        <Plus size={12} aria-hidden="true" />
        {t("Another column")}
      </button>
    </>
  );
}

export function BatchFields({ draft, varying }: Props) {
  switch (draft.kind) {
    case "values":
      return <Values draft={draft} varying={varying} />;
    case "range":
      return (
        <div className="batch-row">
          <Input draft={draft} name="start" label={t("From")} />
          <Input draft={draft} name="stop" label={t("To")} />
          <Input draft={draft} name="count" label={t("How many")} />
        </div>
      );
    case "seeds":
      return (
        <div className="batch-row">
          <Input draft={draft} name="count" label={t("How many")} />
          <label>
            {t("Order")}
            <select
              className="field"
              value={draft.how}
              onChange={(event) =>
                setDraft(draft.key, {
                  how: event.target.value === "increment" ? "increment" : "random",
                })
              }
            >
              <option value="random">{t("Random")}</option>
              <option value="increment">{t("One after the other")}</option>
            </select>
          </label>
          <Seed draft={draft} label={draft.how === "random" ? t("Drawn from") : t("First seed")} />
        </div>
      );
    case "lines":
      return (
        <BatchFile draft={draft} label={t("Text file in the input folder")} ending=".txt" />
      );
    case "columns":
      return <Columns draft={draft} varying={varying} />;
    case "wildcards":
      return (
        <>
          <label>
            {t("Text with {one|another} and __file__ (of the wildcards folder)")}
            <textarea
              className="field field-multiline"
              rows={3}
              data-test="axis-text"
              value={draft.text}
              onChange={(event) => setDraft(draft.key, { text: event.target.value })}
            />
          </label>
          <div className="batch-row">
            <Input draft={draft} name="count" label={t("How many")} />
            <Seed draft={draft} label={t("Drawn from")} />
          </div>
        </>
      );
  }
}
