/** The commands of the queue. */

import { cancelQueue, pauseQueue } from "../store/queue";
import { ui } from "../store/ui";
import type { Command } from "./command";

export const QUEUE: readonly Command[] = [
  { id: "cancel-all", title: "Cancel every run", group: "Run", run: () => void cancelQueue() },
  {
    id: "pause",
    title: "Pause the queue after this run",
    group: "Run",
    run: () => void pauseQueue("after"),
  },
  { id: "go-on", title: "Let the queue go on", group: "Run", run: () => void pauseQueue("no") },
  {
    id: "queue",
    title: "Queue: what runs and waits",
    group: "View",
    keys: ["Shift+Q"],
    menu: "canvas",
    run: () => ui((state) => ({ right: state.right === "queue" ? null : "queue" })),
  },
];
