/** Commands that choose the language of the page: a row of `i18n/language.ts` each. */

import { chooseLanguage, LANGUAGES } from "../i18n/language";
import type { Command } from "./command";

export const LANGUAGE: readonly Command[] = Object.entries(LANGUAGES).map(([id, { title }]) => ({
  id: `language-${id}`,
  title,
  group: "View",
  run: () => chooseLanguage(id),
}));
