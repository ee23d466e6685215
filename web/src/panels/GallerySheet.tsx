/** All pictures: found by words, model, family and date; starred, compared, thrown away, fetched back. */

import { Columns2, RotateCcw, Star, Trash2, Undo2, X } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import type { Picture, Sought } from "../api/gallery";
import {
  emptyTrash,
  rerunPicture,
  restorePictures,
  seek,
  starPicture,
  trashPictures,
  useGallery,
} from "../store/gallery";
import { ui } from "../store/ui";
import { view, viewedPicture } from "../store/viewer";
import { GallerySearch, NO_PICTURES } from "./Gallery";
import { GalleryGrid } from "./GalleryGrid";
import { Sheet } from "./Sheet";
import { plural, t } from "../i18n/t";

function Names({ of, title }: { of: "model" | "family"; title: string }) {
  const names = useGallery((state) => state.names[of === "model" ? "models" : "families"]);
  const value = useGallery((state) => state.sought[of]);
  return (
    <select
      className="field"
      aria-label={title}
      data-test={`gallery-${of}`}
      value={value ?? ""}
      onChange={(event) => seek({ [of]: event.target.value || null })}
    >
      <option value="">{title}</option>
      {names.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Toggle({ of, children }: { of: "starred" | "trash"; children: ReactNode }) {
  const on = useGallery((state) => state.sought[of]);
  return (
    <button
      type="button"
      className="button button-quiet gallery-toggle"
      aria-pressed={on}
      data-test={`gallery-${of}`}
      onClick={() => seek({ [of]: !on })}
    >
      {children}
    </button>
  );
}

function Filters() {
  const date = useGallery((state) => state.sought.date);
  return (
    <div className="gallery-filters">
      <GallerySearch placeholder={t("Search prompts, titles, models")} />
      <Names of="model" title={t("Any model")} />
      <Names of="family" title={t("Any family")} />
      <input
        className="field"
        type="date"
        aria-label={t("Made on this day")}
        data-test="gallery-date"
        value={date}
        onChange={(event) => seek({ date: event.target.value })}
      />
      <Toggle of="starred">
        <Star size={14} aria-hidden="true" />
        {t("Starred")}
      </Toggle>
      <Toggle of="trash">
        <Trash2 size={14} aria-hidden="true" />
        {t("Trash")}
      </Toggle>
    </div>
  );
}

function compare(chosen: readonly Picture[]): void {
  const { items } = useGallery.getState();
  const at = (picture: Picture | undefined) => items.findIndex(({ id }) => id === picture?.id);
  view(items.map(viewedPicture), at(chosen[0]), at(chosen[1]));
}

interface ActionProps {
  icon: ReactNode;
  title: string;
  test: string;
  disabled?: boolean;
  onClick(): void;
}

function Action({ icon, title, test, disabled, onClick }: ActionProps) {
  return (
    <button
      type="button"
      className="button"
      aria-label={title}
      title={title}
      disabled={disabled}
      data-test={test}
      onClick={onClick}
    >
      {icon}
      <span>{title}</span>
    </button>
  );
}

/** What can be done with the pictures that are chosen. */
function Chosen() {
  const items = useGallery((state) => state.items);
  const ids = useGallery((state) => state.chosen);
  const trash = useGallery((state) => state.sought.trash);
  const chosen = ids.flatMap((id) => items.find((item) => item.id === id) ?? []);
  const [first] = chosen;
  if (!first) return null;
  const clear = () => useGallery.setState({ chosen: [] });
  return (
    <div className="gallery-chosen" role="toolbar" aria-label={t("The chosen pictures")}>
      <span>{t("{count} chosen", { count: chosen.length })}</span>
      {trash ? (
        <Action
          icon={<Undo2 size={14} aria-hidden="true" />}
          title={t("Put back")}
          test="gallery-restore"
          onClick={() => void restorePictures(chosen)}
        />
      ) : (
        <>
          <Action
            icon={<Columns2 size={14} aria-hidden="true" />}
            title={t("Compare")}
            test="gallery-compare"
            disabled={chosen.length !== 2}
            onClick={() => compare(chosen)}
          />
          <Action
            icon={<Star size={14} aria-hidden="true" />}
            title={t("Star")}
            test="gallery-star"
            onClick={() => chosen.forEach((picture) => void starPicture(picture, true))}
          />
          <Action
            icon={<RotateCcw size={14} aria-hidden="true" />}
            title={t("Rerun with another seed")}
            test="gallery-rerun"
            onClick={() => chosen.forEach((picture) => void rerunPicture(picture))}
          />
          <Action
            icon={<Trash2 size={14} aria-hidden="true" />}
            title={t("Into the trash")}
            test="gallery-to-trash"
            onClick={() => void trashPictures(chosen)}
          />
        </>
      )}
      <button
        type="button"
        className="icon-button"
        aria-label={t("Choose none")}
        title={t("Choose none")}
        onClick={clear}
      >
        <X size={14} />
      </button>
    </div>
  );
}

function askEmpty(count: number): void {
  ui({
    dialog: {
      title: count === 1 ? t("Delete this picture?") : t("Delete {count} pictures?", { count }),
      text: t("What is in the trash is deleted from disk. This cannot be undone."),
      confirm: t("Delete for good"),
      danger: true,
      done: () => void emptyTrash(),
    },
  });
}

function emptySentence({ search, model, family, starred, date, trash }: Sought): string {
  if (search || model || family || starred || date) return t("No picture is like this.");
  return trash ? t("The trash is empty.") : NO_PICTURES;
}

/** What the panel could not show as sought is sought no longer once the sheet is closed. */
function useForgotten(): void {
  useEffect(
    () => () => {
      const { model, family, date, trash } = useGallery.getState().sought;
      useGallery.setState({ chosen: [] });
      if (model || family || date || trash)
        seek({ model: null, family: null, date: "", trash: false });
    },
    [],
  );
}

export default function GallerySheet() {
  useForgotten();
  const total = useGallery((state) => state.total);
  const sought = useGallery((state) => state.sought);
  const trouble = useGallery((state) => state.trouble);
  const counted = total === null ? "" : plural(total, "1 picture", "{count} pictures");
  return (
    <Sheet
      title={sought.trash ? t("Trash") : t("Pictures")}
      name="gallery-sheet"
      full
      extra={
        <>
          <span className="list-detail" data-test="gallery-total">
            {counted}
          </span>
          {sought.trash && Boolean(total) && (
            <button
              type="button"
              className="button button-small"
              data-test="gallery-empty"
              onClick={() => askEmpty(total ?? 0)}
            >
              {t("Empty the trash")}
            </button>
          )}
        </>
      }
    >
      <Filters />
      {trouble && <div className="empty">{trouble}</div>}
      <GalleryGrid wanted={176} choosing empty={emptySentence(sought)} />
      <Chosen />
    </Sheet>
  );
}
