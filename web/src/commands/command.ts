/** What a command is: a record that gives its menu entry, its shortcut and its line in the help. */

import { t } from "../i18n/t";
import type { ContextMenu, MenuPlace } from "../store/ui";
import type { Point } from "../workflow/edits";

export type Group = "Run" | "Edit" | "Nodes" | "Go" | "Arrange" | "Workflow" | "View";

/** In the order in which menus and the help show them. */
export const GROUPS: readonly Group[] = [
  "Run",
  "Edit",
  "Nodes",
  "Go",
  "Arrange",
  "Workflow",
  "View",
];

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
  /** In whose context menus it is; "both" are a node's and the canvas's. */
  menu?: MenuPlace | "both" | readonly MenuPlace[];
  /** Whether a menu that opens now has it: it can do something with what is chosen. Absent: always. */
  fits?(): boolean;
  /**
   * `at` is the place on the canvas where its menu was opened, `menu` the menu. False leaves the page's focus and the rest of
   * the key press alone, where it has nothing to do.
   */
  run(at?: Point, menu?: ContextMenu): void | boolean;
}

export function isInMenu({ menu }: Command, place: MenuPlace): boolean {
  if (menu === "both") return place === "node" || place === "canvas";
  return typeof menu === "string" ? menu === place : (menu?.includes(place) ?? false);
}

const GROUP_TITLES: Record<Group, string> = {
  Run: t("Run"),
  Edit: t("Edit"),
  Nodes: t("Nodes"),
  Go: t("Go"),
  Arrange: t("Arrange"),
  Workflow: t("Workflow"),
  View: t("View"),
};

export const groupTitle = (group: Group): string => GROUP_TITLES[group];
