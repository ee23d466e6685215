/** What a node gave: a picture, a latent channel by channel, a prompt's tokens; and how it came to be. */

import { useEffect, useState } from "react";
import { api, ApiError, valueUrl } from "../api/client";
import type { Json } from "../api/types";
import { Sheet } from "../panels/Sheet";
import { useCatalogue } from "../store/catalogue";
import { useWhole } from "../store/documents";
import { ui } from "../store/ui";
import { nodeAt } from "../workflow/subgraphs";
import { titleOf } from "../workflow/model";
import { Prompt } from "./Prompt";
import { Tunnel } from "./Tunnel";
import { t } from "../i18n/t";

export interface Place {
  run: string;
  node: string;
  output: string;
}

export type About = Record<string, Json>;

export default function Inspect({ sheet }: { sheet: Place }) {
  const { run, node, output } = sheet;
  const placed = useWhole((document) => nodeAt(document.workflow, node));
  const definition = useCatalogue((state) => state.definitions[placed?.type ?? ""]);
  const name = placed ? titleOf(placed, definition) : node;
  const { about, trouble } = useAbout(run, node, output);
  const outputs = definition?.outputs ?? [];
  const choose = (next: string) => ui({ sheet: { kind: "inspect", run, node, output: next } });
  return (
    <Sheet title={t("What {name} gave", { name })} name="inspect">
      {outputs.length > 1 && (
        <div className="inspect-outputs" role="group" aria-label={t("Outputs")}>
          {outputs.map((other) => (
            <button
              key={other.name}
              type="button"
              className="button button-small"
              aria-pressed={other.name === output}
              onClick={() => choose(other.name)}
            >
              {other.title}
            </button>
          ))}
        </div>
      )}
      {trouble && <p className="sheet-trouble">{trouble}</p>}
      {about && <Value key={`${node}/${output}`} place={sheet} about={about} name={name} />}
    </Sheet>
  );
}

function Value({ place, about, name }: { place: Place; about: About; name: string }) {
  const [channels, setChannels] = useState(false);
  const url = valueUrl(place.run, place.node, place.output);
  switch (about.kind) {
    case "Image":
    case "Mask":
      return (
        <>
          <img className="inspect-picture" src={url} alt={t("Output of {name}", { name })} />
          <Facts about={about} />
        </>
      );
    case "Latent":
      return (
        <>
          <div className="inspect-outputs" role="group" aria-label={t("How it is shown")}>
            <button
              type="button"
              className="button button-small"
              aria-pressed={!channels}
              onClick={() => setChannels(false)}
            >
              {t("As a picture")}
            </button>
            <button
              type="button"
              className="button button-small"
              aria-pressed={channels}
              data-test="channels"
              onClick={() => setChannels(true)}
            >
              {t("Channel by channel")}
            </button>
          </div>
          <Tunnel place={place} last={url} hidden={channels} name={name} />
          {channels && (
            <img
              className="inspect-picture"
              src={`${url}?view=channels`}
              alt={t("The channels of {name}: blue is below zero, red above", { name })}
            />
          )}
          <Facts about={about} />
        </>
      );
    case "Conditioning":
      return (
        <>
          <Prompt node={place.node} about={about} />
          <Facts about={about} />
        </>
      );
  }
  return <pre className="inspect-words">{String(about.value ?? about.words ?? about.kind)}</pre>;
}

const WORDS: Record<string, string> = {
  batch: t("Pictures"),
  channels: t("Channels"),
  width: t("Width"),
  height: t("Height"),
  tokens: t("Tokens"),
  pooled: t("Pooled vector"),
  space: t("Space"),
  masked: t("Noise mask"),
  mean: t("Mean"),
  deviation: t("Deviation"),
  lowest: t("Lowest"),
  highest: t("Highest"),
  extras: t("Goes along"),
};

function Facts({ about }: { about: About }) {
  const shown = Object.entries(about).filter(
    ([key, value]) => WORDS[key] && value !== null && value !== "" && !isEmpty(value),
  );
  return (
    <dl className="inspect-facts" data-test="about">
      {shown.map(([key, value]) => (
        <div key={key}>
          <dt>{WORDS[key]}</dt>
          <dd>{said(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

const isEmpty = (value: Json) => Array.isArray(value) && value.length === 0;

function said(value: Json): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

function useAbout(run: string, node: string, output: string) {
  const [told, setTold] = useState<{ about: About | null; trouble: string }>({
    about: null,
    trouble: "",
  });
  useEffect(() => {
    let gone = false;
    setTold({ about: null, trouble: "" });
    api.about(run, node, output).then(
      ({ value }) => gone || setTold({ about: value, trouble: "" }),
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        if (!gone) setTold({ about: null, trouble: error.message });
      },
    );
    return () => {
      gone = true;
    };
  }, [run, node, output]);
  return told;
}
