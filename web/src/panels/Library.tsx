/** Every node there is, by category: dragged onto the canvas, or added with a click. */

import { ChevronDown, ChevronRight, Search, Trash2 } from "lucide-react";
import { memo, useMemo, useState } from "react";
import type { NodeDefinition } from "../api/types";
import { NODE_MIME } from "../canvas/Canvas";
import { middle } from "../canvas/instance";
import { addNodeOf } from "../canvas/place";
import { useCatalogue } from "../store/catalogue";
import { importSubgraph, LIBRARY, removeKept, useListed } from "../store/library";
import { PACK } from "../workflow/interface";
import { ranked } from "../widgets/search";
import { KindIcon } from "./KindIcon";
import { t } from "../i18n/t";

export interface Entry {
  definition: NodeDefinition;
  label: string;
  words: string;
}

export function entriesOf(definitions: Record<string, NodeDefinition>): Entry[] {
  return Object.values(definitions)
    .map((definition) => ({
      definition,
      label: definition.title,
      words: [
        definition.type,
        definition.original,
        definition.category,
        definition.description,
        definition.pack,
      ].join(" "),
    }))
    .sort((a, b) => a.label.localeCompare(b.label));
}

export function categoryTitle(category: string): string {
  const words = (category || t("other"))
    .replace(/[_/]/g, " ")
    .replace(/\b(vae|clip)\b/g, (w) => w.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const Item = memo(function Item({ definition }: { definition: NodeDefinition }) {
  const item = (
    <button
      type="button"
      className="library-item"
      draggable
      title={definition.description}
      data-library={definition.type}
      onClick={() => addNodeOf(definition.type, middle())}
      onDragStart={(event) => {
        event.dataTransfer.setData(NODE_MIME, definition.type);
        event.dataTransfer.effectAllowed = "copy";
      }}
    >
      <KindIcon definition={definition} />
      <span className="library-name">{definition.title}</span>
      {definition.pack !== "core" && definition.pack !== PACK && (
        <span className="badge">{definition.pack}</span>
      )}
    </button>
  );
  if (!definition.type.startsWith(LIBRARY)) return item;
  return (
    <div className="list-row">
      {item}
      <button
        type="button"
        className="icon-button list-action"
        aria-label={t("Delete {title} from the library", { title: definition.title })}
        title={t("Delete from the library")}
        onClick={() => removeKept(definition.title)}
      >
        <Trash2 size={14} />
      </button>
    </div>
  );
});

function Category({ name, entries }: { name: string; entries: Entry[] }) {
  const [open, setOpen] = useState(true);
  return (
    <section>
      <button
        type="button"
        className="panel-section"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {open ? <ChevronDown size={14} /> : <ChevronRight size={14} />}
        {categoryTitle(name)}
        <span className="panel-count">{entries.length}</span>
      </button>
      {open &&
        entries.map(({ definition }) => <Item key={definition.type} definition={definition} />)}
    </section>
  );
}

export function Library() {
  const definitions = useListed();
  const ready = useCatalogue((state) => state.ready);
  const packs = useCatalogue((state) => state.packs);
  const [query, setQuery] = useState("");
  const entries = useMemo(() => entriesOf(definitions), [definitions]);
  const found = ranked(entries, query);
  const categories = byCategory(found);
  const broken = packs.filter((pack) => pack.error);
  return (
    <>
      <label className="panel-search">
        <Search size={14} aria-hidden="true" />
        <input
          value={query}
          placeholder={t("Search nodes")}
          aria-label={t("Search nodes")}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && found[0]) addNodeOf(found[0].definition.type, middle());
          }}
        />
      </label>
      <div className="panel-scroll" data-test="library">
        {broken.map((pack) => (
          <div key={pack.name} className="problem" data-severity="warning">
            <p>
              <span>
                {t("The pack “{name}” could not be loaded: {error}", {
                  name: pack.name,
                  error: pack.error,
                })}
              </span>
            </p>
          </div>
        ))}
        {query
          ? found.map(({ definition }) => <Item key={definition.type} definition={definition} />)
          : [...categories].map(([name, list]) => (
              <Category key={name} name={name} entries={list} />
            ))}
        {!ready && (
          <div className="empty">
            {t("The nodes are being loaded. The canvas can be used already.")}
          </div>
        )}
        {ready && found.length === 0 && (
          <div className="empty">
            {t("No node fits “{query}”. Try the name of what it makes, such as “image”.", {
              query,
            })}
          </div>
        )}
        {!query && (
          <button
            type="button"
            className="button panel-button"
            data-command="import-subgraph"
            onClick={importSubgraph}
          >
            {t("Add a subgraph from a file to the library…")}
          </button>
        )}
      </div>
    </>
  );
}

function byCategory(entries: Entry[]): Map<string, Entry[]> {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const name = entry.definition.category || "other";
    groups.set(name, [...(groups.get(name) ?? []), entry]);
  }
  return groups;
}
