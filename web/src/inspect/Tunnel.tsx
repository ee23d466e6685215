/** The denoising, step by step: a slider plays back the previews that were kept of it. */

import { Pause, Play } from "lucide-react";
import { useEffect, useState } from "react";
import { api, ApiError, stepsUrl } from "../api/client";
import type { Place } from "./Inspect";
import { t } from "../i18n/t";

const FRAME = 120; // milliseconds a step is shown while it plays

interface Props {
  place: Place;
  /** The address of the picture after the last step. */
  last: string;
  hidden: boolean;
  name: string;
}

export function Tunnel({ place, last, hidden, name }: Props) {
  const steps = useSteps(place);
  const [at, setAt] = useState<number | null>(null);
  const [playing, setPlaying] = useState(false);
  const end = steps.length; // the place behind the last kept step: the result
  const shown = at ?? end;
  useEffect(() => {
    if (!playing) return;
    if (shown >= end) return setPlaying(false);
    const timer = setTimeout(() => setAt(shown + 1), FRAME);
    return () => clearTimeout(timer);
  }, [playing, shown, end]);
  useEffect(() => {
    for (const step of steps) new Image().src = stepsUrl(place.run, place.node, step);
  }, [steps, place.run, place.node]);
  if (hidden) return null;
  const step = steps[shown];
  const source = step === undefined ? last : stepsUrl(place.run, place.node, step);
  const play = () => {
    if (!playing && shown >= end) setAt(0);
    setPlaying(!playing);
  };
  return (
    <>
      <img
        className="inspect-picture"
        data-step={step ?? "last"}
        src={source}
        alt={
          step === undefined
            ? t("Output of {name}", { name })
            : t("{name} after step {step}", { name, step })
        }
      />
      {steps.length > 0 && (
        <div className="tunnel">
          <button
            type="button"
            className="icon-button"
            aria-label={playing ? t("Stop") : t("Play the steps")}
            title={playing ? t("Stop") : t("Play the steps")}
            onClick={play}
          >
            {playing ? <Pause size={16} /> : <Play size={16} />}
          </button>
          <input
            type="range"
            min={0}
            max={end}
            value={shown}
            aria-label={t("Step")}
            data-test="tunnel"
            aria-valuetext={step === undefined ? t("result") : t("step {step}", { step })}
            onChange={(event) => {
              setPlaying(false);
              setAt(Number(event.target.value));
            }}
          />
          <span className="tunnel-step">
            {step === undefined ? t("result") : t("step {step}", { step })}
          </span>
        </div>
      )}
    </>
  );
}

const NONE: number[] = [];

function useSteps({ run, node }: Place): number[] {
  const [steps, setSteps] = useState(NONE);
  useEffect(() => {
    let gone = false;
    api.steps(run, node).then(
      (answer) => gone || setSteps(answer.steps),
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
      },
    );
    return () => {
      gone = true;
    };
  }, [run, node]);
  return steps;
}
