import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BatchGrid } from "../src/api/queue";
import type { GalleryAnswer, Picture } from "../src/api/gallery";
import {
  lookAtGallerySoon,
  NOT_SOUGHT,
  seek,
  trashPictures,
  useGallery,
  withFirstPage,
} from "../src/store/gallery";
import { sheetOf } from "../src/store/grid";
import { useUi } from "../src/store/ui";
import { go, stepped, toggleCompare, view, viewedPicture } from "../src/store/viewer";
import { thumbnailFor, tileAfter, tilesIn } from "../src/workflow/tiles";
import { fitScale, heldIn, zoomed } from "../src/workflow/zoom";

const picture = (id: number, more: Partial<Picture> = {}): Picture => ({
  id,
  run: `run-${id}`,
  node: "save",
  file: `${id}.png`,
  url: `/api/files/output/${id}.png`,
  thumbnail: `/api/files/output/${id}.png?thumbnail=512`,
  width: 128,
  height: 128,
  created: id,
  title: "",
  prompt: "",
  models: [],
  families: [],
  seed: "",
  seed_at: null,
  starred: false,
  trashed: null,
  ...more,
});
const page = (ids: number[], next: number | null): GalleryAnswer => ({
  items: ids.map((id) => picture(id)),
  next,
  total: 9,
});
const ids = (items: readonly { id: number }[]) => items.map(({ id }) => id);

beforeEach(() => {
  useGallery.setState({ items: [], next: null, total: null, sought: NOT_SOUGHT, chosen: [] });
  useUi.setState({ viewer: null, notices: [] });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("tiles", () => {
  const place = { width: 600, height: 500, scrolled: 0 };

  it("are drawn only where they are seen, of however many there are", () => {
    const tiles = tilesIn({ ...place, scrolled: 100_000 }, 10_000, 100, 6);
    expect(tiles.columns).toBe(5);
    expect(tiles.to - tiles.from).toBeLessThan(60);
    const row = tiles.side + 6;
    expect(Math.floor(tiles.from / 5) * row).toBeLessThan(100_000);
    expect((tiles.to / 5) * row).toBeGreaterThan(100_500);
    expect(tiles.height).toBeCloseTo(2000 * row - 6);
  });

  it("fill the width, two at the least", () => {
    const narrow = tilesIn({ ...place, width: 90 }, 7, 100, 6);
    expect([narrow.columns, narrow.side]).toEqual([2, 42]);
    expect(narrow.to).toBe(7);
    expect(tilesIn(place, 0, 100, 6).to).toBe(0);
  });

  it("have thumbnails as large as the screen shows them", () => {
    expect(thumbnailFor("/a.png?thumbnail=512", 96, 1)).toBe("/a.png?thumbnail=128");
    expect(thumbnailFor("/a.png", 176, 2)).toBe("/a.png?thumbnail=384");
    expect(thumbnailFor("/a.png", 2000, 2)).toBe("/a.png?thumbnail=1024");
  });

  it("are walked with keys", () => {
    expect(tileAfter("ArrowDown", 1, 10, 4)).toBe(5);
    expect(tileAfter("ArrowUp", 1, 10, 4)).toBe(0);
    expect(tileAfter("End", 1, 10, 4)).toBe(9);
    expect(tileAfter("x", 1, 10, 4)).toBeNull();
  });
});

describe("the gallery", () => {
  it("keeps the older pictures that are loaded when newer ones come", () => {
    const shown = page([6, 5, 4, 3], 3);
    const now = withFirstPage(shown, page([8, 7, 6, 5], 5));
    expect(ids(now.items)).toEqual([8, 7, 6, 5, 4, 3]);
    expect(now.next).toBe(3);
  });

  it("loses what is gone from among the newest", () => {
    const shown = page([6, 5, 4, 3], 3);
    expect(ids(withFirstPage(shown, page([6, 4], 4)).items)).toEqual([6, 4, 3]);
    expect(ids(withFirstPage(shown, page([6], null)).items)).toEqual([6]);
  });

  it("begins anew where pictures between were never loaded", () => {
    const now = withFirstPage(page([2, 1], null), page([9, 8], 8));
    expect([ids(now.items), now.next]).toEqual([[9, 8], 8]);
  });

  it("asks for what is sought, a day being one of its words", async () => {
    vi.useFakeTimers();
    const asked: string[] = [];
    vi.stubGlobal("fetch", async (path: string) => {
      asked.push(path);
      if (path.endsWith("/names")) return Response.json({ models: ["m"], families: [] });
      return Response.json(page([1], null));
    });
    seek({ search: "red circle" });
    seek({ date: "2026-11-21", starred: true, model: "m" });
    lookAtGallerySoon();
    await vi.advanceTimersByTimeAsync(1000);
    const [first, ...others] = asked.filter((path) => path.startsWith("/api/gallery?"));
    expect(others).toEqual([]);
    expect(Object.fromEntries(new URL(first ?? "", "http://x").searchParams)).toEqual({
      limit: "100",
      model: "m",
      starred: "true",
      search: "red circle 2026-11-21",
    });
    expect(useGallery.getState().names.models).toEqual(["m"]);
  });

  it("takes back what was thrown away", async () => {
    const asked: string[] = [];
    vi.stubGlobal("fetch", async (path: string, init?: RequestInit) => {
      asked.push(`${init?.method ?? "GET"} ${path}`);
      return Response.json(picture(2, { trashed: 1 }));
    });
    const items = [3, 2, 1].map((id) => picture(id));
    useGallery.setState({ items, chosen: [2, 3] });
    await trashPictures(items.slice(1, 2));
    expect(ids(useGallery.getState().items)).toEqual([3, 1]);
    expect(useGallery.getState().chosen).toEqual([3]);
    const [notice] = useUi.getState().notices;
    notice?.action?.run();
    await vi.waitFor(() => expect(asked).toContain("POST /api/gallery/2/restore"));
  });
});

describe("the viewer", () => {
  const four = [1, 2, 3, 4].map((id) => viewedPicture(picture(id)));
  const place = () => {
    const { viewer } = useUi.getState();
    return viewer && [viewer.at, viewer.other];
  };

  it("goes from picture to picture, not past the ends", () => {
    view(four, 2);
    go(1);
    go(1);
    expect(place()).toEqual([3, null]);
    expect(stepped(4, 0, -1, null)).toBe(0);
  });

  it("compares one picture with any other", () => {
    view(four, 1);
    toggleCompare();
    expect(place()).toEqual([1, 2]);
    go(-1); // over the one that stays
    expect(place()).toEqual([1, 0]);
    toggleCompare();
    expect(place()).toEqual([1, null]);
  });

  it("zooms at the pointer and keeps the picture in sight", () => {
    const size = { width: 400, height: 200 };
    const frame = { width: 200, height: 200 };
    expect(fitScale(size, frame)).toBe(0.5);
    expect(fitScale({ width: 10, height: 10 }, frame)).toBe(4);
    const at = { x: 50, y: 20 };
    const near = zoomed({ scale: 1, x: 0, y: 0 }, 2, at, 0.5);
    // What lies under the pointer, in the picture's pixels from its middle, is the same as before.
    expect([(at.x - near.x) / near.scale, (at.y - near.y) / near.scale]).toEqual([50, 20]);
    expect(heldIn({ scale: 1, x: 500, y: 500 }, size, frame)).toEqual({ scale: 1, x: 100, y: 0 });
  });
});

describe("a batch's grid", () => {
  it("shows one sheet of the axes behind the first two", () => {
    const cell = (...place: number[]) => ({
      cell: place,
      run: { id: place.join(), status: "finished" as const },
    });
    const grid: BatchGrid = {
      id: "b",
      name: "",
      created: 0,
      on_error: "continue",
      counts: {},
      axes: [
        { title: "Seed", labels: ["1", "2"] },
        { title: "Steps", labels: ["4", "8"] },
        { title: "CFG", labels: ["3", "7"] },
      ],
      cells: [cell(0, 0, 0), cell(1, 0, 1), cell(1, 1, 1)],
    };
    const sheet = (place: number) =>
      sheetOf(grid, [place]).map((row) => row.map((entry) => entry?.run.id ?? null));
    expect(sheet(0)).toEqual([
      ["0,0,0", null],
      [null, null],
    ]);
    expect(sheet(1)).toEqual([
      [null, "1,0,1"],
      [null, "1,1,1"],
    ]);
  });
});
