/** Pictures as tiles, of which only those in view are drawn; thousands scroll as lightly as ten. */

import { Check, Star } from "lucide-react";
import {
  type KeyboardEvent,
  memo,
  type ReactNode,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { Picture } from "../api/gallery";
import { choose, loadMore, starPicture, trashPictures, useGallery } from "../store/gallery";
import { view, viewedPicture } from "../store/viewer";
import { thumbnailFor, tileAfter, tilesIn } from "../workflow/tiles";
import { t } from "../i18n/t";

const GAP = 6;
const AHEAD = 600; // pixels above the end at which more is loaded

function openPicture(id: number): void {
  const { items } = useGallery.getState();
  view(
    items.map(viewedPicture),
    items.findIndex((item) => item.id === id),
  );
}

function spoken(picture: Picture): string {
  const when = new Date(picture.created * 1000).toLocaleString();
  return [picture.starred && t("Starred"), picture.prompt || picture.title || t("Picture"), when]
    .filter(Boolean)
    .join(", ");
}

interface TileProps {
  picture: Picture;
  index: number;
  side: number;
  left: number;
  top: number;
  /** The one that Tab leads to. */
  active: boolean;
  chosen: boolean;
  /** Tiles can be chosen. */
  choosing: boolean;
}

const Tile = memo(function Tile(props: TileProps) {
  const { picture, index, side, left, top, active, chosen, choosing } = props;
  const ratio = typeof devicePixelRatio === "number" ? devicePixelRatio : 1;
  return (
    <div
      className="tile"
      role="listitem"
      aria-posinset={index + 1}
      data-chosen={chosen || undefined}
      style={{ width: side, height: side, transform: `translate(${left}px, ${top}px)` }}
    >
      <button
        type="button"
        className="thumb"
        title={spoken(picture)}
        aria-label={spoken(picture)}
        tabIndex={active ? 0 : -1}
        data-test="thumb"
        data-run={picture.run ?? undefined}
        data-picture={picture.id}
        data-index={index}
        onClick={() => openPicture(picture.id)}
      >
        <img src={thumbnailFor(picture.url, side, ratio)} alt="" loading="lazy" draggable={false} />
      </button>
      {!picture.trashed && (
        <button
          type="button"
          className="tile-mark tile-star"
          aria-label={picture.starred ? t("Take the star back") : t("Give it a star")}
          title={picture.starred ? t("Take the star back (S)") : t("Give it a star (S)")}
          aria-pressed={picture.starred}
          tabIndex={-1}
          data-test="star"
          onClick={() => void starPicture(picture, !picture.starred)}
        >
          <Star size={14} fill={picture.starred ? "currentColor" : "none"} />
        </button>
      )}
      {choosing && (
        <button
          type="button"
          className="tile-mark tile-choose"
          role="checkbox"
          aria-checked={chosen}
          aria-label={t("Choose this picture")}
          title={t("Choose it (Space)")}
          tabIndex={-1}
          data-test="choose"
          onClick={() => choose(picture.id, !chosen)}
        >
          {chosen && <Check size={14} />}
        </button>
      )}
    </div>
  );
});

/** How large the list is and how far it is scrolled. */
function useScroll() {
  const ref = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ width: 0, height: 0, scrolled: 0 });
  useLayoutEffect(() => {
    const list = ref.current;
    if (!list) return;
    const look = () => {
      const style = getComputedStyle(list);
      const width =
        list.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      setPlace({ width, height: list.clientHeight, scrolled: list.scrollTop });
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(list);
    list.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      list.removeEventListener("scroll", look);
    };
  }, []);
  return { ref, place };
}

interface Props {
  /** About how wide a tile is, in pixels. */
  wanted: number;
  choosing?: boolean;
  empty: ReactNode;
}

export function GalleryGrid({ wanted, choosing = false, empty }: Props) {
  const items = useGallery((state) => state.items);
  const more = useGallery((state) => state.next !== null);
  const known = useGallery((state) => state.known);
  const chosen = useGallery((state) => state.chosen);
  const { ref, place } = useScroll();
  const [at, setAt] = useState(0);
  const focusAt = useRef<number | null>(null);
  const { columns, side, height, from, to } = tilesIn(place, items.length, wanted, GAP);
  const active = Math.min(at, Math.max(0, items.length - 1));

  useEffect(() => {
    if (more && height - place.scrolled - place.height < AHEAD) void loadMore();
  }, [more, height, place]);
  useEffect(() => {
    if (focusAt.current === null) return;
    const tile = ref.current?.querySelector<HTMLElement>(`[data-index="${focusAt.current}"]`);
    if (!tile) return;
    focusAt.current = null;
    tile.focus({ preventScroll: true });
  });

  const go = (to: number) => {
    setAt(to);
    focusAt.current = to;
    const list = ref.current;
    if (!list) return;
    const top = Math.floor(to / columns) * (side + GAP);
    if (top < list.scrollTop) list.scrollTop = top;
    if (top + side > list.scrollTop + list.clientHeight)
      list.scrollTop = top + side - list.clientHeight + GAP;
  };
  const keys = (event: KeyboardEvent) => {
    const picture = items[active];
    if (event.altKey || event.ctrlKey || event.metaKey || !picture) return;
    const next = tileAfter(event.key, active, items.length, columns);
    if (next !== null) go(next);
    else if (event.key === "s" && !picture.trashed) void starPicture(picture, !picture.starred);
    else if (event.key === " " && choosing) choose(picture.id, !chosen.includes(picture.id));
    else if (event.key === "Delete" && !picture.trashed) void trashPictures([picture]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={ref}
      className="tiles"
      data-test="gallery"
      onKeyDown={keys}
      onFocus={({ target }) => {
        const index = target.closest(".tile")?.querySelector("[data-index]");
        if (index) setAt(Number(index.getAttribute("data-index")));
      }}
    >
      <div role="list" aria-label={t("Pictures")} style={{ height, position: "relative" }}>
        {items.slice(from, to).map((picture, offset) => {
          const index = from + offset;
          return (
            <Tile
              key={picture.id}
              picture={picture}
              index={index}
              side={side}
              left={(index % columns) * (side + GAP)}
              top={Math.floor(index / columns) * (side + GAP)}
              active={index === active}
              chosen={chosen.includes(picture.id)}
              choosing={choosing}
            />
          );
        })}
      </div>
      {known && items.length === 0 && <div className="empty">{empty}</div>}
    </div>
  );
}
