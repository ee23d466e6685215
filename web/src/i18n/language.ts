/** Which language the page speaks. To add one, add a row and its file. */

import { speak, type Table } from "./t";

interface Language {
  /** Its own name for itself. */
  title: string;
  load?: () => Promise<{ default: Table }>;
}

export const LANGUAGES: Readonly<Record<string, Language>> = {
  en: { title: "English" }, // the texts in the source
  de: { title: "Deutsch", load: () => import("./de.json") },
};

const KEY = "latent-loom.language";

/** The language that was chosen, else the first of the browser's that is here, else English. */
export function language(): string {
  if (typeof localStorage === "undefined") return "en";
  const wanted = [localStorage.getItem(KEY) ?? "", ...navigator.languages];
  const known = wanted.map((tag) => tag.split("-")[0] ?? "").find((tag) => LANGUAGES[tag]);
  return known ?? "en";
}

/** Load the language's texts; without them (the file did not come) the page speaks English. */
export async function beginLanguage(): Promise<void> {
  const chosen = language();
  const loaded = await LANGUAGES[chosen]?.load?.().catch(() => null);
  if (loaded) speak(loaded.default);
  document.documentElement.lang = loaded ? chosen : "en";
}

/** Speak another language: texts are made as modules begin, so the page begins anew. */
export function chooseLanguage(chosen: string): void {
  localStorage.setItem(KEY, chosen);
  location.reload();
}
