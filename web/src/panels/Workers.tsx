/** The workers: what each is at, and how to start one anew or keep it from beginning other runs. */

import { Pause, Play, RotateCcw } from "lucide-react";
import { useEffect, useState } from "react";
import { api, ApiError } from "../api/client";
import type { WorkerEntry } from "../api/workers";
import { t } from "../i18n/t";
import { notify } from "../store/ui";

const EVERY = 2000; // milliseconds between two looks while the panel is open

const STATES: Record<WorkerEntry["state"], () => string> = {
  starting: () => t("starting"),
  ready: () => t("ready"),
  busy: () => t("working"),
  stopped: () => t("stopped"),
};

function about({ state, draining }: WorkerEntry): string {
  const words = STATES[state]();
  return draining ? t("{state}, takes no other run", { state: words }) : words;
}

interface RowProps {
  worker: WorkerEntry;
  act(what: Promise<unknown>): void;
}

function WorkerRow({ worker, act }: RowProps) {
  const { number, device, message, draining } = worker;
  const drain = draining
    ? t("Let worker {number} take runs again", { number })
    : t("Let worker {number} finish and take no other run", { number });
  const restart = t("Start worker {number} anew", { number });
  return (
    <div className="memory-row" data-worker-row={number} title={message ?? undefined}>
      <span className="memory-name">
        <span className="library-name">
          {t("Worker {number}", { number })}
          {device && ` · ${device}`}
        </span>
        <span className="list-detail" data-test="worker-state">
          {about(worker)}
        </span>
      </span>
      <button
        type="button"
        className="icon-button"
        aria-label={drain}
        title={drain}
        aria-pressed={draining}
        onClick={() => act(api.drainWorker(number, !draining))}
      >
        {draining ? <Play size={14} /> : <Pause size={14} />}
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label={restart}
        title={restart}
        onClick={() => act(api.restartWorker(number))}
      >
        <RotateCcw size={14} />
      </button>
    </div>
  );
}

export function Workers() {
  const [workers, setWorkers] = useState<WorkerEntry[]>([]);
  const look = async (): Promise<void> => {
    try {
      setWorkers((await api.workers()).workers);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  };
  const act = (what: Promise<unknown>): void => {
    void what
      .catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        notify("error", error.message);
      })
      .then(look);
  };
  useEffect(() => {
    void look();
    const timer = setInterval(() => void look(), EVERY);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <div className="panel-heading">{t("Workers")}</div>
      {workers.map((worker) => (
        <WorkerRow key={worker.number} worker={worker} act={act} />
      ))}
    </>
  );
}
