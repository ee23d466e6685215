/** Commands that open what explains and shows: templates, the tour, the app view. */

import { definitions } from "../store/catalogue";
import { activeWorkflow } from "../store/documents";
import { lookAtNode, showTimeline } from "../store/looking";
import { startTour } from "../store/tour";
import { ui } from "../store/ui";
import { selected } from "./actions";
import type { Command } from "./command";
import { t } from "../i18n/t";

/** The help of the chosen node; false where none is chosen. */
function helpOnNode(): boolean {
  const type = activeWorkflow().nodes[selected()[0] ?? ""]?.type;
  if (!type || !definitions()[type]) return false;
  ui({ sheet: { kind: "node-help", type } });
  return true;
}

export const SEEING: readonly Command[] = [
  {
    id: "node-help",
    title: t("What this node does"),
    group: "Nodes",
    keys: ["F1"],
    menu: "node",
    run: helpOnNode,
  },
  { id: "tour", title: t("The opening tour"), group: "View", menu: "canvas", run: startTour },
  {
    id: "inspect",
    title: t("Look at what it gave"),
    group: "Run",
    keys: ["I"],
    menu: "node",
    run: () => lookAtNode(selected()[0]),
  },
  {
    id: "timeline",
    title: t("Timeline of the last run"),
    group: "Run",
    keys: ["T"],
    menu: "canvas",
    run: showTimeline,
  },
  {
    id: "templates",
    title: t("Templates…"),
    group: "Workflow",
    menu: "canvas",
    run: () => ui({ sheet: { kind: "templates" } }),
  },
  {
    id: "app",
    title: t("App view: a form for others…"),
    group: "Workflow",
    menu: "canvas",
    run: () => ui({ sheet: { kind: "app" } }),
  },
];
