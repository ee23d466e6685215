/** What a node that stands for a subgraph shows: its interface as a definition, as the server sees it. */

import type {
  InputDefinition,
  NodeDefinition,
  OutputDefinition,
  Subgraph,
  Term,
  WidgetDefinition,
  Workflow,
} from "../api/types";
import { type Definitions, socketBase } from "./model";
import { IN_TYPE, INPUTS, INSTANCE, NEW, OUT_TYPE, type Path, subgraphsOn } from "./subgraphs";
import { t } from "../i18n/t";

const ANY: Term = { kind: "Any", arguments: [] };
const DEEPEST = 50;
export const PACK = "workflow";

const input = (name: string, title: string, term = ANY): InputDefinition => ({
  name,
  title,
  description: "",
  term,
  optional: true,
  lazy: false,
  variadic: false,
  list: false,
});

const output = (name: string, title: string, term = ANY): OutputDefinition => ({
  name,
  title,
  description: "",
  term,
  list: false,
  part: null,
});

const bare = (type: string, title: string): NodeDefinition => ({
  type,
  version: 1,
  title,
  category: t("subgraphs"),
  description: "",
  pack: PACK,
  inputs: [],
  widgets: [],
  outputs: [],
  output: false,
  cache: true,
});

/** The definitions of the workflow's subgraphs, and those of the interface of the level that is shown. */
export function derived(workflow: Workflow, path: Path, served: Definitions): Definitions {
  const subgraphs = workflow.subgraphs ?? {};
  const made: Definitions = {};
  const making: string[] = [];
  const typed = (type: string): NodeDefinition | undefined => {
    if (!type.startsWith(INSTANCE)) return served[type];
    const id = type.slice(INSTANCE.length);
    const subgraph = subgraphs[id];
    if (!subgraph || making.includes(id) || making.length > DEEPEST) return undefined;
    if (!made[type]) {
      making.push(id);
      made[type] = definitionOf(id, subgraph, typed);
      making.pop();
    }
    return made[type];
  };
  for (const id of Object.keys(subgraphs)) typed(INSTANCE + id);
  const shown = subgraphsOn(workflow, path).at(-1);
  if (shown !== undefined) Object.assign(made, interfaceOf(made[INSTANCE + shown]));
  return made;
}

/** The two nodes that stand for the interface inside. */
function interfaceOf(definition: NodeDefinition | undefined): Definitions {
  const ins = definition?.inputs ?? [];
  const outs = definition?.outputs ?? [];
  return {
    [IN_TYPE]: {
      ...bare(IN_TYPE, t("Inputs")),
      outputs: [...ins.map((i) => output(i.name, i.title, i.term)), output(NEW, t("New input"))],
    },
    [OUT_TYPE]: {
      ...bare(OUT_TYPE, t("Outputs")),
      inputs: [...outs.map((o) => input(o.name, o.title, o.term)), input(NEW, t("New output"))],
    },
  };
}

type Typed = (type: string) => NodeDefinition | undefined;

function definitionOf(id: string, subgraph: Subgraph, typed: Typed): NodeDefinition {
  const inputs = Object.entries(subgraph.inputs).map(([name, shown]) =>
    inputOf(name, shown.title ?? "", subgraph, typed),
  );
  return {
    ...bare(INSTANCE + id, subgraph.title || id),
    description: subgraph.description ?? "",
    inputs,
    widgets: Object.entries(subgraph.widgets).flatMap(([name, shown]) =>
      widgetOf(name, shown, subgraph, typed),
    ),
    outputs: Object.entries(subgraph.outputs).map(([name, shown]) => {
      const passed = shown.node === INPUTS && inputs.find((one) => one.name === shown.output);
      if (passed) return output(name, shown.title || passed.title, passed.term);
      const inner = typed(subgraph.nodes[shown.node]?.type ?? "");
      const given = inner?.outputs.find((one) => one.name === shown.output);
      return { ...(given ?? output(name, name)), name, title: shown.title || given?.title || name };
    }),
    output: Object.values(subgraph.nodes).some((node) => typed(node.type)?.output),
  };
}

function inputOf(name: string, title: string, subgraph: Subgraph, typed: Typed): InputDefinition {
  const taken = Object.values(subgraph.nodes).flatMap((node) =>
    Object.entries(node.inputs).flatMap(([socket, wire]) => {
      if (wire.node !== INPUTS || wire.output !== name) return [];
      const inner = typed(node.type);
      const base = socketBase(socket);
      const found = inner?.inputs.find((one) => one.name === socket || one.name === base);
      const widget = inner?.widgets.find((one) => one.name === socket && one.wire);
      if (found) return [found];
      return widget?.wire ? [input(name, widget.title, { kind: widget.wire, arguments: [] })] : [];
    }),
  );
  const first = taken[0] ?? input(name, name);
  return {
    ...first,
    name,
    title: title || first.title,
    optional: taken.every((one) => one.optional),
    variadic: false,
    lazy: false,
  };
}

function widgetOf(
  name: string,
  shown: Subgraph["widgets"][string],
  subgraph: Subgraph,
  typed: Typed,
): WidgetDefinition[] {
  const node = subgraph.nodes[shown.node];
  const widget = typed(node?.type ?? "")?.widgets.find((one) => one.name === shown.name);
  if (!node || !widget || node.inputs[shown.name]) return [];
  const held = node.values[shown.name];
  return [
    {
      ...widget,
      name,
      title: shown.title || widget.title,
      default: held === undefined ? widget.default : held,
      required: widget.required && held === undefined,
    },
  ];
}
