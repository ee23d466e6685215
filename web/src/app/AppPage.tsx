/** A workflow as a form that people fill in and run without seeing the graph; also on a phone. */

import { Download, Play, Square } from "lucide-react";
import { useEffect } from "react";
import { useCatalogue } from "../store/catalogue";
import { useChecks } from "../store/checks";
import { useActive } from "../store/documents";
import { cancelRun, startRuns } from "../store/running";
import { isOver, type Run, shownOutputs, shownRun, useRuns } from "../store/runs";
import { useUi } from "../store/ui";
import { appOf, isEmpty, shownPins, suggested } from "../workflow/app";
import { Notices } from "../panels/Overlays";
import { Sheets } from "../panels/Sheets";
import { share } from "../workflow/progress";
import { PinnedWidget } from "./PinnedWidget";
import "../theme/app.css";
import { t } from "../i18n/t";

export default function AppPage({ name }: { name: string }) {
  const workflow = useActive((document) => document.workflow);
  const definitions = useCatalogue((state) => state.definitions);
  const ready = useCatalogue((state) => state.ready);
  const theme = useUi((state) => state.theme);
  const saved = appOf(workflow);
  const form = isEmpty(saved) ? suggested(workflow, definitions) : saved;
  const pins = shownPins(form, workflow, definitions);
  const called = useActive((document) => document.name);
  const there = Object.keys(workflow.nodes).length > 0;
  const title = form.title || (there ? called : name);
  useEffect(() => {
    document.title = title;
    if (theme !== "system") document.documentElement.dataset.theme = theme;
  }, [title, theme]);
  return (
    <>
      <main className="app-page" data-test="app-page">
        <header>
          <h1>{title}</h1>
          {form.about && <p>{form.about}</p>}
        </header>
        {!there || !ready ? (
          <p className="empty">{there ? t("Starting…") : t("Opening the workflow…")}</p>
        ) : (
          <>
            <form
              className="app-form"
              onSubmit={(event) => {
                event.preventDefault();
                void startRuns(1, form.outputs.length ? form.outputs : undefined);
              }}
            >
              {pins.map((pin) => (
                <section key={`${pin.node}/${pin.widget}`} className="app-field">
                  <h2>{pin.title}</h2>
                  <PinnedWidget pin={pin} />
                </section>
              ))}
              {pins.length === 0 && <p className="empty">{t("There is nothing to set here.")}</p>}
              <Problems />
              <RunLine />
            </form>
            <Results outputs={form.outputs} />
          </>
        )}
        <footer>
          <a href="./">{t("Open the editor")}</a>
        </footer>
      </main>
      <Notices />
      <Sheets />
    </>
  );
}

function Problems() {
  const problems = useChecks((state) => state.problems);
  const runnable = useChecks((state) => state.runnable);
  if (runnable) return null;
  return (
    <ul className="app-problems" role="alert">
      {problems
        .filter(({ severity }) => severity === "error")
        .map(({ message }) => (
          <li key={message}>{message}</li>
        ))}
    </ul>
  );
}

function useShownRun(): Run | undefined {
  const ids = useActive((document) => document.runs);
  return useRuns((state) => shownRun(state.runs, ids));
}

function RunLine() {
  const run = useShownRun();
  const runs = run && !isOver(run.status);
  return (
    <div className="app-run">
      <button type="submit" className="button button-primary" data-test="app-run">
        <Play size={16} aria-hidden="true" />
        {runs ? t("Run again") : t("Run")}
      </button>
      {runs && (
        <button
          type="button"
          className="button button-quiet"
          onClick={() => void cancelRun(run.id)}
        >
          <Square size={14} aria-hidden="true" />
          {t("Cancel")}
        </button>
      )}
      <span className="app-status" role="status" data-test="app-status">
        {run && words(run)}
      </span>
      {runs && <progress value={share(run)} max={1} aria-label={t("How far the run is")} />}
    </div>
  );
}

function words(run: Run): string {
  if (run.status === "waiting") return t("Waiting for its turn");
  if (run.status === "failed") return run.error ?? t("It failed.");
  if (run.status === "cancelled") return t("Cancelled");
  if (run.status === "finished") return t("Done");
  const step = Object.entries(run.progress).find(([id]) => run.nodes[id]?.state === "running")?.[1];
  return step ? t("Step {step} of {steps}", { step: step.step, steps: step.steps }) : t("Running");
}

function Results({ outputs }: { outputs: string[] }) {
  const ids = useActive((document) => document.runs);
  const runs = useRuns((state) => state.runs);
  const run = useShownRun();
  const preview = run && !isOver(run.status) ? Object.values(run.previews).at(-1) : undefined;
  const made = outputs.flatMap((node) => shownOutputs(runs, ids, node));
  if (made.length === 0 && !preview) return null;
  return (
    <section className="app-results" aria-label={t("Results")} data-test="app-results">
      {preview && <img src={preview} alt={t("What is being made")} />}
      {!preview &&
        made.map(({ run: id, index, output }) =>
          output.url && output.kind === "image" ? (
            <figure key={`${id}-${index}`}>
              <img src={output.url} alt={t("The result")} data-test="app-picture" />
              <a className="button button-small" href={output.url} download>
                <Download size={14} aria-hidden="true" />
                {t("Keep it")}
              </a>
            </figure>
          ) : (
            <pre key={`${id}-${index}`}>
              {typeof output.data === "string" ? output.data : JSON.stringify(output.data)}
            </pre>
          ),
        )}
    </section>
  );
}
