/** Commands that open what explains and shows: templates, the tour, the app view. */

import { lookAtNode, showTimeline } from "../store/looking";
import { ui } from "../store/ui";
import { selected } from "./actions";
import type { Command } from "./command";

export const SEEING: readonly Command[] = [
  {
    id: "inspect",
    title: "Look at what it gave",
    group: "Run",
    keys: ["I"],
    menu: "node",
    run: () => lookAtNode(selected()[0]),
  },
  {
    id: "timeline",
    title: "Timeline of the last run",
    group: "Run",
    keys: ["T"],
    menu: "canvas",
    run: showTimeline,
  },
  {
    id: "templates",
    title: "Templates…",
    group: "Workflow",
    menu: "canvas",
    run: () => ui({ sheet: { kind: "templates" } }),
  },
  {
    id: "app",
    title: "App view: a form for others…",
    group: "Workflow",
    menu: "canvas",
    run: () => ui({ sheet: { kind: "app" } }),
  },
];
