/** Commands of the group "View": what is seen, and how. */

import { leaveUnlessTyping } from "../store/levels";
import { fitAll, show, zoomBy, zoomTo } from "../canvas/instance";
import { freeMemory } from "../store/memory";
import { closeTop, setPatterns, setTheme, type Theme, ui, useUi } from "../store/ui";
import { useView } from "../store/view";
import { selected } from "./actions";
import type { Command } from "./command";
import { t } from "../i18n/t";

/** A panel at the left or right, and the key that opens and closes it. */
const PANELS = (
  [
    ["N", "left", "library", t("Nodes")],
    ["W", "left", "workflows", t("Workflows")],
    ["M", "left", "models", t("Models")],
    ["Q", "right", "queue", t("Queue")],
  ] as const
).map(([key, side, panel, title]): Command => {
  const toggle = () => ui((state) => ({ [side]: state[side] === panel ? null : panel }));
  return {
    id: `panel-${panel}`,
    title: t("{title} panel", { title }),
    group: "View",
    keys: [key],
    run: toggle,
  };
});

export const VIEW: readonly Command[] = [
  {
    id: "fit",
    title: t("Show everything"),
    group: "View",
    keys: [".", "Mod+0"],
    menu: "canvas",
    run: () => void fitAll(),
  },
  {
    id: "show-selected",
    title: t("Show what is selected"),
    group: "View",
    keys: ["Shift+F"],
    menu: "node",
    run: () => show(selected()),
  },
  {
    id: "zoom-in",
    title: t("Zoom in"),
    group: "View",
    keys: ["+", "=", "Alt+="],
    run: () => zoomBy(1.25),
  },
  {
    id: "zoom-out",
    title: t("Zoom out"),
    group: "View",
    keys: ["-", "Alt+-"],
    run: () => zoomBy(0.8),
  },
  { id: "zoom-1", title: t("Zoom to 100 %"), group: "View", keys: ["1"], run: () => zoomTo(1) },
  {
    id: "focus",
    title: t("Focus: hide or show the panels"),
    group: "View",
    keys: ["F"],
    run: () =>
      ui(({ left, right }) =>
        left || right ? { left: null, right: null } : { left: "library", right: "gallery" },
      ),
  },
  ...PANELS,
  {
    id: "left-panel",
    title: t("Left panel"),
    group: "View",
    keys: ["["],
    run: () => ui((state) => ({ left: state.left ? null : "library" })),
  },
  {
    id: "right-panel",
    title: t("Right panel"),
    group: "View",
    keys: ["]"],
    run: () => ui((state) => ({ right: state.right ? null : "gallery" })),
  },
  {
    id: "gallery",
    title: t("All pictures"),
    group: "View",
    keys: ["Shift+G"],
    menu: "canvas",
    run: () => ui({ sheet: { kind: "gallery" } }),
  },
  {
    id: "memory",
    title: t("Memory: what is loaded"),
    group: "View",
    keys: ["Shift+M"],
    menu: "canvas",
    run: () => ui((state) => ({ right: state.right === "memory" ? null : "memory" })),
  },
  {
    id: "free-memory",
    title: t("Free all models"),
    group: "View",
    menu: "canvas",
    run: () => void freeMemory(),
  },
  {
    id: "settings",
    title: t("Settings…"),
    group: "View",
    keys: ["Mod+,"],
    whileTyping: true,
    run: () => ui({ sheet: { kind: "settings" } }),
  },
  {
    id: "theme",
    title: t("Light, dark, or as the system"),
    group: "View",
    run: () => {
      setTheme(nextTheme(useUi.getState().theme));
    },
  },
  {
    id: "patterns",
    title: t("Letter codes on wires"),
    group: "View",
    menu: "canvas",
    run: () => setPatterns(!useUi.getState().patterns),
  },
  {
    id: "help",
    title: t("Keyboard shortcuts"),
    group: "View",
    keys: ["?"],
    run: () => ui((state) => ({ help: !state.help })),
  },
  {
    id: "escape",
    title: t("Close, or select nothing"),
    group: "View",
    keys: ["Escape"],
    whileTyping: true,
    run: () => {
      if (closeTop()) return true;
      const view = useView.getState();
      if (view.selected.size + view.selectedWires.size === 0) return leaveUnlessTyping();
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
