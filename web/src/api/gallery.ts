/** The forms of data about saved pictures, named as the server names them. */

export interface Picture {
  id: number;
  /** Null once its run was forgotten. */
  run: string | null;
  node: string;
  file: string;
  url: string;
  /** A small form of it; `?thumbnail=` takes other sizes, too. */
  thumbnail: string;
  /** Pixels; 0 where unknown. */
  width: number;
  height: number;
  /** Seconds since 1970. */
  created: number;
  title: string;
  prompt: string;
  models: string[];
  families: string[];
  seed: string;
  /** The node and the widget that hold the seed. */
  seed_at: [string, string] | null;
  starred: boolean;
  /** When it was thrown away. */
  trashed: number | null;
}

/** What pictures are asked for; each word of `search` begins a word of what is known of them. */
export interface Sought {
  search: string;
  model: string | null;
  family: string | null;
  starred: boolean;
  trash: boolean;
  /** A day, "2026-11-21"; "" for every day. */
  date: string;
}

export interface GalleryAnswer {
  items: Picture[];
  /** Where the pictures behind them begin; null at the end. */
  next: number | null;
  /** Of all that are as asked for; on the first page only. */
  total: number | null;
}

export interface GalleryNames {
  models: string[];
  families: string[];
}
