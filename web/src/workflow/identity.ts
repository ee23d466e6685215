/** What is known of whose latents a file speaks, in words. */

import type { FileFinding, ModelFile } from "../api/types";
import { t } from "../i18n/t";

/** Every kind of evidence, in the order in which it is believed, and what it is called. */
export const LAYERS: Readonly<Record<string, string>> = {
  header: t("Header"),
  statement: t("What you said"),
  hash: t("Known files"),
  metadata: t("Metadata"),
  signature: t("Encoder, compared with checkpoints here"),
  probe: t("Trial with a test picture"),
};

const CERTAINTIES: Readonly<Record<string, string>> = {
  candidates: t("candidates"),
  certain: t("certain"),
  likely: t("likely"),
  assumed: t("assumed"),
  unknown: t("unknown"),
};

/** How sure something is, in the reader's language. */
export const certaintyInWords = (certainty: string): string => CERTAINTIES[certainty] ?? certainty;

export type Sureness = "certain" | "likely" | "candidates" | "unknown";

/** How sure the answer is. Several spaces are candidates, whatever each is called. */
export function surenessOf(file: ModelFile): Sureness {
  const spaces = file.spaces?.latent ?? [];
  if (spaces.length > 1) return "candidates";
  if (spaces.length === 0) return "unknown";
  return file.certainty === "certain" ? "certain" : "likely";
}

export interface LayerLine {
  layer: string;
  title: string;
  /** The space's title, "A or B" of candidates, or that it cannot tell. */
  says: string;
  reason: string;
  /** Whether this one decided. */
  decides: boolean;
}

/** One line for each kind of evidence that was asked. */
export function layerLines(file: ModelFile, titleOf: (space: string) => string): LayerLine[] {
  const found = file.findings ?? [];
  return Object.entries(LAYERS).flatMap(([layer, title]) =>
    found
      .filter((finding) => finding.layer === layer)
      .map((finding) => ({
        layer,
        title,
        says: saying(finding, titleOf),
        reason: finding.reason,
        decides: layer === file.rule && surenessOf(file) !== "candidates",
      })),
  );
}

function saying(finding: FileFinding, titleOf: (space: string) => string): string {
  if (finding.spaces.length === 0) return t("cannot tell");
  const words = finding.spaces.map(titleOf).join(t(" or "));
  return finding.spaces.length === 1 && finding.certainty !== "certain"
    ? `${words} (${certaintyInWords(finding.certainty)})`
    : words;
}

/** The space that a person said the file speaks, or null. */
export function saidOf(file: ModelFile): string | null {
  const said = (file.findings ?? []).find((finding) => finding.layer === "statement");
  return said?.spaces[0] ?? null;
}
