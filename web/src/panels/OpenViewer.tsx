/** One picture of several, large: zoom, the others by keys, what is known of it, two compared. */

import {
  ChevronLeft,
  ChevronRight,
  Columns2,
  Download,
  Info,
  RotateCcw,
  Star,
  Trash2,
  Workflow as WorkflowIcon,
  X,
} from "lucide-react";
import { type ComponentType, useEffect, useState } from "react";
import { openRun } from "../store/files";
import { rerunPicture, starPicture, trashPicture } from "../store/gallery";
import { ui } from "../store/ui";
import { go, goTo, toggleCompare, type Viewed, type Viewing } from "../store/viewer";
import type { Size } from "../workflow/zoom";
import { useFocusInside } from "./Sheet";
import { ViewerInfo } from "./ViewerInfo";
import { ViewerStage } from "./ViewerStage";
import { t } from "../i18n/t";

const BESIDE = 12; // small pictures before and after the shown one

const close = () => ui({ viewer: null });

interface ToolProps {
  icon: ComponentType<{ size?: number; fill?: string }>;
  title: string;
  test: string;
  pressed?: boolean;
  full?: boolean;
  onClick(): void;
}

function Tool({ icon: Icon, title, test, pressed, full, onClick }: ToolProps) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={title}
      aria-pressed={pressed}
      title={title}
      data-test={test}
      onClick={onClick}
    >
      <Icon size={16} fill={full ? "currentColor" : "none"} />
    </button>
  );
}

/** The keys of what can be done; those of zooming are the stage's. */
function useKeys(shown: Viewed | undefined, toggleInfo: () => void): void {
  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const { picture } = shown ?? {};
      if (event.key === "ArrowRight") go(1);
      else if (event.key === "ArrowLeft") go(-1);
      else if (event.key === "i") toggleInfo();
      else if (event.key === "c") toggleCompare();
      else if (event.key === "s" && picture) void starPicture(picture, !picture.starred);
      else if (event.key === "r" && picture) void rerunPicture(picture);
      else if (event.key === "Delete" && picture && !picture.trashed) void trashPicture(picture);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", keys);
    return () => window.removeEventListener("keydown", keys);
  });
}

/** The pictures beside the shown ones are fetched before they are asked for. */
function usePreloaded(pictures: Viewed[], at: number): void {
  useEffect(() => {
    for (const near of [pictures[at + 1], pictures[at - 1]]) if (near) new Image().src = near.url;
  }, [pictures, at]);
}

export default function OpenViewer({ viewing: { pictures, at, other } }: { viewing: Viewing }) {
  const [info, setInfo] = useState(() => innerWidth >= 1100);
  const [size, setSize] = useState<Size | null>(null);
  const inside = useFocusInside();
  const shown = pictures[at];
  const second = other === null ? undefined : pictures[other];
  useKeys(shown, () => setInfo(!info));
  usePreloaded(pictures, at);
  if (!shown) return null;
  const { picture, run } = shown;
  return (
    <div
      {...inside}
      className="viewer"
      role="dialog"
      aria-modal="true"
      aria-label={t("Picture: {title}", { title: shown.title })}
      data-test="viewer"
    >
      <header className="viewer-bar">
        <span className="viewer-title" title={shown.title}>
          {second
            ? t("{title}, and {title2}", { title: shown.title, title2: second.title })
            : shown.title}
        </span>
        <span className="list-detail" data-test="viewer-count">
          {t("{value} of {count}", { value: at + 1, count: pictures.length })}
        </span>
        {picture && (
          <Tool
            icon={Star}
            title={picture.starred ? t("Take the star back (S)") : t("Give it a star (S)")}
            test="viewer-star"
            pressed={picture.starred}
            full={picture.starred}
            onClick={() => void starPicture(picture, !picture.starred)}
          />
        )}
        {pictures.length > 1 && (
          <Tool
            icon={Columns2}
            title={t("Compare two (C)")}
            test="viewer-compare"
            pressed={second !== undefined}
            onClick={toggleCompare}
          />
        )}
        <Tool
          icon={Info}
          title={t("What is known of it (I)")}
          test="viewer-about"
          pressed={info}
          onClick={() => setInfo(!info)}
        />
        <a
          className="icon-button"
          href={shown.url}
          download={shown.url.split("/").at(-1)}
          aria-label={t("Download")}
          title={t("Download")}
        >
          <Download size={16} />
        </a>
        {picture?.seed_at && run && (
          <Tool
            icon={RotateCcw}
            title={t("Run it again with another seed (R)")}
            test="viewer-rerun"
            onClick={() => void rerunPicture(picture)}
          />
        )}
        {picture && !picture.trashed && (
          <Tool
            icon={Trash2}
            title={t("Into the trash (Del)")}
            test="viewer-trash"
            onClick={() => void trashPicture(picture)}
          />
        )}
        {run && (
          <button
            type="button"
            className="button"
            data-test="open-workflow"
            onClick={() => void openRun(run)}
          >
            <WorkflowIcon size={14} aria-hidden="true" />
            <span>{t("Open its workflow")}</span>
          </button>
        )}
        <Tool icon={X} title={t("Close (Esc)")} test="viewer-close" onClick={close} />
      </header>
      <div className="viewer-middle">
        <ViewerStage
          url={shown.url}
          title={shown.title}
          other={second ?? null}
          onClose={close}
          onSize={setSize}
        />
        {at > 0 && <Step side="left" />}
        {at < pictures.length - 1 && <Step side="right" />}
        {info && <ViewerInfo viewed={second ?? shown} size={second ? null : size} />}
      </div>
      {pictures.length > 1 && <Strip pictures={pictures} at={at} other={other} />}
    </div>
  );
}

function Step({ side }: { side: "left" | "right" }) {
  const Icon = side === "left" ? ChevronLeft : ChevronRight;
  const title = side === "left" ? t("The picture before (←)") : t("The next picture (→)");
  return (
    <button
      type="button"
      className={`icon-button viewer-step viewer-${side}`}
      aria-label={title}
      title={title}
      onClick={() => go(side === "left" ? -1 : 1)}
    >
      <Icon size={20} />
    </button>
  );
}

/** Small pictures of those around the shown one. */
function Strip({ pictures, at, other }: Viewing) {
  const from = Math.max(0, Math.min(other ?? at, at) - BESIDE);
  return (
    <nav className="viewer-strip" aria-label={t("Other pictures")}>
      {pictures.slice(from, Math.max(other ?? at, at) + BESIDE + 1).map((picture, index) => {
        const place = from + index;
        return (
          <button
            key={picture.url}
            type="button"
            aria-label={picture.title}
            aria-current={place === at || undefined}
            data-other={place === other || undefined}
            tabIndex={-1}
            ref={(button) => {
              if (place === (other ?? at)) button?.scrollIntoView({ block: "nearest" });
            }}
            onClick={() => goTo(place)}
          >
            <img src={picture.thumbnail ?? picture.url} alt="" loading="lazy" draggable={false} />
          </button>
        );
      })}
    </nav>
  );
}
