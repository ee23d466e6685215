/** What kinds of sockets are called; those of packs that nobody translated keep their own names. */

import { t } from "./t";

const KINDS: Readonly<Record<string, string>> = {
  Any: t("anything"),
  Boolean: t("yes or no"),
  Clip: t("CLIP"),
  Conditioning: t("Conditioning"),
  ControlNet: t("ControlNet"),
  Guider: t("Guider"),
  Image: t("Image"),
  Integer: t("Whole number"),
  Latent: t("Latent"),
  Mask: t("Mask"),
  Model: t("Model"),
  Noise: t("Noise"),
  Number: t("Number"),
  Sampler: t("Sampler"),
  Sigmas: t("Noise levels"),
  Text: t("Text"),
  Upscaler: t("Upscaler"),
  Vae: t("VAE"),
};

export const kindName = (kind: string): string => KINDS[kind] ?? kind;
