/** A document as the browser keeps it: a first workflow, and what each step changed. */

import type { Workflow } from "../api/types";
import { normalised } from "../workflow/model";
import { diff, type Patch, patched } from "../workflow/patch";
import type { UsedSeeds } from "../workflow/seeds";
import { type Document, newDocument } from "./documents";
import type { Viewport } from "./view";

/** What is kept of a document beside its workflows. */
export interface Kept {
  id: string;
  name: string;
  savedAs: string | null;
  readOnly: boolean;
  used: UsedSeeds;
  runs: string[];
  viewport: Viewport | undefined;
  /** The nodes whose inside is shown, and how that lay in the window; older pages kept neither. */
  path?: string[];
  inside?: Viewport;
  /** How many steps lie before the open workflow. */
  at: number;
  /** Which step is the saved one; null where it is none of them, and `saved` holds it. */
  clean: number | null;
  saved: Workflow | null;
}

/** What has to be written so that what is kept is the document. */
export interface Writing {
  kept: Kept;
  /** The first workflow, where that is another one. */
  base: Workflow | null;
  /** Steps that are new or changed, by number from 1 up. */
  steps: [number, Patch][];
  /** The number from which on steps are gone. */
  end: number;
}

/** Every workflow of a document: what undo leads to, the open one, what redo leads to. */
export function statesOf({ past, workflow, future }: Document): Workflow[] {
  return [...past, workflow, ...future];
}

/** What to write, given the states that were written last (none: everything). */
export function writingOf(
  document: Document,
  written: readonly Workflow[],
  viewport?: Viewport,
  inside?: Viewport,
): Writing {
  const states = statesOf(document);
  const base = states[0] === written[0] ? null : (states[0] as Workflow);
  const steps: [number, Patch][] = [];
  for (let number = 1; number < states.length; number++) {
    const same =
      !base && states[number] === written[number] && states[number - 1] === written[number - 1];
    if (!same) steps.push([number, diff(states[number - 1], states[number])]);
  }
  const clean = states.indexOf(document.clean);
  return {
    kept: {
      id: document.id,
      name: document.name,
      savedAs: document.savedAs,
      readOnly: document.readOnly,
      used: document.used,
      runs: document.runs,
      viewport,
      path: document.path,
      inside,
      at: document.past.length,
      clean: clean < 0 ? null : clean,
      saved: clean < 0 ? document.clean : null,
    },
    base,
    steps,
    end: states.length,
  };
}

/** The document that was kept, with its undo and redo. */
export function documentOf(kept: Kept, base: Workflow, steps: readonly Patch[]): Document {
  const states = [normalised(base)];
  for (const step of steps) states.push(patched(states.at(-1) as Workflow, step));
  const at = Math.min(kept.at, states.length - 1);
  const workflow = states[at] as Workflow;
  const clean = kept.clean === null ? kept.saved : states[kept.clean];
  return {
    ...newDocument(workflow, kept),
    id: kept.id,
    past: states.slice(0, at),
    future: states.slice(at + 1),
    clean: clean ?? workflow,
    used: kept.used ?? {},
    runs: kept.runs ?? [],
    path: kept.path ?? [],
  };
}
