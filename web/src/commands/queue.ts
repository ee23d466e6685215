/** The commands of the queue. */

import type { Place } from "../api/queue";
import { openBatch } from "../store/batch";
import { activePrefix } from "../store/documents";
import { cancelQueue, pauseQueue } from "../store/queue";
import { ui } from "../store/ui";
import type { Command } from "./command";
import { t } from "../i18n/t";

/** A widget of the level that is shown, as the whole workflow calls it. */
const placeOf = (node: string, widget: string): Place => ({ node: activePrefix() + node, widget });

/** The widget that has the keyboard, if one has. */
function focused(): Place | undefined {
  const field = document.activeElement?.closest("[data-widget]");
  const node = field?.closest("[data-node]")?.getAttribute("data-node");
  const widget = field?.getAttribute("data-widget");
  return node && widget ? placeOf(node, widget) : undefined;
}

export const QUEUE: readonly Command[] = [
  {
    id: "vary",
    title: t("Vary this…"),
    group: "Run",
    menu: "widget",
    run: (_at, on) => openBatch(on?.node && on.widget ? placeOf(on.node, on.widget) : focused()),
  },
  {
    id: "batch",
    title: t("Batch: vary values…"),
    group: "Run",
    keys: ["Shift+B"],
    menu: "canvas",
    run: () => openBatch(focused()),
  },
  { id: "cancel-all", title: t("Cancel every run"), group: "Run", run: () => void cancelQueue() },
  {
    id: "pause",
    title: t("Pause the queue after this run"),
    group: "Run",
    run: () => void pauseQueue("after"),
  },
  { id: "go-on", title: t("Let the queue go on"), group: "Run", run: () => void pauseQueue("no") },
  {
    id: "queue",
    title: t("Queue: what runs and waits"),
    group: "View",
    keys: ["Shift+Q"],
    menu: "canvas",
    run: () => ui((state) => ({ right: state.right === "queue" ? null : "queue" })),
  },
];
