/** The forms of data about workers, and about how much of the past is kept. */

import type { WorkerStatus } from "./types";

export interface WorkerEntry extends WorkerStatus {
  number: number;
  /** It begins no other run. */
  draining: boolean;
  /** The run that it is at. */
  run: string | null;
}

/** How many ended runs are kept, and for how many days; null for no limit. */
export interface HistoryLimits {
  runs: number | null;
  days: number | null;
}
