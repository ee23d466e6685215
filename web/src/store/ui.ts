/** What the page itself shows: panels, menus, cards, sheets, the theme. */

import { create } from "zustand";
import type { Problem } from "../api/types";
import type { Point } from "../workflow/edits";
import type { Viewing } from "./viewer";

export type LeftPanel = "library" | "outline" | "workflows" | "models";
export type RightPanel = "gallery" | "queue" | "problems" | "memory";
export type Theme = "system" | "light" | "dark";

/** Where a wire began that was dropped on the empty canvas. */
export interface DragOrigin {
  node: string;
  socket: string;
  side: "in" | "out";
  /** The dot of a wire that it began at: the new wire passes through it, too. */
  via?: string;
}

export interface NodeMenu {
  /** Pixels in the window. */
  screen: Point;
  /** Pixels on the canvas. */
  at: Point;
  from: DragOrigin | null;
  /** The input of the wire that the node is put on. */
  on?: { node: string; socket: string };
  /** The node that is exchanged. */
  replacing?: string;
}

export interface ContextMenu {
  screen: Point;
  at: Point;
  /** The thing that was clicked, or null for the canvas and wires. */
  node: string | null;
  place: MenuPlace;
  /** The widget of it that was clicked. */
  widget?: string;
}

/** What a context menu is opened on. */
export type MenuPlace = "canvas" | "node" | "widget" | "wire" | "dot" | "group" | "note";

/** A refused drop: the sentence, and the ways out. */
export interface Refusal {
  screen: Point;
  problem: Pick<Problem, "message" | "because">;
  choices: { title: string; apply(): void }[];
}

export interface Notice {
  id: number;
  kind: "info" | "error";
  text: string;
  action?: NoticeAction;
  /** What it is about: a newer notice of the same topic takes its place. */
  topic?: string;
}

interface NoticeAction {
  title: string;
  run(): void;
}

/** What fills a sheet over the page; `panels/Sheets.tsx` has their contents. */
export type Sheet =
  | { kind: "run-values"; run: string; how: "edit" | "again" }
  | { kind: "templates" }
  | { kind: "versions" }
  | { kind: "node-help"; type: string }
  | { kind: "app" }
  | { kind: "inspect"; run: string; node: string; output: string }
  | { kind: "timeline"; run: string }
  | { kind: "painter"; node: string; widget: string; name: string; tool: "brush" | "crop" }
  | { kind: "batch" }
  | { kind: "gallery" }
  | { kind: "settings" }
  | { kind: "grid"; batch: string };

export interface UiState {
  left: LeftPanel | null;
  right: RightPanel | null;
  theme: Theme;
  patterns: boolean;
  /** How many runs the Run button queues. */
  count: number;
  nodeMenu: NodeMenu | null;
  contextMenu: ContextMenu | null;
  palette: Palette | null;
  refusal: Refusal | null;
  /** The socket whose wires and targets are listed. */
  socketCard: DragOrigin | null;
  help: boolean;
  sheet: Sheet | null;
  /** The pictures that are looked at large. */
  viewer: Viewing | null;
  /** The node whose title is being typed. */
  renaming: string | null;
  dialog: Dialog | null;
  notices: Notice[];
  /** A file hovers over the page. */
  dropping: boolean;
}

/** The command palette: what it looks through, and what is typed in it at first. */
export interface Palette {
  mode: "all" | "commands" | "canvas";
  query?: string;
}

export interface Dialog {
  title: string;
  text?: string;
  /** Where given, a text field with this in it. */
  value?: string;
  confirm: string;
  danger?: boolean;
  done(value: string): void;
}

function remembered<T extends string>(key: string, allowed: readonly T[], usual: T): T {
  const stored = typeof localStorage === "undefined" ? null : localStorage.getItem(key);
  return allowed.find((value) => value === stored) ?? usual;
}

export const useUi = create<UiState>()(() => ({
  // On a small window the workflow gets the room; panels are a click (or a double click) away.
  left: typeof innerWidth === "number" && innerWidth < 1600 ? null : "library",
  right: typeof innerWidth === "number" && innerWidth < 1100 ? null : "gallery",
  theme: remembered<Theme>("latent-loom.theme", ["system", "light", "dark"], "system"),
  patterns: remembered("latent-loom.patterns", ["on", "off"], "off") === "on",
  count: 1,
  nodeMenu: null,
  contextMenu: null,
  palette: null,
  refusal: null,
  socketCard: null,
  help: false,
  sheet: null,
  viewer: null,
  renaming: null,
  dialog: null,
  notices: [],
  dropping: false,
}));

export const ui = useUi.setState;

let noticeCount = 0;

/** Say something at the foot of the page; it leaves by itself, an error or a long sentence later. */
export function notify(
  kind: Notice["kind"],
  text: string,
  action?: NoticeAction,
  topic?: string,
): void {
  const id = ++noticeCount;
  if (topic) settle(topic);
  ui((state) => ({ notices: [...state.notices.slice(-2), { id, kind, text, action, topic }] }));
  const long = kind === "error" || text.length > 80; // takes longer to read
  setTimeout(() => dismiss(id), long ? 10_000 : 4_000);
}

/** Take away what was said about a topic that is no topic any more. */
export function settle(topic: string): void {
  const { notices } = useUi.getState();
  if (notices.some((notice) => notice.topic === topic))
    ui({ notices: notices.filter((notice) => notice.topic !== topic) });
}

export function dismiss(id: number): void {
  ui((state) => ({ notices: state.notices.filter((notice) => notice.id !== id) }));
}

export function setTheme(theme: Theme): void {
  localStorage.setItem("latent-loom.theme", theme);
  ui({ theme });
}

export function setPatterns(patterns: boolean): void {
  localStorage.setItem("latent-loom.patterns", patterns ? "on" : "off");
  ui({ patterns });
}

/** Close whatever lies on top, one at a time; false where nothing did. */
export function closeTop(): boolean {
  const state = useUi.getState();
  const open = (
    ["palette", "dialog", "nodeMenu", "contextMenu", "socketCard", "refusal", "viewer"] as const
  ).find((key) => state[key]);
  if (open) ui({ [open]: null });
  else if (state.sheet) ui({ sheet: null });
  else if (state.help) ui({ help: false });
  else return false;
  return true;
}
