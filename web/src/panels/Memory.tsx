/** Which models are loaded, how much memory each takes, and a way to let go of them. */

import { X } from "lucide-react";
import { useEffect } from "react";
import type { LoadedModel, MemoryAnswer, WorkerMemory } from "../api/types";
import { freeMemory, lookAtMemory, partTitle, sizeInWords, useMemory } from "../store/memory";
import { t } from "../i18n/t";
import { Workers } from "./Workers";

const EVERY = 2000; // milliseconds between two looks while the panel is open

function FreeButton({ label, run }: { label: string; run(): void }) {
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} onClick={run}>
      <X size={14} />
    </button>
  );
}

function ModelRow({ model, worker }: { model: LoadedModel; worker: number }) {
  const part = partTitle(model.part);
  const beside = model.host > 0 ? t("{size} more are brought while it runs", { size: sizeInWords(model.host) }) : "";
  const about = [model.name, `${part}, ${model.dtype}`, beside].filter(Boolean).join("\n");
  return (
    <div className="memory-row" data-loaded={model.part} title={about}>
      <span className="memory-name">
        <span className="library-name">{model.name}</span>
        <span className="list-detail">{part}</span>
        {beside && <span className="list-detail">{beside}</span>}
      </span>
      <span className="list-detail">{sizeInWords(model.bytes)}</span>
      {model.in_use ? (
        <span className="memory-used" title={t("The running node uses it")}>
          {t("in use")}
        </span>
      ) : (
        <FreeButton
          label={t("Free {part} of {name}", { part, name: model.name })}
          run={() => void freeMemory([model.id], false, worker)}
        />
      )}
    </div>
  );
}

function Worker({ report, number }: { report: WorkerMemory; number: number }) {
  const share = Math.min(1, report.used / Math.max(1, report.budget));
  return (
    <>
      <div className="memory-sum" data-test="memory-sum">
        {t("{size} of {size2} on {device}", {
          size: sizeInWords(report.used),
          size2: sizeInWords(report.budget),
          device: report.device,
        })}
        <div className="meter">
          <span style={{ width: `${share * 100}%` }} />
        </div>
        {report.free !== null && t("{size} free on the device", { size: sizeInWords(report.free) })}
      </div>
      {report.models.map((model) => (
        <ModelRow key={model.id} model={model} worker={number} />
      ))}
      {report.models.length === 0 && (
        <div className="empty">{t("No model is loaded. A run loads those that it needs.")}</div>
      )}
      {report.results > 0 && (
        <div
          className="memory-row"
          title={t("So that a node that did not change need not run again")}
        >
          <span className="library-name">{t("Kept results")}</span>
          <span className="list-detail">{sizeInWords(report.results)}</span>
          <FreeButton
            label={t("Free kept results")}
            run={() => void freeMemory([], true, number)}
          />
        </div>
      )}
    </>
  );
}

function Report({ report: { workers } }: { report: MemoryAnswer }) {
  const models = workers.flatMap((worker) => worker.models);
  return (
    <>
      {workers.map((worker) => (
        <div key={worker.number} data-worker={worker.number}>
          {workers.length > 1 && (
            <div className="panel-heading">{t("Worker {number}", { number: worker.number })}</div>
          )}
          <Worker report={worker} number={worker.number} />
        </div>
      ))}
      <button
        type="button"
        className="button panel-button"
        disabled={models.every((model) => model.in_use)}
        data-test="free-all"
        onClick={() => void freeMemory()}
      >
        {t("Free all models")}
      </button>
    </>
  );
}

export function Memory() {
  const { report, trouble, notes } = useMemory();
  useEffect(() => {
    void lookAtMemory();
    const timer = setInterval(() => void lookAtMemory(), EVERY);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className="panel-scroll" data-test="memory">
      {report && <Report report={report} />}
      {trouble && <div className="empty">{trouble}</div>}
      <Workers />
      {notes.length > 0 && <div className="panel-heading">{t("What runs had to do")}</div>}
      {notes.map((note) => (
        <div key={note} className="memory-note">
          {note}
        </div>
      ))}
    </div>
  );
}
