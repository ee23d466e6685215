/** Where a wire may go in what is shown: the server knows nodes, the page knows the interface around them. */

import { api } from "../api/client";
import type { Target, TargetsAnswer, Workflow } from "../api/types";
import { kindOf } from "../workflow/sockets";
import {
  changed,
  INPUTS,
  isInterface,
  levelOf,
  NEW,
  OUTPUTS,
  prefixOf,
} from "../workflow/subgraphs";
import { kindName } from "../i18n/kinds";
import { definitions } from "./catalogue";
import { activeDocument, activeWorkflow, type Change, pathOf, useDocuments } from "./documents";
import type { DragOrigin } from "./ui";
import { t } from "../i18n/t";

type End = { output: string } | { input: string };

export async function targetsAtLevel(
  from: DragOrigin,
  end: End,
  first: Change = (workflow) => workflow,
): Promise<TargetsAnswer> {
  const document = activeDocument(useDocuments.getState());
  const path = pathOf(document);
  const around = isInterface(from.node) ? outside(document.workflow, path, from) : null;
  if (isInterface(from.node) && !around) return byKind(from);
  const asked = around ?? { node: prefixOf(path) + from.node, ...end };
  const answer = await api.targets(changed(document.workflow, path, first), asked as never);
  const prefix = prefixOf(path);
  const here = answer.targets.flatMap((target) => {
    const node = target.node.startsWith(prefix) ? target.node.slice(prefix.length) : null;
    return node !== null && node in activeWorkflow().nodes ? [{ ...target, node }] : [];
  });
  return { types: answer.types, targets: [...here, ...atInterface(from)] };
}

/** The output outside that feeds an input of the interface, as the server names it; null where none does. */
function outside(workflow: Workflow, path: readonly string[], from: DragOrigin) {
  let { node, socket } = from;
  for (let depth = path.length; depth > 0 && node === INPUTS; depth--) {
    const wire = levelOf(workflow, path.slice(0, depth - 1)).nodes[path[depth - 1] as string]
      ?.inputs[socket];
    if (!wire) return null;
    ({ node, output: socket } = wire);
    if (node !== INPUTS) return { node: prefixOf(path.slice(0, depth - 1)) + node, output: socket };
  }
  return null;
}

function kind(node: string, socket: string, side: "in" | "out"): string {
  return kindOf(definitions()[activeWorkflow().nodes[node]?.type ?? ""], socket, side);
}

const suits = (one: string, other: string) => one === other || one === "Any" || other === "Any";

/** The sockets of the interface: a new one takes everything, another what it is for. */
function atInterface(from: DragOrigin): Target[] {
  const { nodes } = activeWorkflow();
  const id = from.side === "out" ? OUTPUTS : INPUTS;
  const definition = definitions()[nodes[id]?.type ?? ""];
  if (!definition || from.node === INPUTS) return [];
  const sockets = from.side === "out" ? definition.inputs : definition.outputs;
  const dragged = kind(from.node, from.socket, from.side);
  return sockets.map(({ name, term }) => ({
    node: id,
    socket: name,
    ok: name === NEW || suits(term.kind, dragged),
    ...(name === NEW || suits(term.kind, dragged)
      ? {}
      : { reason: t("This is for {kind}.", { kind: kindName(term.kind) }) }),
  }));
}

/** Every socket of the kind, where nothing outside says more of it. */
function byKind(from: DragOrigin): TargetsAnswer {
  const dragged = kind(from.node, from.socket, from.side);
  const targets = Object.entries(activeWorkflow().nodes).flatMap(([node, { type }]) => {
    const definition = definitions()[type];
    if (!definition || isInterface(node)) return [];
    const sockets =
      from.side === "out"
        ? definition.inputs.map((i) => [i.variadic ? freeName(node, i.name) : i.name, i.term.kind])
        : definition.outputs.map((o) => [o.name, o.term.kind]);
    const widgets =
      from.side === "out"
        ? definition.widgets.flatMap((w) => (w.wire ? [[w.name, w.wire]] : []))
        : [];
    return [...sockets, ...widgets].map(([socket = "", found = ""]) => ({
      node,
      socket,
      ok: suits(found, dragged),
    }));
  });
  return { targets, types: [] };
}

/** The free socket of a variadic input. */
function freeName(node: string, base: string): string {
  const wired = Object.keys(activeWorkflow().nodes[node]?.inputs ?? {});
  for (let number = 0; ; number++)
    if (!wired.includes(`${base}.${number}`)) return `${base}.${number}`;
}
