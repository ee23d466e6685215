/** What is said to people who hear the page: connected, refused, how runs go. */

import { create } from "zustand";
import { activeDocument, useDocuments } from "./documents";
import { useRuns } from "./runs";
import { t } from "../i18n/t";

interface Said {
  text: string;
  /** So that the same sentence is said twice when it is meant twice. */
  number: number;
}

export const useSaid = create<Said>()(() => ({ text: "", number: 0 }));

export function announce(text: string): void {
  useSaid.setState(({ number }) => ({ text, number: number + 1 }));
}

/** Say how the active workflow's runs go. The answer ends it. */
export function announceRuns(): () => void {
  return useRuns.subscribe(({ runs }, before) => {
    for (const id of activeDocument(useDocuments.getState()).runs) {
      const run = runs[id];
      if (!run || run.status === before.runs[id]?.status) continue;
      if (run.status === "running") announce(t("The run has started."));
      if (run.status === "finished") announce(t("The run is finished."));
      if (run.status === "cancelled") announce(t("The run was cancelled."));
      if (run.status === "interrupted")
        announce(t("The run was interrupted; it will be run again."));
      if (run.status === "failed")
        announce(t("The run failed. {reason}", { reason: run.error ?? "" }));
    }
  });
}
