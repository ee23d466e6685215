/** Commands of the group "Nodes": what is done to nodes. */

import { middle } from "../canvas/instance";
import { ui } from "../store/ui";
import { useView } from "../store/view";
import { nudge, tidyUp, toggleFold, toggleMode } from "./actions";
import type { Command } from "./command";
import { t } from "../i18n/t";

export const NODES: readonly Command[] = [
  {
    id: "add-node",
    title: t("Add a node"),
    group: "Nodes",
    keys: ["A"],
    menu: "canvas",
    run: () =>
      ui({
        nodeMenu: { screen: { x: innerWidth / 2, y: innerHeight / 3 }, at: middle(), from: null },
      }),
  },
  {
    id: "rename",
    title: t("Rename"),
    group: "Nodes",
    keys: ["F2"],
    menu: ["node", "group", "note"],
    run: () => ui({ renaming: [...useView.getState().selected][0] ?? null }),
  },
  {
    id: "mute",
    title: t("Mute: leave it out"),
    group: "Nodes",
    keys: ["Mod+M"],
    menu: ["node", "group"],
    run: () => toggleMode("mute"),
  },
  {
    id: "bypass",
    title: t("Bypass: pass wires through"),
    group: "Nodes",
    keys: ["Mod+B"],
    menu: ["node", "group"],
    run: () => toggleMode("bypass"),
  },
  {
    id: "fold",
    title: t("Fold or unfold"),
    group: "Nodes",
    keys: ["Alt+C"],
    menu: "node",
    run: toggleFold,
  },
  {
    id: "tidy",
    title: t("Tidy up"),
    group: "Nodes",
    keys: ["Mod+Shift+L"],
    menu: "both",
    run: () => void tidyUp(),
  },
  {
    id: "left",
    title: t("Move left"),
    group: "Nodes",
    keys: ["ArrowLeft"],
    run: () => nudge(-8, 0),
  },
  {
    id: "right",
    title: t("Move right"),
    group: "Nodes",
    keys: ["ArrowRight"],
    run: () => nudge(8, 0),
  },
  { id: "up", title: t("Move up"), group: "Nodes", keys: ["ArrowUp"], run: () => nudge(0, -8) },
  {
    id: "down",
    title: t("Move down"),
    group: "Nodes",
    keys: ["ArrowDown"],
    run: () => nudge(0, 8),
  },
];
