/** The command palette: every command, node type, node on the canvas and workflow, found by a few letters. */

import { useFocusInside } from "./Sheet";
import { t } from "../i18n/t";
import { CornerDownLeft, FileText, LayoutTemplate, StickyNote } from "lucide-react";
import { useMemo } from "react";
import { middle, show } from "../canvas/instance";
import { addNodeOf } from "../canvas/place";
import { type Command, type Group, GROUPS } from "../commands/command";
import { command, COMMANDS } from "../commands/list";
import { useCatalogue } from "../store/catalogue";
import { useActive, useDocuments } from "../store/documents";
import { openSaved, openTemplate } from "../store/files";
import { type Palette as Open, ui, useUi } from "../store/ui";
import { useView } from "../store/view";
import { titleOf } from "../workflow/model";
import { thing } from "../workflow/things";
import { type Pick, PickList } from "../widgets/PickList";
import { KindIcon } from "./KindIcon";
import { categoryTitle, entriesOf } from "./Library";
import { Keys } from "./Menus";

const MOST = 60; // picks that are shown at once

const PLACEHOLDERS = {
  all: t("Search commands, nodes, workflows"),
  commands: t("Search commands"),
  canvas: t("Find on the canvas"),
} as const;

/** The palette's own command would only open it anew. */
const isListed = ({ id }: Command) => id !== "palette" && id !== "escape";

function commandPicks(): Pick[] {
  const order = (group: Group) => GROUPS.indexOf(group);
  const listed = COMMANDS.filter(isListed).sort((a, b) => order(a.group) - order(b.group));
  return listed.map(({ id, title, group, keys }) => ({
    key: `command ${id}`,
    label: title,
    words: `${group} ${id}`,
    detail: keys?.[0] && <Keys shortcut={keys[0]} />,
    group: t(group),
  }));
}

/** Nodes and notes of the open workflow, found by their titles, types and texts. */
function useCanvasPicks(): Pick[] {
  const workflow = useActive((document) => document.workflow);
  const definitions = useCatalogue((state) => state.definitions);
  return useMemo(() => {
    const group = t("On the canvas");
    const nodes = Object.entries(workflow.nodes).map(([id, node]): Pick => {
      const definition = definitions[node.type];
      const texts = Object.values(node.values).filter((value) => typeof value === "string");
      return {
        key: `go ${id}`,
        label: titleOf(node, definition),
        words: [id, definition?.title ?? node.type, ...texts].join(" "),
        detail: node.title ? (definition?.title ?? node.type) : t("on the canvas"),
        icon: definition && <KindIcon definition={definition} />,
        group,
      };
    });
    const groups = workflow.groups.map(({ id, title }): Pick => ({
      key: `go ${thing("group", id)}`,
      label: title || t("Group"),
      detail: t("group"),
      icon: <CornerDownLeft size={14} aria-hidden="true" />,
      group,
    }));
    const notes = workflow.notes.map(({ id, text }): Pick => ({
      key: `go ${thing("note", id)}`,
      label: text.split("\n")[0]?.replace(/^[#\s]+/, "") || t("Note"),
      words: text,
      detail: t("note"),
      icon: <StickyNote size={14} aria-hidden="true" />,
      group,
    }));
    return [...nodes, ...groups, ...notes];
  }, [workflow, definitions]);
}

function useNodePicks(): Pick[] {
  const definitions = useCatalogue((state) => state.definitions);
  return useMemo(
    () =>
      entriesOf(definitions).map(({ definition, label, words }) => ({
        key: `add ${definition.type}`,
        label,
        words: `add ${words}`,
        detail: t("add, {category}", { category: categoryTitle(definition.category) }),
        icon: <KindIcon definition={definition} />,
        group: t("Add a node"),
      })),
    [definitions],
  );
}

function useWorkflowPicks(): Pick[] {
  const { templates, saved } = useCatalogue((state) => state.workflows);
  const documents = useDocuments((state) => state.documents);
  const pick = (key: string, label: string, detail: string, Icon = FileText): Pick => ({
    key,
    label,
    detail,
    words: `open workflow ${detail}`,
    icon: <Icon size={14} aria-hidden="true" />,
    group: t("Workflows"),
  });
  return [
    ...documents.map(({ id, name }) => pick(`tab ${id}`, name, t("open tab"))),
    ...saved.map(({ name }) => pick(`saved ${name}`, name, t("saved workflow"))),
    ...templates.map(({ name, title }) =>
      pick(`template ${name}`, title, t("template"), LayoutTemplate),
    ),
  ];
}

function goTo(name: string): void {
  useView.getState().select([name]);
  show([name]);
}

function carryOut(key: string): void {
  const at = key.indexOf(" ");
  const [what, name] = [key.slice(0, at), key.slice(at + 1)];
  ui({ palette: null });
  switch (what) {
    case "command":
      return void command(name).run();
    case "add":
      return void addNodeOf(name, middle());
    case "go":
      return goTo(name);
    case "tab":
      return useDocuments.getState().activate(name);
    case "saved":
      return void openSaved(name);
    case "template": {
      const { templates } = useCatalogue.getState().workflows;
      return void openTemplate(name, templates.find((one) => one.name === name)?.title);
    }
  }
}

export default function Palette() {
  const palette = useUi((state) => state.palette);
  return palette && <OpenPalette key={palette.mode} palette={palette} />;
}

function OpenPalette({ palette: { mode, query } }: { palette: Open }) {
  const canvas = useCanvasPicks();
  const nodes = useNodePicks();
  const workflows = useWorkflowPicks();
  const commands = useMemo(commandPicks, []);
  const inside = useFocusInside();
  const picks = {
    all: [...commands, ...canvas, ...nodes, ...workflows],
    commands,
    canvas,
  }[mode];
  return (
    <div className="sheet palette-sheet" onPointerDown={() => ui({ palette: null })}>
      <div
        {...inside}
        className="sheet-card palette-card"
        role="dialog"
        aria-modal="true"
        aria-label={PLACEHOLDERS[mode]}
        data-test="palette"
        onPointerDown={(event) => event.stopPropagation()}
      >
        <PickList
          search
          picks={picks}
          initial={query}
          most={mode === "commands" ? picks.length : MOST}
          placeholder={PLACEHOLDERS[mode]}
          label={PLACEHOLDERS[mode]}
          empty={
            mode === "canvas"
              ? t("Nothing on the canvas is called so.")
              : t("Nothing is called so.")
          }
          onPick={carryOut}
        />
      </div>
    </div>
  );
}
