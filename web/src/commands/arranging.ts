/** Commands of the group "Arrange" for what is chosen: lines, gaps, wires joined, nodes exchanged. */

import { middle } from "../canvas/instance";
import { deleteThrough, type WireEnd } from "../canvas/onWire";
import { ofEdgeId } from "../canvas/flow";
import { toggleSetting } from "../store/settings";
import { ui, useUi } from "../store/ui";
import { useView } from "../store/view";
import type { Direction, Side } from "../workflow/align";
import { isNode } from "../workflow/things";
import { align, distribute, selectAlong } from "./actions";
import type { Command } from "./command";
import { t } from "../i18n/t";

const SIDES: readonly [Side, string][] = [
  ["left", t("Align left edges")],
  ["centre", t("Align centres")],
  ["right", t("Align right edges")],
  ["top", t("Align top edges")],
  ["middle", t("Align middles")],
  ["bottom", t("Align bottom edges")],
];

const DIRECTIONS: readonly [Direction, string][] = [
  ["across", t("Distribute across")],
  ["down", t("Distribute down")],
];

/** Where a menu of nodes opens: at the last context menu, or in the middle. */
const screen = () =>
  useUi.getState().contextMenu?.screen ?? { x: innerWidth / 2, y: innerHeight / 3 };

/** The input of the wire that is chosen; null for a piece that several wires share. */
function chosenWire(): WireEnd | null {
  const [id] = useView.getState().selectedWires;
  return id && !id.startsWith("@") ? ofEdgeId(id) : null;
}

export const ARRANGING: readonly Command[] = [
  ...SIDES.map(([side, title]): Command => {
    return { id: `align-${side}`, title, group: "Arrange", run: () => align(side) };
  }),
  ...DIRECTIONS.map(([direction, title]): Command => {
    const run = () => distribute(direction);
    return { id: `distribute-${direction}`, title, group: "Arrange", run };
  }),
  {
    id: "delete-through",
    title: t("Delete and join its wires"),
    group: "Nodes",
    keys: ["Shift+Delete", "Shift+Backspace"],
    menu: "node",
    run: () => void deleteThrough(),
  },
  {
    id: "replace",
    title: t("Exchange for another node…"),
    group: "Nodes",
    keys: ["Shift+R"],
    menu: "node",
    run: (at = middle(), menu) => {
      const [node] = [...useView.getState().selected].filter(isNode);
      if (!node) return false;
      ui({ nodeMenu: { screen: menu?.screen ?? screen(), at, from: null, replacing: node } });
      return true;
    },
  },
  {
    id: "insert",
    title: t("Insert a node on the wire…"),
    group: "Nodes",
    keys: ["Shift+A"],
    menu: "wire",
    run: (at = middle(), menu) => {
      const on = chosenWire();
      if (!on) return false;
      ui({ nodeMenu: { screen: menu?.screen ?? screen(), at, from: null, on } });
      return true;
    },
  },
  {
    id: "select-upstream",
    title: t("Select all that feeds it"),
    group: "Edit",
    keys: ["Mod+["],
    menu: "node",
    run: () => selectAlong("upstream"),
  },
  {
    id: "select-downstream",
    title: t("Select all that it feeds"),
    group: "Edit",
    keys: ["Mod+]"],
    menu: "node",
    run: () => selectAlong("downstream"),
  },
  {
    id: "minimap",
    title: t("Minimap"),
    group: "View",
    keys: ["Alt+M"],
    menu: "canvas",
    run: () => toggleSetting("minimap"),
  },
  {
    id: "snap-grid",
    title: t("Snap to the grid"),
    group: "View",
    run: () => toggleSetting("snapGrid"),
  },
  {
    id: "snap-nodes",
    title: t("Snap to other nodes"),
    group: "View",
    run: () => toggleSetting("snapNodes"),
  },
];
