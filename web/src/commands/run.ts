/** Commands of the group "Run": what starts and ends runs. */

import { cancelRun, startRuns } from "../store/running";
import { useUi } from "../store/ui";
import { selected } from "./actions";
import type { Command } from "./command";
import { t } from "../i18n/t";

export const RUN: readonly Command[] = [
  {
    id: "run",
    title: t("Run"),
    group: "Run",
    keys: ["Mod+Enter"],
    whileTyping: true,
    run: () => void startRuns(useUi.getState().count),
  },
  {
    id: "run-node",
    title: t("Run up to here"),
    group: "Run",
    menu: "node",
    run: () => void startRuns(1, selected()),
  },
  {
    id: "cancel",
    title: t("Cancel the run"),
    group: "Run",
    keys: ["Mod+Alt+Enter"],
    whileTyping: true,
    run: () => void cancelRun(),
  },
];
