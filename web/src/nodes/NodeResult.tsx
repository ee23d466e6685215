/** The pictures of a node: what it made, or a preview of what it is making. */

import { memo } from "react";
import type { Shown } from "../store/runs";
import { viewOutput } from "../store/viewer";
import { t } from "../i18n/t";

interface Props {
  name: string;
  outputs: Shown[];
  preview: string | undefined;
}

export const NodeResult = memo(function NodeResult({ name, outputs, preview }: Props) {
  const pictures = outputs.filter((shown) => shown.output.kind === "image" && shown.output.url);
  const texts = outputs.filter((shown) => shown.output.kind !== "image");
  if (preview) {
    return (
      <div className="node-result" data-test="preview">
        <img
          className="node-picture"
          src={preview}
          alt={t("Preview of {name}", { name })}
          draggable={false}
        />
      </div>
    );
  }
  if (outputs.length === 0) return null;
  return (
    <div className="node-result" data-test="result" data-many={pictures.length > 1 || undefined}>
      {pictures.map(({ run, index, output }) => (
        <button
          key={`${run}-${index}`}
          type="button"
          className="picture-button nodrag"
          aria-label={t("Open the picture of {name}", { name })}
          onClick={() => viewOutput(run, index)}
        >
          <img
            className="node-picture"
            src={output.url ?? undefined}
            alt={t("Result of {name}", { name })}
            draggable={false}
          />
        </button>
      ))}
      {texts.map(({ run, index, output }) => (
        <pre key={`${run}-${index}`} className="node-text nowheel nodrag">
          {typeof output.data === "string" ? output.data : JSON.stringify(output.data)}
        </pre>
      ))}
    </div>
  );
});
