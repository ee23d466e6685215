/** What is told of model files, and of what the workers have loaded of them. */

import type { Axis, Certainty } from "./types";

/** What one kind of evidence says of whose latents a file speaks. */
export interface FileFinding {
  layer: string;
  spaces: string[];
  certainty: Certainty;
  reason: string;
}

export interface ModelFile {
  name: string;
  title?: string;
  kind: string;
  family: string | null;
  spaces: Partial<Record<Axis, string[]>>;
  parts: string[];
  evidence: string;
  certainty: Certainty;
  /** Tells one content of the file from another. */
  content?: string;
  trouble: string | null;
  /** Why it cannot be run although it is known what it is; no parts stand for all of them. */
  flaws?: { code: string; message: string; parts: string[] }[];
  /** The kind of evidence that decided, "" where only the header was asked. */
  rule?: string;
  findings?: FileFinding[];
  contradiction?: string;
  /** The latent spaces that a person may say it speaks. */
  choices?: string[];
  /** Width and height of a picture, in pixels. */
  size?: [number, number] | null;
}

/** A part of a model file that is loaded; sizes are bytes, `host` those beside the device. */
export interface LoadedModel {
  id: string;
  name: string;
  part: string;
  dtype: string;
  bytes: number;
  host: number;
  in_use: boolean;
}

/** What a worker has loaded, the last used first; sizes are bytes. */
export interface WorkerMemory {
  device: string;
  /** What models may take together. */
  budget: number;
  used: number;
  total: number;
  /** Null where the device does not say. */
  free: number | null;
  results: number;
  freed: number;
  models: LoadedModel[];
}

/** What the worker has that ran something last, and each of them by its number. */
export interface MemoryAnswer extends WorkerMemory {
  workers: (WorkerMemory & { number: number })[];
}
