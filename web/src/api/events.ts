/** The event socket: reconnects by itself and asks for what it missed. */

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

/** Listen until `close`. Events arrive in order; after a reconnect those missed are replayed. */
export function listen(listener: Listener): EventSource {
  let since = -1;
  let epoch = "";
  let wait = 250;
  let closed = false;
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const open = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const query = epoch ? `?since=${since}&epoch=${encodeURIComponent(epoch)}` : "";
    socket = new WebSocket(`${scheme}://${location.host}/api/events${query}`);
    socket.onopen = () => {
      wait = 250;
      listener.connected(true);
    };
    socket.onmessage = (message) => receive(JSON.parse(String(message.data)) as ServerEvent);
    socket.onclose = () => {
      if (closed) return;
      listener.connected(false);
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    };
  };

  const receive = (event: ServerEvent) => {
    if (event.type === "hello") {
      if (event.epoch !== epoch) {
        epoch = event.epoch;
        since = event.seq;
      }
    } else if (event.seq !== undefined) {
      since = Math.max(since, event.seq);
    }
    listener.event(event);
  };

  open();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      socket?.close();
    },
  };
}
