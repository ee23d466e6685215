/** Tell a person who is elsewhere that a batch is done: a notification of the desktop, a sound. */

import { create } from "zustand";
import type { BatchAnswer } from "../api/queue";
import { t } from "../i18n/t";
import { useQueue } from "./queue";

interface Alerts {
  /** A notification of the desktop. */
  desktop: boolean;
  sound: boolean;
  /** Why there are no notifications though they are wanted, for people. */
  refused: string;
}

const KEY = "latent-loom.alerts";

function stored(): Pick<Alerts, "desktop" | "sound"> {
  const text = typeof localStorage === "undefined" ? null : localStorage.getItem(KEY);
  const words = text?.split(" ") ?? [];
  return { desktop: words.includes("desktop"), sound: words.includes("sound") };
}

export const useAlerts = create<Alerts>()(() => ({ ...stored(), refused: "" }));

function keep(change: Partial<Alerts>): void {
  useAlerts.setState(change);
  const { desktop, sound } = useAlerts.getState();
  localStorage.setItem(KEY, [desktop && "desktop", sound && "sound"].filter(Boolean).join(" "));
}

/** Switch notifications on or off. The browser asks for permission only now. */
export async function setDesktop(desktop: boolean): Promise<void> {
  if (!desktop) return keep({ desktop, refused: "" });
  if (typeof Notification === "undefined")
    return keep({ desktop: false, refused: t("This browser has no notifications.") });
  const answer = await Notification.requestPermission();
  if (answer === "granted") return keep({ desktop, refused: "" });
  keep({
    desktop: false,
    refused: t("The browser does not allow notifications. Allow them in this page’s permissions."),
  });
}

export function setSound(sound: boolean): void {
  keep({ sound });
  if (sound) playTone(); // so that one knows it, and the page may play it later
}

let audio: AudioContext | undefined;

/** Two soft notes, a fifth apart. */
export function playTone(): void {
  audio ??= new AudioContext();
  void audio.resume();
  for (const [pitch, begin] of [
    [523.25, 0], // hertz: C5, then G5
    [783.99, 0.16],
  ] as const) {
    const at = audio.currentTime + begin;
    const note = audio.createOscillator();
    const loudness = audio.createGain();
    note.frequency.value = pitch;
    loudness.gain.setValueAtTime(0, at);
    loudness.gain.linearRampToValueAtTime(0.12, at + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, at + 0.7);
    note.connect(loudness).connect(audio.destination);
    note.start(at);
    note.stop(at + 0.75);
  }
}

const left = ({ counts }: BatchAnswer) =>
  (counts.waiting ?? 0) + (counts.running ?? 0) + (counts.interrupted ?? 0);

/**
 * The batches that have no runs left now and had some before, or came and went since then: what is
 * kept already takes no time. `before` is null until the page has looked once.
 */
export function ended(
  before: readonly BatchAnswer[] | null,
  now: readonly BatchAnswer[],
): BatchAnswer[] {
  if (before === null) return [];
  const known = new Map(before.map((batch) => [batch.id, left(batch)]));
  const newest = Math.max(...before.map(({ created }) => created), Number.NEGATIVE_INFINITY);
  return now.filter((batch) => {
    const open = known.get(batch.id) ?? (batch.created >= newest ? 1 : 0);
    return open > 0 && left(batch) === 0;
  });
}

/** What is said of a batch that is done, for people. */
export function sentence({ counts }: Pick<BatchAnswer, "counts">): string {
  const { finished = 0, failed = 0, cancelled = 0 } = counts;
  const parts = [t("{count} done", { count: finished })];
  if (failed) parts.push(t("{count} failed", { count: failed }));
  if (cancelled) parts.push(t("{count} cancelled", { count: cancelled }));
  return `${parts.join(", ")}.`;
}

/** Tell it. Of several tabs only one plays the sound, and their notifications are one. */
async function tell(batch: BatchAnswer): Promise<void> {
  const { desktop, sound } = useAlerts.getState();
  if (desktop && typeof Notification !== "undefined" && Notification.permission === "granted") {
    const title = t("{name} is done", { name: batch.name || t("The batch") });
    const note = new Notification(title, { body: sentence(batch), tag: batch.id });
    note.onclick = () => window.focus();
  }
  if (!sound) return;
  if (!navigator.locks) return playTone();
  await navigator.locks.request(`tone ${batch.id}`, { ifAvailable: true }, async (mine) => {
    if (!mine) return;
    playTone();
    await new Promise((resolve) => setTimeout(resolve, 3000)); // the other tabs come too late
  });
}

/** Watch the batches; the answer ends it. */
export function watchBatches(): () => void {
  const unseen = useQueue.getInitialState().batches;
  return useQueue.subscribe((now, { batches }) => {
    if (now.batches === batches) return;
    const before = batches === unseen ? null : batches;
    for (const batch of ended(before, now.batches)) void tell(batch);
  });
}
