/** Every command, once: a record gives its menu entry, its shortcut and its line in the help. */

import { fitAll, middle, show, zoomBy, zoomTo } from "../canvas/instance";
import { activeDocument, activeWorkflow, useDocuments } from "../store/documents";
import { askName, chooseFile, closeDocument, download, newWorkflow, save } from "../store/files";
import { freeMemory } from "../store/memory";
import { cancelAll, cancelRun, startRuns } from "../store/running";
import { closeTop, setPatterns, setTheme, type Theme, ui, useUi } from "../store/ui";
import { useView } from "../store/view";
import { nudge, selected, tidyUp, toggleFold, toggleMode } from "./actions";
import {
  copySelected,
  cutSelected,
  deleteSelected,
  duplicateSelected,
  pasteHere,
} from "./clipboard";

export type Group = "Run" | "Edit" | "Nodes" | "Workflow" | "View";

export interface Command {
  id: string;
  title: string;
  group: Group;
  /** The first is the one that is shown. */
  keys?: string[];
  /** Works while a person types in a field, too. */
  whileTyping?: boolean;
  /** The browser's own clipboard events carry it out; the key is listed only. */
  native?: boolean;
  /** In the menu of a node, or of the canvas. */
  menu?: "node" | "canvas" | "both";
  /** Leaves the page's focus and the rest of the key press alone where it has nothing to do. */
  run(): void | boolean;
}

export const COMMANDS: readonly Command[] = [
  {
    id: "run",
    title: "Run",
    group: "Run",
    keys: ["Mod+Enter"],
    whileTyping: true,
    run: () => void startRuns(useUi.getState().count),
  },
  {
    id: "run-node",
    title: "Run up to here",
    group: "Run",
    menu: "node",
    run: () => void startRuns(1, selected()),
  },
  {
    id: "cancel",
    title: "Cancel the run",
    group: "Run",
    keys: ["Mod+Alt+Enter"],
    whileTyping: true,
    run: () => void cancelRun(),
  },
  { id: "cancel-all", title: "Cancel every run", group: "Run", run: () => void cancelAll() },

  {
    id: "undo",
    title: "Undo",
    group: "Edit",
    keys: ["Mod+Z"],
    menu: "canvas",
    run: () => useDocuments.getState().undo(),
  },
  {
    id: "redo",
    title: "Redo",
    group: "Edit",
    keys: ["Mod+Shift+Z", "Mod+Y"],
    menu: "canvas",
    run: () => useDocuments.getState().redo(),
  },
  {
    id: "cut",
    title: "Cut",
    group: "Edit",
    keys: ["Mod+X"],
    native: true,
    menu: "node",
    run: () => void cutSelected(),
  },
  {
    id: "copy",
    title: "Copy",
    group: "Edit",
    keys: ["Mod+C"],
    native: true,
    menu: "node",
    run: () => void copySelected(),
  },
  {
    id: "paste",
    title: "Paste",
    group: "Edit",
    keys: ["Mod+V"],
    native: true,
    menu: "both",
    run: () => void pasteHere(),
  },
  {
    id: "duplicate",
    title: "Duplicate",
    group: "Edit",
    keys: ["Mod+D"],
    menu: "node",
    run: duplicateSelected,
  },
  {
    id: "delete",
    title: "Delete",
    group: "Edit",
    keys: ["Delete", "Backspace"],
    menu: "node",
    run: deleteSelected,
  },
  {
    id: "select-all",
    title: "Select all",
    group: "Edit",
    keys: ["Mod+A"],
    menu: "canvas",
    run: () => useView.getState().select(Object.keys(activeWorkflow().nodes)),
  },

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
    menu: "node",
    run: () => ui({ renaming: selected()[0] ?? null }),
  },
  {
    id: "mute",
    title: "Mute: leave it out",
    group: "Nodes",
    keys: ["M"],
    menu: "node",
    run: () => toggleMode("mute"),
  },
  {
    id: "bypass",
    title: "Bypass: pass wires through",
    group: "Nodes",
    keys: ["B"],
    menu: "node",
    run: () => toggleMode("bypass"),
  },
  {
    id: "fold",
    title: "Fold or unfold",
    group: "Nodes",
    keys: ["H"],
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

  { id: "new", title: "New workflow", group: "Workflow", keys: ["Alt+N"], run: newWorkflow },
  {
    id: "open",
    title: "Open a file…",
    group: "Workflow",
    keys: ["Mod+O"],
    whileTyping: true,
    run: chooseFile,
  },
  { id: "save", title: "Save", group: "Workflow", keys: ["Mod+S"], whileTyping: true, run: save },
  {
    id: "save-as",
    title: "Save as…",
    group: "Workflow",
    keys: ["Mod+Shift+S"],
    whileTyping: true,
    run: askName,
  },
  { id: "download", title: "Download as JSON", group: "Workflow", run: download },
  {
    id: "close",
    title: "Close the tab",
    group: "Workflow",
    keys: ["Alt+W"],
    run: () => closeDocument(activeDocument(useDocuments.getState()).id),
  },

  {
    id: "fit",
    title: "Show everything",
    group: "View",
    keys: ["F", "Mod+0"],
    menu: "canvas",
    run: () => void fitAll(),
  },
  {
    id: "show-selected",
    title: "Show what is selected",
    group: "View",
    keys: ["Shift+F"],
    menu: "node",
    run: () => show(selected()),
  },
  { id: "zoom-in", title: "Zoom in", group: "View", keys: ["+", "="], run: () => zoomBy(1.25) },
  { id: "zoom-out", title: "Zoom out", group: "View", keys: ["-"], run: () => zoomBy(0.8) },
  { id: "zoom-1", title: "Zoom to 100 %", group: "View", keys: ["1"], run: () => zoomTo(1) },
  {
    id: "left-panel",
    title: "Left panel",
    group: "View",
    keys: ["["],
    run: () => ui((state) => ({ left: state.left ? null : "library" })),
  },
  {
    id: "right-panel",
    title: "Right panel",
    group: "View",
    keys: ["]"],
    run: () => ui((state) => ({ right: state.right ? null : "gallery" })),
  },
  {
    id: "memory",
    title: "Memory: what is loaded",
    group: "View",
    keys: ["Shift+M"],
    menu: "canvas",
    run: () => ui((state) => ({ right: state.right === "memory" ? null : "memory" })),
  },
  {
    id: "free-memory",
    title: "Free all models",
    group: "View",
    menu: "canvas",
    run: () => void freeMemory(),
  },
  {
    id: "theme",
    title: "Light, dark, or as the system",
    group: "View",
    run: () => {
      setTheme(nextTheme(useUi.getState().theme));
    },
  },
  {
    id: "patterns",
    title: "Letter codes on wires",
    group: "View",
    menu: "canvas",
    run: () => setPatterns(!useUi.getState().patterns),
  },
  {
    id: "help",
    title: "Keyboard shortcuts",
    group: "View",
    keys: ["?"],
    run: () => ui((state) => ({ help: !state.help })),
  },
  {
    id: "escape",
    title: "Close, or select nothing",
    group: "View",
    keys: ["Escape"],
    whileTyping: true,
    run: () => {
      if (closeTop()) return true;
      const view = useView.getState();
      if (view.selected.size + view.selectedWires.size === 0) return false;
      view.select([]);
      return true;
    },
  },
];

/** Away from the system's first, so that every press is seen. */
function nextTheme(theme: Theme): Theme {
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const [same, other] = dark ? (["dark", "light"] as const) : (["light", "dark"] as const);
  return theme === "system" ? other : theme === other ? same : "system";
}

export function command(id: string): Command {
  const found = COMMANDS.find((entry) => entry.id === id);
  if (!found) throw new Error(`There is no command "${id}".`);
  return found;
}
