/** Where one is inside subgraphs: the workflow, then each node that was entered. */

import { ChevronRight } from "lucide-react";
import { useCatalogue } from "../store/catalogue";
import { pathOf, useWhole } from "../store/documents";
import { goTo } from "../store/levels";
import { levelOf } from "../workflow/subgraphs";
import { titleOf } from "../workflow/model";
import { t } from "../i18n/t";

export function Breadcrumbs() {
  const document = useWhole((shown) => shown);
  const definitions = useCatalogue((state) => state.definitions);
  const path = pathOf(document);
  if (path.length === 0) return null;
  const names = path.map((id, depth) => {
    const node = levelOf(document.workflow, path.slice(0, depth)).nodes[id];
    return node ? titleOf(node, definitions[node.type]) : id;
  });
  return (
    <nav className="bar breadcrumbs" aria-label={t("Inside")} data-test="breadcrumbs">
      <button
        type="button"
        className="button button-quiet button-small"
        onClick={() => goTo([], path[0])}
      >
        {document.name}
      </button>
      {names.map((name, depth) => (
        <span key={path.slice(0, depth + 1).join("/")} className="breadcrumb">
          <ChevronRight size={14} aria-hidden="true" />
          <button
            type="button"
            className="button button-quiet button-small"
            aria-current={depth === path.length - 1 ? "location" : undefined}
            onClick={() => goTo(path.slice(0, depth + 1), path[depth + 1])}
          >
            {name}
          </button>
        </span>
      ))}
    </nav>
  );
}
