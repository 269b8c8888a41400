// Language, theme, other devices, what is stored.

import { useId } from "react";
import { LANGUAGES, type Language, remember, speak, t, useLanguage } from "@/i18n";
import "@/i18n/en";
import { THEMES, setTheme, useTheme } from "@/ui/theme";
import { Devices } from "./Devices";
import { Stored } from "./Stored";
import styles from "./settings.module.css";

/** Each in its own language. */
const NAMES: Readonly<Record<Language, string>> = { en: "English", de: "Deutsch" };

export default function SettingsView({ onDeletedAll }: { onDeletedAll: () => void }) {
  const id = useId();
  const language = useLanguage();
  const theme = useTheme();
  return (
    <main className={`page ${styles.settings}`}>
      <h1>{t("nav.settings")}</h1>
      <section className="card" aria-labelledby={`${id}-look`}>
        <h2 id={`${id}-look`}>{t("settings.look")}</h2>
        <div className={styles.pair}>
          <div>
            <label htmlFor={`${id}-language`}>{t("settings.language")}</label>
            <select
              id={`${id}-language`}
              value={language}
              onChange={(event) => {
                const wanted = LANGUAGES.find((known) => known === event.target.value);
                if (wanted === undefined) return;
                remember(wanted);
                void speak(wanted);
              }}
            >
              {LANGUAGES.map((known) => (
                <option key={known} value={known} lang={known}>
                  {NAMES[known]}
                </option>
              ))}
            </select>
          </div>
          <div>
            <label htmlFor={`${id}-theme`}>{t("settings.theme")}</label>
            <select
              id={`${id}-theme`}
              value={theme}
              onChange={(event) => {
                const wanted = THEMES.find((known) => known === event.target.value);
                if (wanted !== undefined) setTheme(wanted);
              }}
            >
              {THEMES.map((known) => (
                <option key={known} value={known}>
                  {t(`settings.theme.${known}`)}
                </option>
              ))}
            </select>
          </div>
        </div>
      </section>
      <Devices />
      <Stored onDeletedAll={onDeletedAll} />
    </main>
  );
}
