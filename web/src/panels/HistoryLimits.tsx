/** How much of the past is kept: so many runs, so many days. Stars and pictures always stay. */

import { useEffect, useState } from "react";
import { api, ApiError } from "../api/client";
import type { HistoryLimits as Limits } from "../api/workers";
import { t } from "../i18n/t";
import { notify } from "../store/ui";

interface FieldProps {
  title: string;
  name: keyof Limits;
  value: number | null;
  onChange(value: number | null): void;
}

function Field({ title, name, value, onChange }: FieldProps) {
  const [text, setText] = useState(value === null ? "" : String(value));
  const keep = () => {
    const number = Number(text);
    const next = text.trim() === "" || !(number > 0) ? null : Math.round(number);
    setText(next === null ? "" : String(next));
    if (next !== value) onChange(next);
  };
  return (
    <label className="setting">
      <span>{title}</span>
      <input
        className="field setting-number"
        inputMode="numeric"
        placeholder={t("no limit")}
        value={text}
        data-test={`limit-${name}`}
        onChange={(event) => setText(event.target.value)}
        onBlur={keep}
        onKeyDown={(event) => event.key === "Enter" && keep()}
      />
    </label>
  );
}

export function HistoryLimits() {
  const [limits, setLimits] = useState<Limits | null>(null);
  const learn = (question: Promise<Limits>): void => {
    void question.then(setLimits).catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
      notify("error", error.message);
    });
  };
  useEffect(() => learn(api.historyLimits()), []);
  if (!limits) return null;
  const set = (change: Partial<Limits>) => learn(api.setHistoryLimits({ ...limits, ...change }));
  return (
    <>
      <Field
        title={t("Keep so many runs at most")}
        name="runs"
        value={limits.runs}
        onChange={(runs) => set({ runs })}
      />
      <Field
        title={t("Keep them for so many days")}
        name="days"
        value={limits.days}
        onChange={(days) => set({ days })}
      />
      <p className="setting-about">
        {t("Runs with a starred picture stay, and so do all pictures.")}
      </p>
    </>
  );
}
