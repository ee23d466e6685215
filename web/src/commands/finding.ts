/** Commands of the group "Go" that look for something: the palette, and finding on the canvas. */

import { ui } from "../store/ui";
import type { Command } from "./command";
import { t } from "../i18n/t";

export const FINDING: readonly Command[] = [
  {
    id: "palette",
    title: t("Search everything"),
    group: "Go",
    keys: ["Mod+K"],
    whileTyping: true,
    menu: "canvas",
    run: () => ui({ palette: { mode: "all" } }),
  },
  {
    id: "find",
    title: t("Find on the canvas"),
    group: "Go",
    keys: ["Mod+F"],
    whileTyping: true,
    menu: "canvas",
    run: () => ui({ palette: { mode: "canvas" } }),
  },
];
