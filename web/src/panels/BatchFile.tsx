/** A list or table of the input folder by its name, or one of this machine that is brought there. */

import { FileUp } from "lucide-react";
import { useRef, useState } from "react";
import { api, ApiError } from "../api/client";
import { t } from "../i18n/t";
import { setDraft } from "../store/batch";
import type { AxisDraft } from "../workflow/batch";

interface Props {
  draft: AxisDraft;
  label: string;
  /** What the file ends with: ".txt" for lines, ".csv" for a table. */
  ending: ".txt" | ".csv";
}

export function BatchFile({ draft, label, ending }: Props) {
  const chooser = useRef<HTMLInputElement>(null);
  const [trouble, setTrouble] = useState("");
  const take = async (file: File | undefined) => {
    if (!file) return;
    try {
      const { name } = await api.upload(file, named(file.name, ending));
      setDraft(draft.key, { file: name });
      setTrouble("");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setTrouble(error.message);
    }
  };
  return (
    <>
      <label>
        {label}
        <input
          className="field"
          spellCheck={false}
          data-test="axis-file"
          value={draft.file}
          onChange={(event) => setDraft(draft.key, { file: event.target.value })}
        />
      </label>
      <button
        type="button"
        className="button button-small button-quiet batch-local"
        onClick={() => chooser.current?.click()}
      >
        <FileUp size={12} aria-hidden="true" />
        {t("Upload a file of this machine…")}
      </button>
      <input
        ref={chooser}
        type="file"
        accept={ending === ".csv" ? ".csv,text/csv" : ".txt,.md,text/plain"}
        hidden
        data-test="axis-upload"
        onChange={(event) => {
          void take(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
      {trouble && (
        <p className="sheet-trouble" role="alert">
          {trouble}
        </p>
      )}
    </>
  );
}

/** The name with the ending by which the server knows what it is. */
export function named(name: string, ending: ".txt" | ".csv"): string {
  const known = /\.(txt|csv)$/i.test(name);
  return known ? name : `${name.replace(/\.[^.]*$/, "")}${ending}`;
}
