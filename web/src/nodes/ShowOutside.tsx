/** Inside a subgraph, beside a widget: whether it is shown outside, too. */

import { Pin, PinOff } from "lucide-react";
import { editWhole, pathOf, useWhole } from "../store/documents";
import { shownAs, toggleShown } from "../workflow/exposing";
import { subgraphsOn } from "../workflow/subgraphs";
import { t } from "../i18n/t";

export function ShowOutside({ node, name, title }: { node: string; name: string; title: string }) {
  const id = useWhole((document) => subgraphsOn(document.workflow, pathOf(document)).at(-1));
  const shown = useWhole(
    (document) => shownAs(document.workflow.subgraphs?.[id ?? ""], node, name) !== null,
  );
  if (id === undefined) return null;
  const Icon = shown ? PinOff : Pin;
  const what = shown
    ? t("Show {title} inside only", { title })
    : t("Show {title} outside, too", { title });
  return (
    <button
      type="button"
      className="icon-button show-outside nodrag"
      aria-pressed={shown}
      aria-label={what}
      title={what}
      data-expose={name}
      onClick={() => editWhole((workflow) => toggleShown(workflow, id, node, name))}
    >
      <Icon size={12} />
    </button>
  );
}
