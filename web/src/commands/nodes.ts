/** Commands of the group "Nodes": what is done to nodes. */

import { middle } from "../canvas/instance";
import { ui } from "../store/ui";
import { useView } from "../store/view";
import { nudge, tidyUp, toggleFold, toggleMode } from "./actions";
import type { Command } from "./command";

export const NODES: readonly Command[] = [
  {
    id: "add-node",
    title: "Add a node",
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
    title: "Rename",
    group: "Nodes",
    keys: ["F2"],
    menu: ["node", "group", "note"],
    run: () => ui({ renaming: [...useView.getState().selected][0] ?? null }),
  },
  {
    id: "mute",
    title: "Mute: leave it out",
    group: "Nodes",
    keys: ["Mod+M"],
    menu: ["node", "group"],
    run: () => toggleMode("mute"),
  },
  {
    id: "bypass",
    title: "Bypass: pass wires through",
    group: "Nodes",
    keys: ["Mod+B"],
    menu: ["node", "group"],
    run: () => toggleMode("bypass"),
  },
  {
    id: "fold",
    title: "Fold or unfold",
    group: "Nodes",
    keys: ["Alt+C"],
    menu: "node",
    run: toggleFold,
  },
  {
    id: "tidy",
    title: "Tidy up",
    group: "Nodes",
    keys: ["Mod+Shift+L"],
    menu: "both",
    run: tidyUp,
  },
  { id: "left", title: "Move left", group: "Nodes", keys: ["ArrowLeft"], run: () => nudge(-8, 0) },
  {
    id: "right",
    title: "Move right",
    group: "Nodes",
    keys: ["ArrowRight"],
    run: () => nudge(8, 0),
  },
  { id: "up", title: "Move up", group: "Nodes", keys: ["ArrowUp"], run: () => nudge(0, -8) },
  { id: "down", title: "Move down", group: "Nodes", keys: ["ArrowDown"], run: () => nudge(0, 8) },
];
