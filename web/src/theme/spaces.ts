/** The colours of latent and text spaces: the Okabe-Ito set, distinct for colour-blind eyes, in fixed order. */

import { kindName } from "../i18n/kinds";
import { t } from "../i18n/t";
import type { Axis, SocketType, SpacesAnswer } from "../api/types";

export const OKABE_ITO = [
  "#0072B2",
  "#E69F00",
  "#56B4E9",
  "#009E73",
  "#D55E00",
  "#CC79A7",
  "#F0E442",
] as const;

/** Spaces whose colour never changes, in the order of the set. */
const FIXED: Record<Axis, readonly string[]> = {
  latent: ["starter", "sd1", "sdxl", "sd3", "flux1", "flux2", "wan21"],
  text: ["starter", "sd1", "sdxl", "sd3", "flux1", "flux2", "sd2"],
};

/** Where further spaces enter the set again: across from the first, so that "starter-b" is not the starter's blue. */
const SECOND_ROUND = 4;

export interface SpaceColour {
  colour: string;
  /** The set was used up: the wire is dashed. */
  dashed: boolean;
}

/** A space's colour. `known` are all spaces of the axis, in the server's order. */
export function colourOf(axis: Axis, space: string, known: readonly string[]): SpaceColour {
  const fixed = FIXED[axis].indexOf(space);
  if (fixed >= 0) return { colour: OKABE_ITO[fixed] as string, dashed: false };
  const further = known.filter((id) => !FIXED[axis].includes(id)).indexOf(space);
  const index = (Math.max(further, 0) + SECOND_ROUND) % OKABE_ITO.length;
  return { colour: OKABE_ITO[index] as string, dashed: true };
}

/** How a socket is painted. An empty list of colours is neutral, `unknown` is the question mark. */
export interface Paint {
  kind: string;
  /** Filling: none, one, or two of the latent spaces it may be in. */
  fill: SpaceColour[];
  /** Outline: the text spaces. */
  outline: SpaceColour[];
  unknown: boolean;
  /** The short name that stands beside latents and VAEs, "" where there is none. */
  short: string;
  /** The spaces in words, for the tooltip. */
  title: string;
}

const MANY = 2; // with more candidates than this a socket counts as unknown

export function paintOf(type: SocketType, spaces: SpacesAnswer): Paint {
  const paint: Paint = {
    kind: type.kind,
    fill: [],
    outline: [],
    unknown: false,
    short: "",
    title: "",
  };
  const titles: string[] = [];
  for (const { axis, candidates } of type.spaces) {
    if (!candidates || candidates.length === 0 || candidates.length > MANY) {
      if (axis === "latent" || type.spaces.length === 1) paint.unknown = true;
      titles.push(
        axis === "latent" ? t("latent space not known yet") : t("text space not known yet"),
      );
      continue;
    }
    const colours = candidates.map((id) => colourOf(axis, id, Object.keys(spaces[axis])));
    if (axis === "latent") {
      paint.fill = colours;
      paint.short = candidates.map((id) => spaces.latent[id]?.short ?? id).join(" / ");
    } else {
      paint.outline = colours;
    }
    const names = candidates.map((id) => spaces[axis][id]?.title ?? id).join(t(" or "));
    titles.push(axis === "latent" ? names : t("text: {names}", { names }));
  }
  paint.title = [...new Set(titles)].join(", ");
  return paint;
}

/** A socket's type in words: "Latent, SDXL". */
export function typeInWords({ kind, title }: Paint): string {
  return [kindName(kind), title].filter(Boolean).join(", ");
}

/** The one colour of a wire, null for grey: the latent space if there is one, else the text space. */
export function wireColour(paint: Paint): SpaceColour | null {
  const colours = paint.fill.length ? paint.fill : paint.outline;
  return colours.length === 1 ? (colours[0] as SpaceColour) : null;
}
