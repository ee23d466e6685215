/** Shortcuts as text ("Mod+Shift+Z"): matching a key press, and writing them for people. */

import { t } from "../i18n/t";

export interface KeyPress {
  key: string;
  code?: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

const MAC = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.userAgent);

/** Does the press mean the shortcut? "Mod" is Command on a Mac and Control elsewhere. */
export function matches(shortcut: string, press: KeyPress, mac = MAC): boolean {
  const parts = shortcut.split("+");
  const key = parts.at(-1) || "+"; // "Mod++" ends in an empty part
  const wants = (name: string) => parts.slice(0, -1).includes(name);
  const mod = mac ? press.metaKey : press.ctrlKey;
  const other = mac ? press.ctrlKey : press.metaKey;
  if (wants("Mod") !== mod || other || wants("Alt") !== press.altKey) return false;
  const letter = /^[a-z]$/i.test(key) || key.length > 1;
  // The shift of "?" or "+" belongs to the character itself.
  if ((letter || wants("Shift")) && wants("Shift") !== press.shiftKey) return false;
  return press.key.toLowerCase() === key.toLowerCase();
}

const SYMBOLS: Record<string, string> = {
  Mod: MAC ? "⌘" : t("Ctrl"),
  Shift: MAC ? "⇧" : t("Shift"),
  Alt: MAC ? "⌥" : "Alt",
  Backspace: t("Backspace"),
  Enter: t("Enter"),
  Escape: "Esc",
  Delete: t("Del"),
  " ": t("Space bar"),
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
};

/** The shortcut's keys as they are printed on a keyboard. */
export function keysOf(shortcut: string): string[] {
  const parts = shortcut.split("+");
  if (parts.at(-1) === "") parts.splice(-2, 2, "+");
  return parts.map((part) => SYMBOLS[part] ?? (part.length === 1 ? part.toUpperCase() : part));
}
