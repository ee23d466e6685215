/** Which widget a value gets, from its definition: the named control first, then the JSON Schema. */

import type { Json, Schema, WidgetDefinition } from "../api/types";

export type WidgetKind =
  | "number"
  | "slider"
  | "seed"
  | "choice"
  | "toggle"
  | "text"
  | "multiline"
  | "model_file"
  | "image_file"
  | "colour";

const KINDS: readonly WidgetKind[] = [
  "number",
  "slider",
  "seed",
  "choice",
  "toggle",
  "text",
  "multiline",
  "model_file",
  "image_file",
  "colour",
];

/** The schema without a wrapping `anyOf` that only adds null. */
export function plainSchema(schema: Schema): Schema {
  const [first, ...rest] = (schema.anyOf ?? []).filter((option) => option.type !== "null");
  return first && rest.length === 0 ? { ...schema, ...first } : schema;
}

export function widgetKind(
  widget: Pick<WidgetDefinition, "control" | "schema" | "folder">,
): WidgetKind {
  const schema = plainSchema(widget.schema);
  const named = KINDS.find((kind) => kind === widget.control);
  if (named === "number") return isShare(schema) ? "slider" : "number";
  if (named && named !== "text") return named;
  if (widget.folder) return "model_file";
  if (schema.enum) return "choice";
  if (schema.type === "boolean") return "toggle";
  if (schema.type === "integer" || schema.type === "number")
    return isShare(schema) ? "slider" : "number";
  return "text";
}

/** A share of a whole (0…1 or -1…1) is set with a slider: its limits say more than its digits. */
function isShare(schema: Schema): boolean {
  const { low, high } = limitsOf(schema);
  return schema.type === "number" && low !== null && high !== null && high - low <= 2;
}

export interface Limits {
  low: number | null;
  high: number | null;
  step: number;
  whole: boolean;
}

export function limitsOf(raw: Schema): Limits {
  const schema = plainSchema(raw);
  const whole = schema.type === "integer";
  const low = schema.minimum ?? schema.exclusiveMinimum ?? null;
  const high = schema.maximum ?? schema.exclusiveMaximum ?? null;
  const narrow = low !== null && high !== null && high - low <= 2;
  const step = schema.multipleOf ?? (whole ? 1 : narrow ? 0.01 : 0.1);
  return { low, high, step, whole };
}

/** The nearest value that the schema allows. */
export function clamped(value: number, raw: Schema): number {
  const schema = plainSchema(raw);
  const { low, high, whole } = limitsOf(schema);
  const multiple = schema.multipleOf ?? (whole ? 1 : null);
  let result = multiple ? tidy(Math.round(value / multiple) * multiple) : value;
  const above = schema.exclusiveMinimum !== undefined && low !== null && result <= low;
  const below = schema.exclusiveMaximum !== undefined && high !== null && result >= high;
  const inside = multiple ?? limitsOf(schema).step;
  if (above) result = tidy((low as number) + inside);
  else if (low !== null && result < low)
    result = multiple ? tidy(Math.ceil(low / multiple) * multiple) : low;
  if (below) result = tidy((high as number) - inside);
  else if (high !== null && result > high) {
    result = multiple ? tidy(Math.floor(high / multiple) * multiple) : high;
  }
  return result;
}

/** The number without the dust of binary fractions: 0.1 + 0.2 is 0.3. */
export function tidy(value: number): number {
  return Number(value.toPrecision(12));
}

/** The choices of an enumeration as text and value. */
export function choicesOf(schema: Schema): { label: string; value: Json }[] {
  return (plainSchema(schema).enum ?? []).map((value) => ({ label: String(value), value }));
}
