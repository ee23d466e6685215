/** The frame of what lies over the page: a title, a way to close it, and a focus that stays inside. */

import { X } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { ui } from "../store/ui";
import { t } from "../i18n/t";

const STOPS =
  'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea, [tabindex="0"]';

let lastBelow: Element | null = null;

/** Remember what had the focus below: once the page is covered it has it no more. The answer ends it. */
export function followFocus(): () => void {
  const follow = ({ target }: FocusEvent) => {
    if (target instanceof Element && target.closest(".page")) lastBelow = target;
  };
  document.addEventListener("focusin", follow);
  return () => document.removeEventListener("focusin", follow);
}

/** What has the focus, or had it until the page was covered. */
function holder(): Element | null {
  const now = document.activeElement;
  return now && now !== document.body ? now : lastBelow;
}

/** Give the focus back to what had it, or to the canvas, unless something else has taken it. */
function giveBack(before: Element | null): void {
  if (document.activeElement && document.activeElement !== document.body) return;
  const there = before instanceof HTMLElement && before.isConnected;
  (there ? before : document.querySelector<HTMLElement>(".canvas"))?.focus({ preventScroll: true });
}

/** Keeps Tab inside of an element, and gives the focus back when the element goes. */
export function useFocusInside() {
  const frame = useRef<HTMLDivElement>(null);
  const [before] = useState(holder); // what is inside may take it at once
  useEffect(() => {
    if (!frame.current?.contains(document.activeElement)) frame.current?.focus();
    return () => giveBack(before);
  }, [before]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Tab" || event.altKey || event.ctrlKey) return;
    const stops = [...(frame.current?.querySelectorAll<HTMLElement>(STOPS) ?? [])].filter(
      (stop) => stop.offsetParent !== null,
    );
    const end = event.shiftKey ? stops[0] : stops.at(-1);
    const begin = event.shiftKey ? stops.at(-1) : stops[0];
    const outside = document.activeElement === frame.current && event.shiftKey;
    if (document.activeElement !== end && !outside) return;
    event.preventDefault();
    begin?.focus();
  };
  return { ref: frame, tabIndex: -1, onKeyDown };
}

interface Props {
  title: string;
  /** What it is called in tests, and in the class of its card. */
  name: string;
  children: ReactNode;
  /** Beside the title. */
  extra?: ReactNode;
  /** It fills the window. */
  full?: boolean;
}

export const closeSheet = () => ui({ sheet: null });

export function Sheet({ title, name, children, extra, full }: Props) {
  const inside = useFocusInside();
  return (
    <div
      {...inside}
      className={full ? "sheet sheet-full" : "sheet"}
      role="dialog"
      aria-modal="true"
      aria-label={title}
      onPointerDown={(event) => event.target === event.currentTarget && closeSheet()}
    >
      <div className={`sheet-card sheet-${name}`} data-test={name}>
        <header className="sheet-title">
          <h2>{title}</h2>
          {extra}
          <button
            type="button"
            className="icon-button"
            aria-label={t("Close")}
            title={t("Close (Esc)")}
            onClick={closeSheet}
          >
            <X size={16} />
          </button>
        </header>
        {children}
      </div>
    </div>
  );
}
