/** Commands that open what explains and shows: templates, the tour, the app view. */

import { ui } from "../store/ui";
import type { Command } from "./command";

export const SEEING: readonly Command[] = [
  {
    id: "templates",
    title: "Templates…",
    group: "Workflow",
    menu: "canvas",
    run: () => ui({ sheet: { kind: "templates" } }),
  },
];
