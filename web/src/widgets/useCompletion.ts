/** Completion in a prompt: when it is open, what is chosen in it, and the keys that it takes. */

import { useId, useState } from "react";
import type { Completion } from "../api/types";
import { useEmbeddings } from "../store/embeddings";
import { completed, matching, typedAt } from "../workflow/embeddings";
import type { Selected } from "../workflow/prompt";

const MOST = 50; // lines that are shown; further letters find the others

export interface Offered {
  id: string;
  offers: Completion[];
  chosen: number;
  choose(index: number): void;
  take(offer: Completion): void;
  close(): void;
}

interface Completing {
  /** What is offered; null where nothing is typed that could be completed. */
  offered: Offered | null;
  /** The text was typed into, and the cursor is here. */
  typed(text: string, cursor: number): void;
  /** The cursor was moved. */
  moved(cursor: number): void;
  close(): void;
  /** Whether the key was meant for the list. */
  key(event: React.KeyboardEvent): boolean;
}

export function useCompletion(
  node: string,
  prompt: string,
  text: string,
  put: (next: Selected) => void,
): Completing {
  const id = useId();
  const [cursor, setCursor] = useState<number | null>(null);
  const [chosen, setChosen] = useState(0);
  const typed = cursor === null ? null : typedAt(text, cursor);
  const known = useEmbeddings(node, prompt, typed !== null);
  const offers = typed && known ? matching(known, typed.query).slice(0, MOST) : null;

  const close = () => setCursor(null);
  const take = (offer: Completion) => {
    if (!typed || offer.against) return;
    close();
    put(completed(text, typed, offer));
  };
  const at = offers ? Math.min(chosen, offers.length - 1) : -1;
  const key = (event: React.KeyboardEvent) => {
    if (!offers || event.ctrlKey || event.metaKey || event.altKey) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const offer = offers[at];
    if (event.key === "Escape") close();
    else if (!offer) return false;
    else if (step !== undefined) setChosen((at + step + offers.length) % offers.length);
    else if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) {
      if (offer.against && event.key === "Tab") return false;
      take(offer);
    } else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  return {
    offered: offers && { id, offers, chosen: at, choose: setChosen, take, close },
    typed: (now, place) => {
      setCursor(typedAt(now, place) ? place : null);
      setChosen(0);
    },
    moved: (place) => {
      // To move into a name is not to type one.
      if (cursor !== null) setCursor(typedAt(text, place)?.start === typed?.start ? place : null);
    },
    close,
    key,
  };
}
