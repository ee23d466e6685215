/** What a command is: a record that gives its menu entry, its shortcut and its line in the help. */

export type Group = "Run" | "Edit" | "Nodes" | "Workflow" | "View";

/** In the order in which menus and the help show them. */
export const GROUPS: readonly Group[] = ["Run", "Edit", "Nodes", "Workflow", "View"];

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
