/** The templates as pictures of what they make; a click opens one in a tab of its own. */

import { LayoutTemplate } from "lucide-react";
import { useCatalogue } from "../store/catalogue";
import { openTemplate } from "../store/files";
import { closeSheet, Sheet } from "./Sheet";
import { t } from "../i18n/t";

export default function Templates() {
  const templates = useCatalogue((state) => state.workflows.templates);
  return (
    <Sheet title={t("Templates")} name="templates">
      <p className="templates-lead">
        {t(
          "Each runs at once on the small model that ships here. Put your own model in its place.",
        )}
      </p>
      <ul className="templates">
        {templates.map(({ name, title, description, picture }) => (
          <li key={name}>
            <button
              type="button"
              className="template"
              data-template-card={name}
              onClick={() => {
                closeSheet();
                void openTemplate(name, title);
              }}
            >
              <span className="template-picture">
                {picture ? (
                  <img src={picture} alt="" loading="lazy" draggable={false} />
                ) : (
                  <LayoutTemplate size={32} aria-hidden="true" />
                )}
              </span>
              <span className="template-title">{title}</span>
              <span className="template-about">{description}</span>
            </button>
          </li>
        ))}
      </ul>
      {templates.length === 0 && <p className="empty">{t("No templates yet.")}</p>}
    </Sheet>
  );
}
