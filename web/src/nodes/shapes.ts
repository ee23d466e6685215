/** The shape of a socket says its kind: a disc fits into a ring, and nothing else does. */

import { t } from "../i18n/t";

/** SVG paths in a box of 16 by 16 pixels; rings and halves are cut by the even-odd rule. */
const DISC = "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11Z";
const RING = `${DISC}M8 4.7a3.3 3.3 0 1 0 0 6.6a3.3 3.3 0 1 0 0-6.6Z`;
const HEXAGON = "M8 2l5.2 3v6L8 14l-5.2-3V5Z";
const TRIANGLE = "M3.2 2.6L13.6 8L3.2 13.4Z";
const ROUNDED_SQUARE =
  "M5 2.8h6a2.2 2.2 0 0 1 2.2 2.2v6a2.2 2.2 0 0 1-2.2 2.2H5A2.2 2.2 0 0 1 2.8 11V5A2.2 2.2 0 0 1 5 2.8Z";
const PENTAGON = "M8 2l5.9 4.3l-2.3 6.9H4.4L2.1 6.3Z";
const DIAMOND = "M8 1.8L14.2 8L8 14.2L1.8 8Z";
const SMALL_DISC = "M8 4a4 4 0 1 1 0 8a4 4 0 1 1 0-8Z";

export interface Shape {
  path: string;
  /** Only the left half is filled. */
  half?: boolean;
  /** The shape in words, for people who cannot see it. */
  word: string;
}

const SHAPES: Record<string, Shape> = {
  Latent: { path: DISC, word: t("disc") },
  Vae: { path: RING, word: t("ring") },
  Model: { path: HEXAGON, word: t("hexagon") },
  Conditioning: { path: TRIANGLE, word: t("triangle") },
  Image: { path: ROUNDED_SQUARE, word: t("rounded square") },
  Mask: { path: ROUNDED_SQUARE, half: true, word: t("half-filled square") },
  Clip: { path: PENTAGON, word: t("pentagon") },
  Integer: { path: SMALL_DISC, word: t("small disc") },
  Number: { path: SMALL_DISC, word: t("small disc") },
  Text: { path: SMALL_DISC, word: t("small disc") },
  Boolean: { path: SMALL_DISC, word: t("small disc") },
};

export function shapeOf(kind: string): Shape {
  return SHAPES[kind] ?? { path: DIAMOND, word: t("diamond") };
}
