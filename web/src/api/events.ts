/** The event socket: reconnects by itself and asks for what it missed. */

import { language } from "../i18n/language";
import { Ordering } from "./ordering";
import type { ServerEvent } from "./types";

export interface EventSource {
  close(): void;
}

interface Listener {
  event(event: ServerEvent): void;
  /** The socket opened or was lost. */
  connected(open: boolean): void;
}

const LONGEST_WAIT = 5000; // milliseconds between two tries once the server has been away for long
const PATIENCE = 1500; // milliseconds that a missing event may be late before it is asked for
const SILENCE = 20_000; // milliseconds without a word, beats included, after which nobody is there

/** Listen until `close`. Events arrive in order, each once; what was missed is replayed. */
export function listen(listener: Listener): EventSource {
  const ordering = new Ordering((event) => listener.event(event));
  let wait = 250;
  let closed = false;
  let socket: WebSocket | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let gap: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;

  const rest = () => {
    clearTimeout(gap);
    clearTimeout(silence);
    gap = undefined;
  };
  const open = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const { since, epoch } = ordering;
    const missed = since === null ? "" : `&since=${since}&epoch=${encodeURIComponent(epoch)}`;
    const query = `?lang=${language()}${missed}`;
    const mine = new WebSocket(`${scheme}://${location.host}/api/events${query}`);
    socket = mine;
    mine.onopen = () => {
      wait = 250;
      heard();
      listener.connected(true);
    };
    mine.onmessage = (message) => {
      if (mine !== socket) return; // from a socket that was given up
      heard();
      if (ordering.receive(JSON.parse(String(message.data)) as ServerEvent) === "fine") {
        clearTimeout(gap);
        gap = undefined;
      } else gap ??= setTimeout(again, PATIENCE);
    };
    mine.onclose = () => {
      if (mine === socket) lost();
    };
  };
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(again, SILENCE);
  };
  const lost = () => {
    rest();
    if (closed) return;
    listener.connected(false);
    retry = setTimeout(open, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  };
  /** Something is missing, or nobody speaks: another connection begins where this one was whole. */
  const again = () => {
    const old = socket;
    socket = undefined;
    old?.close();
    lost();
  };

  open();
  return {
    close() {
      closed = true;
      clearTimeout(retry);
      rest();
      socket?.close();
    },
  };
}
