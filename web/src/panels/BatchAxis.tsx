/** One value that varies: which one, in what way, and whether it goes along with the one above. */

import { ChevronDown, Trash2 } from "lucide-react";
import { useRef, useState } from "react";
import type { Place } from "../api/queue";
import { useCatalogue } from "../store/catalogue";
import { useWhole } from "../store/documents";
import { aimDraft, removeDraft, setDraft, useBatch } from "../store/batch";
import { PickList } from "../widgets/PickList";
import { Popover } from "../widgets/Popover";
import { type AxisDraft, type AxisKind, KIND_TITLES, kindsFor } from "../workflow/batch";
import { type Varying, varyingAt, varyingWidgets } from "../workflow/varying";
import { BatchFields } from "./BatchFields";
import { t } from "../i18n/t";

interface Props {
  draft: AxisDraft;
  letter: string;
  first: boolean;
  only: boolean;
}

/** Every value of the workflow that could vary. */
export function useVarying(): Varying[] {
  const workflow = useWhole((document) => document.workflow);
  const definitions = useCatalogue((state) => state.definitions);
  return varyingWidgets(workflow, definitions);
}

interface PickProps {
  at: Place;
  onPick(varying: Varying): void;
}

/** Chooses a widget by its node and name. */
export function WidgetPick({ at, onPick }: PickProps) {
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const all = useVarying();
  const current = varyingAt(all, at);
  const key = ({ node, widget }: Place) => `${node} ${widget}`;
  return (
    <>
      <button
        ref={button}
        type="button"
        className="field field-choice"
        aria-haspopup="listbox"
        aria-expanded={open}
        aria-label={t("Value that varies: {value}", {
          value: current ? `${current.node}, ${current.title}` : "none",
        })}
        data-test="axis-widget"
        onClick={() => setOpen(!open)}
      >
        <span className="field-text">
          {current ? `${current.node} · ${current.title}` : t("choose…")}
        </span>
        <ChevronDown size={14} aria-hidden="true" />
      </button>
      {open && (
        <Popover anchor={button} onClose={() => setOpen(false)} width={260}>
          <PickList
            picks={all.map(({ place, node, title }) => ({
              key: key(place),
              label: title,
              words: node,
              group: node,
            }))}
            current={key(at)}
            placeholder={t("Search values")}
            label={t("Value that varies")}
            empty={t("No value of that name.")}
            search
            onPick={(picked) => {
              const found = all.find(({ place }) => key(place) === picked);
              if (found) onPick(found);
              setOpen(false);
              button.current?.focus();
            }}
          />
        </Popover>
      )}
    </>
  );
}

export function BatchAxis({ draft, letter, first, only }: Props) {
  const all = useVarying();
  const trouble = useBatch((state) => (state.missingAt === draft.key ? state.missing : ""));
  const varying = varyingAt(all, draft.at);
  return (
    <li className="batch-axis" data-test="batch-axis" data-trouble={Boolean(trouble) || undefined}>
      <div className="batch-axis-head">
        <span className="batch-letter" title={t("Axis {letter} of the grid", { letter })}>
          {letter}
        </span>
        <WidgetPick at={draft.at} onPick={(picked) => aimDraft(draft.key, picked)} />
        {varying && kindsFor(varying.widget).length > 1 && (
          <select
            className="field batch-kind"
            aria-label={t("How it varies")}
            data-test="axis-kind"
            value={draft.kind}
            onChange={(event) => setDraft(draft.key, { kind: event.target.value as AxisKind })}
          >
            {kindsFor(varying.widget).map((kind) => (
              <option key={kind} value={kind}>
                {KIND_TITLES[kind]}
              </option>
            ))}
          </select>
        )}
        <button
          type="button"
          className="icon-button"
          aria-label={t("Let this value stay as it is")}
          title={t("Let this value stay as it is")}
          disabled={only}
          onClick={() => removeDraft(draft.key)}
        >
          <Trash2 size={14} />
        </button>
      </div>
      {varying && <BatchFields draft={draft} varying={varying} />}
      {!first && (
        <label className="check">
          <input
            type="checkbox"
            checked={draft.together}
            data-test="axis-together"
            onChange={(event) => setDraft(draft.key, { together: event.target.checked })}
          />
          {t("Step by step with the one above, not every combination")}
        </label>
      )}
      {trouble && (
        <p className="sheet-trouble" role="alert" data-test="axis-trouble">
          {trouble}
        </p>
      )}
    </li>
  );
}
