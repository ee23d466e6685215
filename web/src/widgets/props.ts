/** What every widget is given. */

import type { Json, WidgetDefinition } from "../api/types";

export interface WidgetProps {
  node: string;
  widget: WidgetDefinition;
  value: Json | undefined;
  /** Set the value; changes with one gesture token are undone together. */
  onChange(value: Json, gesture?: string): void;
}
