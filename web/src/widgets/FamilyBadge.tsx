/** What a model file is, at a glance: its latent space in its colour, or why it cannot be used. */

import { AlertTriangle, Ban } from "lucide-react";
import type { ModelFile } from "../api/types";
import { useCatalogue } from "../store/catalogue";
import { colourOf } from "../theme/spaces";
import { surenessOf } from "../workflow/identity";
import { t } from "../i18n/t";

/** Why the file cannot be run, as far as its header shows it. */
export function whyNot(file: ModelFile): string {
  return (file.flaws ?? []).map((flaw) => flaw.message).join("\n");
}

/** Nothing that the file holds can be run. */
export function isBarred({ flaws = [], parts }: ModelFile): boolean {
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
  const names = ids.map((id) => spaces.latent[id]?.short ?? id).join(t(" or "));
  const words = surenessOf(file) === "likely" ? t("{names}, likely", { names }) : names;
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
