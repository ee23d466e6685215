/** What a person prefers on the canvas; remembered by the browser. */

import { create } from "zustand";

interface Settings {
  snapGrid: boolean;
  /** Dragged nodes catch on the edges and middles of others. */
  snapNodes: boolean;
  minimap: boolean;
}

const KEY = "latent-loom.settings";
const USUAL: Settings = { snapGrid: true, snapNodes: true, minimap: false };

function remembered(): Settings {
  if (typeof localStorage === "undefined") return USUAL;
  try {
    return { ...USUAL, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>) };
  } catch {
    return USUAL; // cut short, or another program's
  }
}

export const useSettings = create<Settings>()(remembered);

export function toggleSetting(name: keyof Settings): void {
  useSettings.setState((state) => ({ [name]: !state[name] }));
  localStorage.setItem(KEY, JSON.stringify(useSettings.getState()));
}
