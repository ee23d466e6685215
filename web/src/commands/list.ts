/** Every command, once. To add one, add a record to its group's file. */

import type { Command } from "./command";
import { ARRANGING } from "./arranging";
import { EDIT } from "./edit";
import { FINDING } from "./finding";
import { FRAMES } from "./frames";
import { LANGUAGE } from "./language";
import { NODES } from "./nodes";
import { QUEUE } from "./queue";
import { RUN } from "./run";
import { SEEING } from "./seeing";
import { SUBGRAPHS } from "./subgraphs";
import { TRAVEL } from "./travel";
import { VIEW } from "./view";
import { WORKFLOW } from "./workflow";

export const COMMANDS: readonly Command[] = [
  ...RUN,
  ...QUEUE,
  ...EDIT,
  ...NODES,
  ...SUBGRAPHS,
  ...TRAVEL,
  ...FINDING,
  ...FRAMES,
  ...ARRANGING,
  ...WORKFLOW,
  ...SEEING,
  ...VIEW,
  ...LANGUAGE,
];

export function command(id: string): Command {
  const found = COMMANDS.find((entry) => entry.id === id);
  if (!found) throw new Error(`There is no command "${id}".`);
  return found;
}
