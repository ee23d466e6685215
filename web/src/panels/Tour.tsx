/** Five steps from a prompt to a picture, each beside the thing it is about. */

import { useEffect, useLayoutEffect, useState } from "react";
import { endTour, goTo, useTour } from "../store/tour";
import { t } from "../i18n/t";

interface Step {
  title: string;
  text: string;
  /** What it is about, the first that is there. */
  at: string;
}

const STEPS: readonly Step[] = [
  {
    title: t("Write what you want to see"),
    text: t(
      "The small model that ships here draws shapes, such as “a small green star above a large yellow square on a black background”. Below the text stands how much of it fits.",
    ),
    at: '[data-type="clip_text_encode"]',
  },
  {
    title: t("Run"),
    text: t(
      "Ctrl+Enter does the same. Beside the button stands what will happen: what has not changed is taken from the cache.",
    ),
    at: ".run-bar",
  },
  {
    title: t("Wires have a kind and a space"),
    text: t(
      "A socket’s shape says what it carries, its colour whose latents those are. What does not belong together is refused while you drag, with the reason and the mend.",
    ),
    at: '[data-type="k_sampler"] .node-sockets',
  },
  {
    title: t("Look inside"),
    text: t(
      "After a run, click a socket on a node’s right side: the picture, the latent step by step, or how the prompt was read.",
    ),
    at: '[data-type="k_sampler"] [data-socket$=":latent:out"]',
  },
  {
    title: t("Go on from here"),
    text: t(
      "Nodes, templates and models are here on the left. Right-click a node for its help, or the canvas to make a form of the workflow for others.",
    ),
    at: ".side-left .rail",
  },
];

const MARGIN = 16;
const CARD = { width: 320, height: 200 };

export default function Tour() {
  const step = useTour((state) => state.step) ?? 0;
  const current = STEPS[step];
  const box = useBox(current?.at ?? "");
  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      endTour();
    };
    window.addEventListener("keydown", keys, true);
    return () => window.removeEventListener("keydown", keys, true);
  }, []);
  if (!current) return null;
  const last = step === STEPS.length - 1;
  return (
    <>
      {box && (
        <div
          className="tour-ring"
          style={{
            left: box.left - 6,
            top: box.top - 6,
            width: box.width + 12,
            height: box.height + 12,
          }}
        />
      )}
      <div
        className="tour-card"
        role="dialog"
        aria-label={t("Tour, step {value} of {count}", { value: step + 1, count: STEPS.length })}
        data-test="tour"
        style={beside(box)}
      >
        <h2>{current.title}</h2>
        <p>{current.text}</p>
        <div className="tour-foot">
          <span>{t("{value} of {count}", { value: step + 1, count: STEPS.length })}</span>
          {step > 0 && (
            <button
              type="button"
              className="button button-small button-quiet"
              onClick={() => goTo(step - 1)}
            >
              {t("Back")}
            </button>
          )}
          {!last && (
            <button type="button" className="button button-small button-quiet" onClick={endTour}>
              {t("Leave")}
            </button>
          )}
          <button
            type="button"
            className="button button-small button-primary"
            autoFocus
            key={step}
            data-test="tour-next"
            onClick={() => (last ? endTour() : goTo(step + 1))}
          >
            {last ? t("Done") : t("Next")}
          </button>
        </div>
      </div>
    </>
  );
}

/** Right of the thing where there is room, else left of it, else above or below. */
function beside(box: DOMRect | null): { left: number; top: number } {
  const inside = (value: number, most: number) => Math.max(MARGIN, Math.min(value, most - MARGIN));
  if (!box) return { left: (innerWidth - CARD.width) / 2, top: innerHeight / 3 };
  const top = inside(box.top, innerHeight - CARD.height);
  if (box.right + MARGIN + CARD.width < innerWidth) return { left: box.right + MARGIN, top };
  if (box.left - MARGIN - CARD.width > 0) return { left: box.left - MARGIN - CARD.width, top };
  const above = box.top - MARGIN - CARD.height;
  return {
    left: inside(box.left, innerWidth - CARD.width),
    top: above > 0 ? above : inside(box.bottom + MARGIN, innerHeight - CARD.height),
  };
}

/** Where the thing is now; it moves with the canvas and the window. */
function useBox(selector: string): DOMRect | null {
  const [box, setBox] = useState<DOMRect | null>(null);
  useLayoutEffect(() => {
    let frame = 0;
    const look = () => {
      const found = document.querySelector(selector)?.getBoundingClientRect() ?? null;
      setBox((before) => (same(before, found) ? before : found));
      frame = requestAnimationFrame(look);
    };
    look();
    return () => cancelAnimationFrame(frame);
  }, [selector]);
  return box;
}

function same(one: DOMRect | null, other: DOMRect | null): boolean {
  if (!one || !other) return one === other;
  return (["left", "top", "width", "height"] as const).every((edge) => one[edge] === other[edge]);
}
