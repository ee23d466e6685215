/** Whose latents a file speaks, why, how sure that is, and the place to say it oneself. */

import { AlertTriangle, Check } from "lucide-react";
import type { ModelFile } from "../api/types";
import { useCatalogue } from "../store/catalogue";
import { say } from "../store/statements";
import { certaintyInWords, layerLines, saidOf, surenessOf } from "../workflow/identity";
import { t } from "../i18n/t";

interface Props {
  folder: string;
  file: ModelFile;
}

export function FileIdentity({ folder, file }: Props) {
  const spaces = useCatalogue((state) => state.spaces);
  const titleOf = (id: string) => spaces.latent[id]?.title ?? id;
  const ids = file.spaces?.latent ?? [];
  const lines = layerLines(file, titleOf);
  return (
    <section
      className="identity"
      aria-label={t("What {name} is", { name: file.name })}
      data-test="identity"
    >
      <p className="identity-answer">
        <strong>{ids.length > 0 ? ids.map(titleOf).join(t(" or ")) : t("Unknown")}</strong>
        <span className="list-detail" data-test="sureness">
          {certaintyInWords(surenessOf(file))}
        </span>
      </p>
      {file.trouble && <p className="identity-against">{file.trouble}</p>}
      {lines.length === 0 && file.evidence && <p className="list-detail">{file.evidence}</p>}
      {lines.length > 0 && (
        <ul className="identity-layers">
          {lines.map((line) => (
            <li key={line.layer} data-layer={line.layer} data-decides={line.decides || undefined}>
              <span>
                {line.title}: {line.says}
                {line.decides && <Check size={13} aria-label={t("this decided")} />}
              </span>
              <span className="list-detail">{line.reason}</span>
            </li>
          ))}
        </ul>
      )}
      {file.contradiction && (
        <p className="identity-against" role="note" data-test="contradiction">
          <AlertTriangle size={13} aria-label={t("contradiction")} />
          {file.contradiction}
        </p>
      )}
      <Choices folder={folder} file={file} titleOf={titleOf} />
    </section>
  );
}

function Choices({ folder, file, titleOf }: Props & { titleOf: (id: string) => string }) {
  const choices = file.choices ?? [];
  if (choices.length === 0) return null;
  const said = saidOf(file);
  const row = (space: string | null, label: string) => (
    <label key={space ?? ""} className="identity-choice">
      <input
        type="radio"
        name={`identity-${folder}-${file.name}`}
        checked={said === space}
        onChange={() => void say({ folder, name: file.name, space })}
        data-say={space ?? ""}
      />
      {label}
    </label>
  );
  return (
    <fieldset className="identity-choices">
      <legend>{t("Say what this file is")}</legend>
      {row(null, t("Let the file speak for itself"))}
      {choices.map((space) => row(space, titleOf(space)))}
    </fieldset>
  );
}
