/** Where the opening tour is; an invitation is shown until it was taken or refused once. */

import { create } from "zustand";

const KEY = "latent-loom.tour";

interface Tour {
  step: number | null;
  invited: boolean;
}

const seen = () => typeof localStorage === "undefined" || localStorage.getItem(KEY) !== null;

export const useTour = create<Tour>()(() => ({ step: null, invited: !seen() }));

export function startTour(): void {
  remember();
  useTour.setState({ step: 0 });
}

export function endTour(): void {
  remember();
  useTour.setState({ step: null });
}

export const goTo = (step: number) => useTour.setState({ step });

function remember(): void {
  localStorage.setItem(KEY, "seen");
  useTour.setState({ invited: false });
}
