/** The newest pictures in a side panel; all of them, and more ways to find one, are a click away. */

import { Maximize2, Search, Star } from "lucide-react";
import { useEffect } from "react";
import { lookAtGallerySoon, seek, useGallery } from "../store/gallery";
import { ui } from "../store/ui";
import { GalleryGrid } from "./GalleryGrid";
import { t } from "../i18n/t";

export const NO_PICTURES = t(
  "No pictures yet. Write what you want to see into the prompt and press Run.",
);

export function GallerySearch({ placeholder = t("Search pictures") }: { placeholder?: string }) {
  const search = useGallery((state) => state.sought.search);
  return (
    <label className="panel-search">
      <Search size={14} aria-hidden="true" />
      <input
        value={search}
        aria-label={t("Search pictures by prompt, title, model, family or date")}
        placeholder={placeholder}
        data-test="gallery-search"
        onChange={(event) => seek({ search: event.target.value })}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || !search) return;
          event.stopPropagation();
          seek({ search: "" });
        }}
      />
    </label>
  );
}

export function Gallery() {
  const { search, starred } = useGallery((state) => state.sought);
  const trouble = useGallery((state) => state.trouble);
  useEffect(() => lookAtGallerySoon(), []);
  return (
    <>
      <div className="gallery-tools">
        <GallerySearch placeholder={t("Search")} />
        <button
          type="button"
          className="icon-button"
          aria-label={t("Starred only")}
          aria-pressed={starred}
          title={t("Starred only")}
          onClick={() => seek({ starred: !starred })}
        >
          <Star size={14} />
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label={t("All pictures")}
          title={t("All pictures (Shift+G)")}
          data-test="open-gallery"
          onClick={() => ui({ sheet: { kind: "gallery" } })}
        >
          <Maximize2 size={14} />
        </button>
      </div>
      {trouble && <div className="empty">{trouble}</div>}
      <GalleryGrid
        wanted={96}
        empty={search || starred ? t("No picture is like this.") : NO_PICTURES}
      />
    </>
  );
}
