/** Events in the server's order, each once, over a connection that loses, repeats and swaps them. */

import type { ServerEvent } from "./types";

/** What became of a message: shown now, kept until what is before it comes, or known already. */
export type Verdict = "fine" | "gap";

/**
 * Hands events on by their number. `since` is the newest number up to which nothing is missing, null where
 * a snapshot must come first. After "gap" something is missing: if it does not come soon, ask for it.
 */
export class Ordering {
  epoch = "";
  since: number | null = null;
  private readonly held = new Map<number, ServerEvent>();
  private newest = -1;

  constructor(private readonly hand: (event: ServerEvent) => void) {}

  receive(event: ServerEvent): Verdict {
    if (event.type === "hello" || event.type === "beat") this.greet(event);
    else if (event.type === "snapshot") this.restart(event);
    else if (event.seq === undefined)
      this.hand(event); // a preview: the newest wins
    else if (event.epoch !== undefined && event.epoch !== this.epoch) return "gap";
    else this.take(event.seq, event);
    return this.since === null || this.since < this.newest ? "gap" : "fine";
  }

  private greet(event: ServerEvent & { type: "hello" | "beat" }): void {
    if (event.epoch !== this.epoch) this.forget(event.epoch);
    this.newest = Math.max(this.newest, event.seq);
    if (event.type === "hello") this.hand(event);
  }

  /** Numbers of another start of the server mean nothing: wait for its snapshot. */
  private forget(epoch: string): void {
    this.epoch = epoch;
    this.since = null;
    this.newest = -1;
    this.held.clear();
  }

  private restart(event: ServerEvent & { type: "snapshot" }): void {
    const { seq = 0, epoch = this.epoch } = event;
    if (epoch !== this.epoch) this.forget(epoch);
    if (this.since !== null && seq <= this.since) return; // late: what is shown is newer
    this.hand(event);
    this.since = seq;
    this.newest = Math.max(this.newest, seq);
    this.flush();
  }

  private take(seq: number, event: ServerEvent): void {
    this.newest = Math.max(this.newest, seq);
    if (this.since !== null && seq <= this.since) return;
    this.held.set(seq, event);
    this.flush();
  }

  private flush(): void {
    if (this.since === null) return;
    for (const seq of this.held.keys()) if (seq <= this.since) this.held.delete(seq);
    for (let next = this.held.get(this.since + 1); next; next = this.held.get(this.since + 1)) {
      this.since += 1;
      this.held.delete(this.since);
      this.hand(next);
    }
  }
}
