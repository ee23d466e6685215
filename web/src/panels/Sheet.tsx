/** The frame of what lies over the page: a title, a way to close it, and a focus that stays inside. */

import { X } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";
import { ui } from "../store/ui";
import { t } from "../i18n/t";

const STOPS =
  'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea, [tabindex="0"]';

/** Keeps Tab inside of an element, and gives the focus back when the element goes. */
export function useFocusInside() {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    if (!frame.current?.contains(before)) frame.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
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
