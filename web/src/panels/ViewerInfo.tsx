/** What is known of a picture: its size and time, its prompt and models, and every value of its run. */

import { useEffect, useState } from "react";
import { api, ApiError } from "../api/client";
import type { RunAnswer } from "../api/types";
import { useCatalogue } from "../store/catalogue";
import type { Viewed } from "../store/viewer";
import { inWords } from "../workflow/timeLeft";
import { varyingWidgets } from "../workflow/varying";
import type { Size } from "../workflow/zoom";
import { t } from "../i18n/t";

/** The run, once it is known; null where there is none any more. */
function useRun(id: string | null): RunAnswer | null {
  const [run, setRun] = useState<RunAnswer | null>(null);
  useEffect(() => {
    let gone = false;
    setRun(null);
    if (!id) return;
    api.runOf(id).then(
      (answer) => !gone && setRun(answer),
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error; // it was forgotten: what is known is shown
      },
    );
    return () => {
      gone = true;
    };
  }, [id]);
  return run;
}

function Facts({ facts }: { facts: [string, string][] }) {
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function about({ picture }: Viewed, size: Size | null, run: RunAnswer | null): [string, string][] {
  const facts: [string, string][] = [];
  const { width, height } = size ?? picture ?? { width: 0, height: 0 };
  if (width) facts.push([t("Size"), `${width} × ${height}`]);
  const made = picture?.created ?? run?.finished;
  if (typeof made === "number") facts.push([t("Made"), new Date(made * 1000).toLocaleString()]);
  if (typeof run?.started === "number" && typeof run.finished === "number")
    facts.push([t("Took"), inWords(run.finished - run.started)]);
  if (picture?.models.length) facts.push([t("Model"), picture.models.join(", ")]);
  if (picture?.families.length) facts.push([t("Family"), picture.families.join(", ")]);
  if (picture?.seed) facts.push([t("Seed"), picture.seed]);
  if (picture) facts.push([t("File"), picture.file]);
  return facts;
}

export function ViewerInfo({ viewed, size }: { viewed: Viewed; size: Size | null }) {
  const run = useRun(viewed.run);
  const definitions = useCatalogue((state) => state.definitions);
  const values = run?.workflow ? varyingWidgets(run.workflow, definitions) : [];
  const nodes = [...new Set(values.map(({ place }) => place.node))];
  return (
    <aside
      className="viewer-info"
      aria-label={t("About this picture")}
      data-test="viewer-info"
      tabIndex={0} // so that keys scroll it
    >
      {viewed.picture?.prompt && <p className="viewer-prompt">{viewed.picture.prompt}</p>}
      <Facts facts={about(viewed, size, run)} />
      {nodes.map((node) => {
        const own = values.filter(({ place }) => place.node === node);
        return (
          <section key={node}>
            <h3>{own[0]?.node}</h3>
            <Facts facts={own.map(({ title, value }) => [title, String(value ?? "")])} />
          </section>
        );
      })}
    </aside>
  );
}
