/** The searchable menu of nodes at the pointer; for a dropped wire only those that can take it. */

import { useEffect, useMemo, useState } from "react";
import type { NodeDefinition } from "../api/types";
import { insertOn, typesOn } from "../canvas/onWire";
import { addNodeOf } from "../canvas/place";
import { useCatalogue } from "../store/catalogue";
import { activeWorkflow, edit } from "../store/documents";
import { useListed } from "../store/library";
import { lastAnswer } from "../store/drag";
import { type NodeMenu as Menu, ui, useUi } from "../store/ui";
import { useView } from "../store/view";
import type { Point } from "../workflow/edits";
import { replaced, wiresKept } from "../workflow/rewire";
import { type Pick, PickList } from "../widgets/PickList";
import { KindIcon } from "./KindIcon";
import { categoryTitle, entriesOf } from "./Library";
import { plural, t } from "../i18n/t";

const WIDTH = 304;
const HEIGHT = 380;
const FOCUS_AFTER = 50; // milliseconds, in which the new node is drawn and measured

/** So that Tab goes on into the new node. */
function focusNode(id: string): void {
  const node = document.querySelector(`[data-node="${CSS.escape(id)}"]`);
  node?.closest<HTMLElement>(".react-flow__node")?.focus({ preventScroll: true });
}

/** A node type that fits, and the socket that it fits with. */
interface Fitting {
  type: string;
  socket: string;
  detail?: string;
  add(at: Point): string | null;
}

/** The node types that fit what the menu was opened for, best first; null while that is not known. */
function useFitting(menu: Menu): Fitting[] | null {
  const [fitting, setFitting] = useState<Fitting[] | null>(null);
  useEffect(() => {
    let mounted = true;
    void fittingOf(menu).then((found) => mounted && setFitting(found));
    return () => {
      mounted = false;
    };
  }, [menu]);
  return fitting;
}

async function fittingOf({ from, on, replacing }: Menu): Promise<Fitting[]> {
  if (replacing) return replacements(replacing);
  if (on) {
    return (await typesOn(on)).map((one) => ({
      type: one.type,
      socket: one.input,
      add: (at) => insertOn(on, one, at),
    }));
  }
  const answer = from && (await lastAnswer());
  return (answer?.types ?? []).flatMap(({ type, socket, ok }) =>
    ok ? [{ type, socket, add: (at: Point) => addNodeOf(type, at, from, socket) }] : [],
  );
}

/** Other types for a node, those that keep most of its wires first. */
function replacements(id: string): Fitting[] {
  const { definitions } = useCatalogue.getState();
  const workflow = activeWorkflow();
  const before = definitions[workflow.nodes[id]?.type ?? ""];
  if (!before) return [];
  const rank = (after: NodeDefinition) => wiresKept(workflow, id, before, after);
  return Object.values(definitions)
    .filter((after) => after.type !== before.type)
    .map((after) => ({ after, kept: rank(after) }))
    .sort((a, b) => b.kept - a.kept || a.after.title.localeCompare(b.after.title))
    .map(({ after, kept }) => ({
      type: after.type,
      socket: "",
      detail: kept ? plural(kept, "keeps one wire", "keeps {count} wires") : "",
      add: () => replaceBy(id, before, after),
    }));
}

function replaceBy(id: string, before: NodeDefinition, after: NodeDefinition): string {
  let fresh = id;
  edit((workflow) => {
    if (!workflow.nodes[id]) return workflow;
    const done = replaced(workflow, id, before, after);
    fresh = done.id;
    return done.workflow;
  });
  useView.getState().select([fresh]);
  return fresh;
}

function headingOf({ from, on, replacing }: Menu): string | null {
  if (replacing) return t("Exchange the node for");
  if (on) return t("Nodes that fit on this wire");
  return from && (from.side === "out" ? t("Nodes that take this") : t("Nodes that give this"));
}

export function NodeMenu() {
  const menu = useUi((state) => state.nodeMenu);
  return menu && <OpenMenu key={`${menu.screen.x},${menu.screen.y}`} menu={menu} />;
}

function OpenMenu({ menu }: { menu: Menu }) {
  const definitions = useListed();
  const fitting = useFitting(menu);
  const heading = headingOf(menu);
  const picks = useMemo((): Pick[] => {
    const all = entriesOf(definitions);
    if (!heading) {
      all.sort((a, b) => a.definition.category.localeCompare(b.definition.category));
      return all.map(({ definition, label, words }) => ({
        key: definition.type,
        label,
        words,
        icon: <KindIcon definition={definition} />,
        group: categoryTitle(definition.category),
      }));
    }
    return (fitting ?? []).flatMap(({ type, socket, detail }, index) => {
      const definition = definitions[type];
      if (!definition) return [];
      const sockets = menu.from?.side === "in" ? definition.outputs : definition.inputs;
      const title = sockets.find((s) => s.name === socket)?.title ?? socket;
      const icon = <KindIcon definition={definition} />;
      const label = definition.title;
      return [{ key: String(index), label, words: type, detail: detail ?? title, icon }];
    });
  }, [definitions, fitting, heading, menu.from]);

  const left = Math.max(8, Math.min(menu.screen.x, innerWidth - WIDTH - 8));
  const top = Math.max(8, Math.min(menu.screen.y, innerHeight - HEIGHT - 8));
  const close = () => ui({ nodeMenu: null });
  return (
    <>
      <div className="backdrop" onPointerDown={close} onContextMenu={(e) => e.preventDefault()} />
      <div className="popover node-menu" data-test="node-menu" style={{ left, top, width: WIDTH }}>
        {heading && <div className="popover-title">{heading}</div>}
        {heading && !fitting ? (
          <div className="empty">{t("Asking which nodes fit…")}</div>
        ) : (
          <PickList
            search
            picks={picks}
            placeholder={t("Search nodes")}
            label={t("Nodes")}
            empty={heading ? t("No node fits here.") : t("No node of that name.")}
            onPick={(key) => {
              close();
              const added = heading
                ? fitting?.[Number(key)]?.add(menu.at)
                : addNodeOf(key, menu.at);
              if (added) setTimeout(() => focusNode(added), FOCUS_AFTER);
            }}
          />
        )}
      </div>
    </>
  );
}
