/** What a person wrote about how values vary, and the recipe that the server makes a batch from. */

import type { BatchAxis, Place } from "../api/queue";
import type { Json, WidgetDefinition } from "../api/types";
import { choicesOf, type WidgetKind, widgetKind } from "../widgets/kinds";
import { drawSeed, readSeed } from "./seeds";
import { type Varying, varyingAt } from "./varying";
import { t } from "../i18n/t";

export type AxisKind = BatchAxis["kind"];

export const KIND_TITLES: Record<AxisKind, string> = {
  values: t("Values"),
  range: t("Range"),
  seeds: t("Seeds"),
  lines: t("Lines of a file"),
  wildcards: t("Wildcards"),
  columns: t("Columns of a table"),
};

/** An axis as it is being written: each kind's fields stay while another kind is tried. */
export interface AxisDraft {
  key: number;
  at: Place;
  kind: AxisKind;
  /** One value a line; numbers may be apart by commas, too. */
  values: string;
  chosen: Json[];
  start: string;
  stop: string;
  count: string;
  seed: string;
  how: "random" | "increment";
  file: string;
  /** The column of a table that this widget takes, and those that other widgets take. */
  column: string;
  more: { column: string; at: Place }[];
  text: string;
  /** It advances together with the axis above, instead of being multiplied with it. */
  together: boolean;
}

const isNumber = (kind: WidgetKind) => kind === "number" || kind === "slider";

/** The ways in which a widget can vary, the usual one first. */
export function kindsFor(widget: WidgetDefinition): AxisKind[] {
  const kind = widgetKind(widget);
  if (kind === "seed") return ["seeds", "values", "lines", "columns"];
  if (isNumber(kind)) return ["values", "range", "lines", "columns"];
  if (kind === "text" || kind === "multiline") return ["values", "wildcards", "lines", "columns"];
  return kind === "image_file" ? ["values", "lines", "columns"] : ["values", "columns"];
}

/** The values that a widget offers to choose from, or null where they are typed. */
export function offered(
  widget: WidgetDefinition,
  files: (folder: string) => string[],
): { label: string; value: Json }[] | null {
  switch (widgetKind(widget)) {
    case "choice":
      return choicesOf(widget.schema);
    case "toggle":
      return [false, true].map((value) => ({ label: value ? t("on") : t("off"), value }));
    case "model_file":
      return files(widget.folder ?? "checkpoints").map((name) => ({ label: name, value: name }));
    default:
      return null;
  }
}

let keys = 0;

/** An axis to begin with: the value that the workflow has is the first one. */
export function newAxis({ place, widget, value }: Varying): AxisDraft {
  const written = value === null || value === undefined ? "" : String(value);
  return {
    key: ++keys,
    at: place,
    kind: kindsFor(widget)[0] ?? "values",
    values: written,
    chosen: value === null || value === undefined ? [] : [value],
    start: written,
    stop: written,
    count: "4",
    seed: String(drawSeed()),
    how: "random",
    file: "",
    column: widget.name,
    more: [],
    text: written,
    together: false,
  };
}

/** A typed value as the widget's kind; what is no number stays a text, and the server says why not. */
function typed(text: string, kind: WidgetKind): Json {
  if (kind === "seed") return readSeed(text) ?? text;
  if (!isNumber(kind)) return text;
  const number = Number(text);
  return text === "" || Number.isNaN(number) ? text : number;
}

/** The values that were typed: a line each; of numbers also apart by commas. */
export function typedValues(text: string, widget: WidgetDefinition): Json[] {
  const kind = widgetKind(widget);
  const parts = text.split(isNumber(kind) || kind === "seed" ? /[\n,;]/ : "\n");
  const words = parts.map((part) => part.trim()).filter((part) => part !== "");
  return words.map((word) => typed(word, kind));
}

/** A batch cannot be asked for yet; the message says what is missing, `key` in which axis. */
export class Unfinished extends Error {
  constructor(
    message: string,
    readonly key?: number,
  ) {
    super(message);
  }
}

function numberIn(text: string, what: string): number {
  const number = Number(text.trim());
  if (text.trim() === "" || Number.isNaN(number))
    throw new Unfinished(t("{what} has to be a number.", { what }));
  return number;
}

function countIn(text: string): number {
  const count = numberIn(text, t("How many"));
  if (count < 1) throw new Unfinished(t("There has to be at least one."));
  return Math.round(count);
}

function seedIn(text: string): number | string {
  const seed = readSeed(text);
  if (seed === null) throw new Unfinished(t("The seed has to be a whole number from 0 on."));
  return seed;
}

function columnsOf(draft: AxisDraft): Record<string, Place> {
  const all = [{ column: draft.column, at: draft.at }, ...draft.more];
  const names = all.map(({ column }) => column.trim());
  if (names.includes("")) throw new Unfinished(t("Name the column that each value comes from."));
  if (new Set(names).size < names.length)
    throw new Unfinished(t("Each column can be used for one value only."));
  return Object.fromEntries(all.map(({ at }, index) => [names[index], at]));
}

function axisOf(draft: AxisDraft, { title, widget }: Varying, chooses: boolean): BatchAxis {
  const common = { title: "", group: "" };
  const at = draft.at;
  switch (draft.kind) {
    case "values": {
      const values = chooses ? draft.chosen : typedValues(draft.values, widget);
      if (values.length === 0)
        throw new Unfinished(t("Give {title} at least one value.", { title }));
      return { ...common, at, kind: "values", values };
    }
    case "range":
      return {
        ...common,
        at,
        kind: "range",
        start: numberIn(draft.start, t("The first value")),
        stop: numberIn(draft.stop, t("The last value")),
        count: countIn(draft.count),
      };
    case "seeds": {
      const count = countIn(draft.count);
      return { ...common, at, kind: "seeds", count, seed: seedIn(draft.seed), how: draft.how };
    }
    case "wildcards": {
      const count = countIn(draft.count);
      return {
        ...common,
        at,
        kind: "wildcards",
        text: draft.text,
        count,
        seed: seedIn(draft.seed),
      };
    }
    case "lines":
      return { ...common, at, kind: "lines", file: fileOf(draft) };
    case "columns":
      return {
        ...common,
        kind: "columns",
        file: fileOf(draft, true),
        columns: columnsOf(draft),
      };
  }
}

function fileOf({ file }: AxisDraft, isTable = false): string {
  if (!file.trim())
    throw new Unfinished(
      isTable ? t("Name a table of the input folder.") : t("Name a text file of the input folder."),
    );
  return file.trim();
}

/** The axes that the drafts describe. Throws `Unfinished`. */
export function axesOf(
  drafts: readonly AxisDraft[],
  all: readonly Varying[],
  files: (folder: string) => string[],
): BatchAxis[] {
  if (drafts.length === 0) throw new Unfinished(t("Choose a value that varies."));
  const titles = drafts.map((draft) => varyingAt(all, draft.at)?.title);
  let leader = 0;
  return drafts.map((draft, index) => {
    const varying = varyingAt(all, draft.at);
    if (!varying) throw new Unfinished(t("This value is no longer in the workflow."), draft.key);
    if (!draft.together) leader = index;
    const axis = placed(draft, () =>
      axisOf(draft, varying, offered(varying.widget, files) !== null),
    );
    const grouped = draft.together || drafts[index + 1]?.together;
    // Two widgets of one name are told apart by their nodes.
    const twice = titles.indexOf(varying.title) !== titles.lastIndexOf(varying.title);
    return {
      ...axis,
      title: twice ? `${varying.node} ${varying.title}` : "",
      group: grouped ? `group ${leader + 1}` : "",
    };
  });
}

/** What `make` gives; where it lacks something, the axis is told along. */
function placed(draft: AxisDraft, make: () => BatchAxis): BatchAxis {
  try {
    return make();
  } catch (error) {
    throw error instanceof Unfinished ? new Unfinished(error.message, draft.key) : error;
  }
}

/** The letter of each axis: those that advance together share one. */
export function lettersOf(drafts: readonly AxisDraft[]): string[] {
  let axis = -1;
  return drafts.map(({ together }) => {
    if (!together || axis < 0) axis += 1;
    return "XYZ"[axis] ?? String(axis + 1);
  });
}

/** The axis that a refusal of the server speaks of ("Axis 2: ...", "Steps must be ..."). */
export function axisIn(
  message: string,
  drafts: readonly AxisDraft[],
  all: readonly Varying[],
): number | null {
  const named = /^Axis (\d+)\b/.exec(message)?.[1];
  if (named) return drafts[Number(named) - 1]?.key ?? null;
  const found = drafts.find(({ at }) => {
    const title = varyingAt(all, at)?.title;
    return title && message.startsWith(`${title} `);
  });
  return found?.key ?? null;
}

/** The names of a table's columns, from its first line; quotes around a name are left out. */
export function columnNames(text: string): string[] {
  const line = text.replace(/^\uFEFF/, "").split(/\r?\n/, 1)[0] ?? "";
  const cells = line.match(/"(?:[^"]|"")*"|[^,]+/g) ?? [];
  return cells.map((cell) => cell.trim().replace(/^"|"$/g, "").replaceAll('""', '"'));
}
