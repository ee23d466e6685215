/** The pictures that are looked at large: which ones, at which one, and beside which other. */

import type { Picture } from "../api/gallery";
import { useRuns } from "./runs";
import { ui, useUi } from "./ui";
import { t } from "../i18n/t";

/** A picture that can be looked at. */
export interface Viewed {
  url: string;
  thumbnail: string | null;
  /** What it is called, for people. */
  title: string;
  run: string | null;
  /** What the gallery knows of it. */
  picture?: Picture;
}

export interface Viewing {
  pictures: Viewed[];
  at: number;
  /** The one that it is compared with, by its place in `pictures`. */
  other: number | null;
}

/** Look at one of several pictures; `other` is compared with it. */
export function view(pictures: Viewed[], at: number, other: number | null = null): void {
  if (pictures[at]) ui({ viewer: { pictures, at, other } });
}

function change(how: (viewing: Viewing) => Partial<Viewing>): void {
  const { viewer } = useUi.getState();
  if (viewer) ui({ viewer: { ...viewer, ...how(viewer) } });
}

/** The place `step` further on, passing over `not`; where there is none, `from` itself. */
export function stepped(count: number, from: number, step: 1 | -1, not: number | null): number {
  let to = from + step;
  if (to === not) to += step;
  return to >= 0 && to < count ? to : from;
}

/** Go to the next picture or the one before; of two that are compared the second one changes. */
export function go(step: 1 | -1): void {
  change(({ pictures, at, other }) =>
    other === null
      ? { at: stepped(pictures.length, at, step, null) }
      : { other: stepped(pictures.length, other, step, at) },
  );
}

/** Look at a picture of those that are shown, or compare with it while two are compared. */
export function goTo(place: number): void {
  change(({ other, at }) => (other === null || place === at ? { at: place } : { other: place }));
}

/** Begin to compare, with the picture behind this one, or go back to the one. */
export function toggleCompare(): void {
  change(({ pictures, at, other }) => {
    if (other !== null || pictures.length < 2) return { other: null };
    return { other: at + 1 < pictures.length ? at + 1 : at - 1 };
  });
}

/** Put a picture's new facts in its place; null takes it out. The last one that goes closes all. */
export function refreshViewed(url: string, picture: Picture | null): void {
  change(({ pictures, at }) => {
    if (picture) return { pictures: pictures.map((p) => (p.url === url ? { ...p, picture } : p)) };
    const left = pictures.filter((p) => p.url !== url);
    return { pictures: left, at: Math.min(at, Math.max(0, left.length - 1)), other: null };
  });
  if (useUi.getState().viewer?.pictures.length === 0) ui({ viewer: null });
}

/** Every picture that runs of this page's memory made, newest first. */
function picturesOfRuns(): { run: string; index: number; viewed: Viewed }[] {
  const { runs, order } = useRuns.getState();
  return order.flatMap((id) =>
    (runs[id]?.outputs ?? []).flatMap(({ kind, url, thumbnail }, index) =>
      kind === "image" && url
        ? [
            {
              run: id,
              index,
              viewed: { url, thumbnail: thumbnail ?? null, title: nameIn(url), run: id },
            },
          ]
        : [],
    ),
  );
}

const nameIn = (url: string) =>
  decodeURIComponent(url.split("?")[0]?.split("/").at(-1) ?? t("Picture"));

/** Look at what a run made, among the pictures of other runs. */
export function viewOutput(run: string, index: number): void {
  const all = picturesOfRuns();
  const at = all.findIndex((one) => one.run === run && one.index === index);
  view(
    all.map(({ viewed }) => viewed),
    at,
  );
}

export const viewedPicture = (picture: Picture): Viewed => ({
  url: picture.url,
  thumbnail: picture.thumbnail,
  title: picture.title || nameIn(picture.file),
  run: picture.run,
  picture,
});
