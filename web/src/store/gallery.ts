/** The saved pictures that are shown: what was asked for, in the server's order, as far as loaded. */

import { create } from "zustand";
import { api, ApiError } from "../api/client";
import type { GalleryAnswer, GalleryNames, Picture, Sought } from "../api/gallery";
import { drawSeed } from "../workflow/seeds";
import { lookAtQueueSoon } from "./queue";
import { notify } from "./ui";
import { refreshViewed } from "./viewer";
import { plural, t } from "../i18n/t";

interface Gallery extends GalleryAnswer {
  sought: Sought;
  names: GalleryNames;
  /** The first answer has come. */
  known: boolean;
  /** Pictures that are chosen, to be compared or thrown away together. */
  chosen: readonly number[];
  /** Why the pictures are not known, for people. */
  trouble: string;
}

const PAGE = 100; // pictures that are asked for at once
const PAUSE = 200; // milliseconds in which many events, or many letters, are one question

export const NOT_SOUGHT: Sought = {
  search: "",
  model: null,
  family: null,
  starred: false,
  trash: false,
  date: "",
};

export const useGallery = create<Gallery>()(() => ({
  items: [],
  next: null,
  total: null,
  sought: NOT_SOUGHT,
  names: { models: [], families: [] },
  known: false,
  chosen: [],
  trouble: "",
}));

const gallery = useGallery.setState;

/** What is shown once the newest pictures are these: they take the place of those as new as they. */
export function withFirstPage(
  { items, next }: Pick<GalleryAnswer, "items" | "next">,
  first: GalleryAnswer,
): GalleryAnswer {
  const last = first.items.at(-1);
  if (first.next === null || !last) return first;
  const older = items.filter(({ id }) => id < last.id);
  const joins = items.some(({ id }) => id >= last.id) && older.length > 0;
  if (!joins) return first;
  return { items: [...first.items, ...older], next, total: first.total };
}

let asked = 0;

/** Ask for the newest pictures that are as sought; `anew` forgets those that were shown. */
async function look(anew: boolean): Promise<void> {
  const mine = ++asked;
  const { sought } = useGallery.getState();
  try {
    const [first, names] = await Promise.all([api.gallery(sought, PAGE), api.galleryNames()]);
    if (mine !== asked) return;
    const page = anew ? first : withFirstPage(useGallery.getState(), first);
    gallery({ ...page, names, known: true, trouble: "" });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (mine === asked) gallery({ trouble: error.message });
  }
}

let timer: ReturnType<typeof setTimeout> | undefined;
let isAnew = false;

/** Look once for all events of a moment. */
export function lookAtGallerySoon(anew = false): void {
  isAnew ||= anew;
  timer ??= setTimeout(() => {
    timer = undefined;
    void look(isAnew);
    isAnew = false;
  }, PAUSE);
}

export function seek(change: Partial<Sought>): void {
  gallery(({ sought }) => ({ sought: { ...sought, ...change }, chosen: [] }));
  lookAtGallerySoon(true);
}

let loading = false;

/** Load the pictures behind those that are shown. */
export async function loadMore(): Promise<void> {
  const { next, sought } = useGallery.getState();
  if (loading || next === null) return;
  loading = true;
  try {
    const page = await api.gallery(sought, PAGE, next);
    if (useGallery.getState().next !== next) return; // something else is shown by now
    gallery(({ items }) => ({ items: [...items, ...page.items], next: page.next }));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    notify("error", error.message);
  } finally {
    loading = false;
  }
}

/** Do something to pictures; a refusal is told, and what is shown is asked for anew. */
async function doing<T>(what: () => Promise<T>): Promise<T | undefined> {
  try {
    return await what();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    notify("error", error.message);
    return undefined;
  } finally {
    lookAtGallerySoon();
  }
}

export async function starPicture(picture: Picture, starred: boolean): Promise<void> {
  const now = await doing(() => api.star(picture.id, starred));
  if (!now) return;
  gallery(({ items }) => ({ items: items.map((item) => (item.id === now.id ? now : item)) }));
  refreshViewed(picture.url, now);
}

function leave(ids: readonly number[]): void {
  gallery(({ items, chosen, total }) => ({
    items: items.filter(({ id }) => !ids.includes(id)),
    chosen: chosen.filter((id) => !ids.includes(id)),
    total: total === null ? null : Math.max(0, total - ids.length),
  }));
}

/** Move pictures into the trash; a notice offers to take that back. */
export async function trashPictures(pictures: readonly Picture[]): Promise<void> {
  const gone: Picture[] = [];
  await doing(async () => {
    for (const picture of pictures) {
      await api.trash(picture.id);
      gone.push(picture);
    }
  });
  if (gone.length === 0) return;
  leave(gone.map(({ id }) => id));
  for (const picture of gone) refreshViewed(picture.url, null);
  const text =
plural(
    gone.length,
    "One picture is in the trash.",
    "{count} pictures are in the trash.",
  );
  notify("info", text, { title: t("Undo"), run: () => void restorePictures(gone) });
}

export const trashPicture = (picture: Picture) => trashPictures([picture]);

export async function restorePictures(pictures: readonly Picture[]): Promise<void> {
  const back: number[] = [];
  await doing(async () => {
    for (const { id } of pictures) {
      await api.restore(id);
      back.push(id);
    }
  });
  if (useGallery.getState().sought.trash) leave(back);
}

/** Delete for good what is in the trash. */
export const emptyTrash = () => doing(() => api.emptyTrash());

/** Queue the picture's run with another seed. */
export async function rerunPicture({ run, seed_at: at }: Picture): Promise<void> {
  if (!run || !at)
    return notify("info", t("Its run is no longer known, so it cannot be run again."));
  const [node, widget] = at;
  const begun = await doing(() => api.again(run, { [node]: { [widget]: drawSeed() } }));
  if (begun) notify("info", t("Queued once more, with another seed."));
  lookAtQueueSoon();
}

export function choose(id: number, on: boolean): void {
  gallery(({ chosen }) => ({
    chosen: on ? [...chosen.filter((other) => other !== id), id] : chosen.filter((o) => o !== id),
  }));
}
