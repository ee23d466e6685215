/** What a person can set about the page: how it looks, and how it tells that work is done. */

import type { ReactNode } from "react";
import { t } from "../i18n/t";
import { setDesktop, setSound, useAlerts } from "../store/alerts";
import { setPatterns, setTheme, type Theme, useUi } from "../store/ui";
import { HistoryLimits } from "./HistoryLimits";
import { LanguageChoice } from "./LanguageChoice";
import { Sheet } from "./Sheet";

interface SwitchProps {
  title: string;
  about: string;
  test: string;
  on: boolean;
  onChange(on: boolean): void;
}

function Switch({ title, about, test, on, onChange }: SwitchProps) {
  return (
    <div className="setting">
      <div>
        <div id={`setting-${test}`}>{title}</div>
        <div className="setting-about">{about}</div>
      </div>
      <button
        type="button"
        role="switch"
        aria-checked={on}
        aria-labelledby={`setting-${test}`}
        className="toggle"
        data-test={test}
        onClick={() => onChange(!on)}
      >
        <span className="toggle-knob" />
      </button>
    </div>
  );
}

const THEMES: readonly { theme: Theme; title: string }[] = [
  { theme: "system", title: t("As the system") },
  { theme: "light", title: t("Light") },
  { theme: "dark", title: t("Dark") },
];

function Themes() {
  const current = useUi((state) => state.theme);
  return (
    <div className="setting">
      <div id="setting-theme">{t("Colours")}</div>
      <div className="segments" role="radiogroup" aria-labelledby="setting-theme">
        {THEMES.map(({ theme, title }) => (
          <label key={theme}>
            <input
              type="radio"
              name="theme"
              checked={theme === current}
              data-test={`theme-${theme}`}
              onChange={() => setTheme(theme)}
            />
            <span>{title}</span>
          </label>
        ))}
      </div>
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

/** To add a setting, add it to its part. */
export default function Settings() {
  const patterns = useUi((state) => state.patterns);
  const { desktop, sound, refused } = useAlerts();
  return (
    <Sheet title={t("Settings")} name="settings">
      <Part title={t("Look")}>
        <Themes />
        <div className="setting">
          <div>{t("Language")}</div>
          <LanguageChoice />
        </div>
        <Switch
          title={t("Letter codes on wires")}
          about={t("Each wire says which latent space it carries, not by its colour alone.")}
          test="set-patterns"
          on={patterns}
          onChange={setPatterns}
        />
      </Part>
      <Part title={t("When a batch is done")}>
        <Switch
          title={t("Notification of the desktop")}
          about={t("The browser asks for permission when this is switched on.")}
          test="set-desktop"
          on={desktop}
          onChange={(on) => void setDesktop(on)}
        />
        {refused && (
          <p className="sheet-trouble" role="alert">
            {refused}
          </p>
        )}
        <Switch
          title={t("Sound")}
          about={t("Two soft notes, also while another window is in front.")}
          test="set-sound"
          on={sound}
          onChange={setSound}
        />
      </Part>
      <Part title={t("The past")}>
        <HistoryLimits />
      </Part>
    </Sheet>
  );
}
