/** Commands that go through the workflow by keyboard. */

import { enterSockets, travel } from "../canvas/travel";
import { ui } from "../store/ui";
import type { Command } from "./command";
import { t } from "../i18n/t";

export const TRAVEL: readonly Command[] = [
  {
    id: "go-downstream",
    title: t("To the node that takes it"),
    group: "Go",
    keys: ["Alt+ArrowRight"],
    run: () => travel("downstream"),
  },
  {
    id: "go-upstream",
    title: t("To the node it comes from"),
    group: "Go",
    keys: ["Alt+ArrowLeft"],
    run: () => travel("upstream"),
  },
  {
    id: "go-next",
    title: t("To the next node beside it"),
    group: "Go",
    keys: ["Alt+ArrowDown"],
    run: () => travel("next"),
  },
  {
    id: "go-previous",
    title: t("To the previous node beside it"),
    group: "Go",
    keys: ["Alt+ArrowUp"],
    run: () => travel("previous"),
  },
  {
    id: "sockets",
    title: t("Into the node’s sockets"),
    group: "Go",
    keys: ["S"],
    run: enterSockets,
  },
  {
    id: "outline",
    title: t("Outline of the workflow"),
    group: "Go",
    keys: ["O"],
    run: () => ui((state) => ({ left: state.left === "outline" ? null : "outline" })),
  },
];
