/** What React Flow says to screen readers, in the reader's language. */

import type { AriaLabelConfig } from "@xyflow/react";
import { t } from "../i18n/t";

export const HEARD: Partial<AriaLabelConfig> = {
  "node.a11yDescription.default": t(
    "Press Enter or Space to choose a node, Delete to remove it, Escape to leave.",
  ),
  "node.a11yDescription.keyboardDisabled": t(
    "Press Enter or Space to choose a node; the arrow keys then move it. Delete removes it, Escape leaves.",
  ),
  "node.a11yDescription.ariaLiveMessage": ({ direction, x, y }) =>
    t("Moved the chosen nodes {direction}. New place: {x}, {y}", { direction, x, y }),
  "edge.a11yDescription.default": t(
    "Press Enter or Space to choose a wire, Delete to remove it, Escape to leave.",
  ),
};
