/** What the page says of the workers together: bad news of one need not be that of all. */

import { api, ApiError } from "../api/client";
import type { WorkerStatus } from "../api/types";
import { useCatalogue } from "./catalogue";

let news = 0;

function show(state: WorkerStatus): void {
  useCatalogue.setState(({ worker }) => ({
    worker: { ...state, device: state.device ?? worker.device },
  }));
}

/** A worker is in another state. Where it cannot work, the server says how the one is that can. */
export async function heard({ state, device, message }: WorkerStatus): Promise<void> {
  const mine = ++news;
  const isBad = state === "starting" || state === "stopped";
  if (!isBad) show({ state, device, message });
  // A server that was started anew did not know its device yet when it was asked.
  if (!isBad && (state !== "ready" || useCatalogue.getState().worker.device)) return;
  try {
    const { worker } = await api.status();
    if (mine === news) show(worker); // else something newer was heard meanwhile
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (mine === news) show({ state, device, message });
  }
}
