/** A model file, with what it is: the family, and the latent space in its colour. */

import { AlertTriangle, Ban, ChevronDown } from "lucide-react";
import { useRef, useState } from "react";
import type { ModelFile } from "../api/types";
import { useCatalogue } from "../store/catalogue";
import { FileIdentity } from "../panels/FileIdentity";
import { colourOf } from "../theme/spaces";
import { surenessOf } from "../workflow/identity";
import { PickList } from "./PickList";
import { Popover } from "./Popover";
import type { WidgetProps } from "./props";
import { t } from "../i18n/t";

const NONE: ModelFile[] = [];

/** Why the file cannot be run, as far as its header shows it. */
export function whyNot(file: ModelFile): string {
  return (file.flaws ?? []).map((flaw) => flaw.message).join("\n");
}

/** Nothing that the file holds can be run. */
function isBarred({ flaws = [], parts }: ModelFile): boolean {
  if (flaws.some((flaw) => flaw.parts.length === 0)) return true;
  const barred = new Set(flaws.flatMap((flaw) => flaw.parts));
  return parts.length > 0 && parts.every((part) => barred.has(part));
}

/** The file's latent space as a coloured dot and short name; "?" where it is not known. */
export function FamilyBadge({ file }: { file: ModelFile }) {
  const spaces = useCatalogue((state) => state.spaces);
  if (file.trouble)
    return (
      <span className="badge badge-trouble" title={file.trouble}>
        {t("cannot be used")}
      </span>
    );
  const ids = file.spaces?.latent ?? [];
  const why = [file.family, file.evidence].filter(Boolean).join(": ");
  const title = [why, file.contradiction, whyNot(file)].filter(Boolean).join("\n");
  const barred = file.flaws?.length ? <Ban size={11} aria-label={t("cannot be run")} /> : null;
  if (ids.length === 0)
    return file.family ? (
      <span className="badge" title={title}>
        {file.family}
        {barred}
      </span>
    ) : null;
  const names = ids.map((id) => spaces.latent[id]?.short ?? id).join(" or ");
  const words = surenessOf(file) === "likely" ? `${names}, likely` : names;
  return (
    <span className="badge" title={title}>
      {ids.slice(0, 2).map((id) => {
        const { colour } = colourOf("latent", id, Object.keys(spaces.latent));
        return <span key={id} className="badge-dot" style={{ background: colour }} />;
      })}
      {words}
      {barred}
      {file.contradiction && <AlertTriangle size={11} aria-label={t("contradiction")} />}
    </span>
  );
}

export function ModelFileField({ widget, value, onChange }: WidgetProps) {
  const folder = widget.folder ?? "checkpoints";
  const files = useCatalogue((state) => state.models[folder]) ?? NONE;
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const file = files.find((candidate) => candidate.name === value);
  const name = typeof value === "string" && value ? value : null;
  return (
    <>
      <button
        ref={button}
        type="button"
        className="field field-choice nodrag"
        aria-haspopup="listbox"
        aria-expanded={open}
        title={file?.trouble ?? ((file && whyNot(file)) || name) ?? undefined}
        data-widget={widget.name}
        data-unknown={!file || undefined}
        onClick={() => setOpen(!open)}
      >
        <span className="only-heard">{`${widget.title}: `}</span>
        <span className="field-text">{file?.title ?? name ?? t("choose a file…")}</span>
        {file && <FamilyBadge file={file} />}
        <ChevronDown size={14} aria-hidden="true" />
      </button>
      {open && (
        <Popover anchor={button} onClose={() => setOpen(false)} width={320}>
          <PickList
            picks={files.map((f) => ({
              key: f.name,
              label: f.title ?? f.name,
              words: `${f.name} ${f.family ?? ""}`,
              detail: <FamilyBadge file={f} />,
              disabled: f.trouble ?? (isBarred(f) ? whyNot(f) : undefined),
            }))}
            current={name ?? undefined}
            placeholder={t("Search {folder}", { folder })}
            label={widget.title}
            empty={
              folder === "latents"
                ? t("No file yet. Save Latent writes them; they appear here by themselves.")
                : `No file yet. Put model files into models/${folder}; they appear here by themselves.`
            }
            onPick={(key) => {
              onChange(key);
              setOpen(false);
              button.current?.focus();
            }}
          />
          {file && folder !== "latents" && (
            <div className="identity-below">
              <FileIdentity folder={folder} file={file} />
            </div>
          )}
        </Popover>
      )}
    </>
  );
}
