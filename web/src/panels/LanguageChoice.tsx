/** The choice of the page's language. */

import { chooseLanguage, language, LANGUAGES } from "../i18n/language";
import { t } from "../i18n/t";

export function LanguageChoice() {
  return (
    <select
      className="field language-choice"
      aria-label={t("Language")}
      data-test="language"
      value={language()}
      onChange={(event) => chooseLanguage(event.target.value)}
    >
      {Object.entries(LANGUAGES).map(([id, { title }]) => (
        <option key={id} value={id} lang={id}>
          {title}
        </option>
      ))}
    </select>
  );
}
