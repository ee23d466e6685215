/** What is said to people who hear the page: connected, refused, problems, how runs go. */

import { create } from "zustand";
import { activeDocument, useDocuments } from "./documents";
import { type Run, useRuns } from "./runs";
import { useChecks } from "./checks";
import type { Problem, RunStatus } from "../api/types";
import { plural, t } from "../i18n/t";

interface Said {
  text: string;
  /** So that the same sentence is said twice when it is meant twice. */
  number: number;
}

export const useSaid = create<Said>()(() => ({ text: "", number: 0 }));

export function announce(text: string): void {
  useSaid.setState(({ number }) => ({ text, number: number + 1 }));
}

const PAUSE = 800; // milliseconds without another answer of the checker before it is told

/** Say what has begun to keep the active workflow from running, and when nothing does any more. */
export function announceProblems(): () => void {
  let told: Record<string, Problem> = {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = () => {
    const errors = useChecks.getState().problems.filter((one) => one.severity === "error");
    const now = Object.fromEntries(errors.map((one) => [`${one.code} ${one.message}`, one]));
    const fresh = Object.entries(now).find(([key]) => !(key in told))?.[1];
    if (fresh)
      announce(
        plural(errors.length, "1 problem. {message}", "{count} problems. {message}", {
          message: fresh.message,
        }),
      );
    else if (errors.length === 0 && Object.keys(told).length > 0)
      announce(t("No problem is left."));
    told = now;
  };
  const leave = useChecks.subscribe(({ problems }, before) => {
    if (problems === before.problems) return;
    clearTimeout(timer);
    timer = setTimeout(tell, PAUSE);
  });
  return () => {
    clearTimeout(timer);
    leave();
  };
}

/** Say how the active workflow's runs go. The answer ends it. */
export function announceRuns(): () => void {
  const told = new Map<string, RunStatus>();
  const look = (ids: string[], fresh: boolean) => {
    for (const id of ids) {
      const run = useRuns.getState().runs[id];
      const before = told.get(id);
      if (!run || run.status === before) continue;
      told.set(id, run.status);
      // Of runs that were over before anybody looked there is nothing to say.
      if (before !== undefined || fresh || run.status === "running") announceRun(run);
    }
  };
  const active = () => activeDocument(useDocuments.getState());
  const leaveRuns = useRuns.subscribe(() => look(active().runs, false));
  // A run may have begun before the page hears that it was queued.
  const leaveDocuments = useDocuments.subscribe((state, before) => {
    const [now, was] = [activeDocument(state), activeDocument(before)];
    if (now.runs === was.runs || now.id !== was.id) return;
    look(
      now.runs.filter((id) => !was.runs.includes(id)),
      true,
    );
  });
  return () => {
    leaveRuns();
    leaveDocuments();
  };
}

function announceRun(run: Run): void {
  if (run.status === "running") announce(t("The run has started."));
  if (run.status === "finished") announce(t("The run is finished."));
  if (run.status === "cancelled") announce(t("The run was cancelled."));
  if (run.status === "interrupted") announce(t("The run was interrupted; it will be run again."));
  if (run.status === "failed") announce(t("The run failed. {reason}", { reason: run.error ?? "" }));
}
