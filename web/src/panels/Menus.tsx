/** What opens at the pointer: the context menu, and the card of a refused wire. */

import { CircleAlert, X } from "lucide-react";
import { Fragment, useEffect, useLayoutEffect, useRef, useState } from "react";
import { type Command, isInMenu } from "../commands/command";
import { keysOf } from "../commands/keys";
import { COMMANDS } from "../commands/list";
import { Reasons } from "../nodes/NodeProblems";
import { type ContextMenu as Menu, type MenuPlace, type Refusal, ui, useUi } from "../store/ui";
import type { Point } from "../workflow/edits";
import { AlignRow } from "./AlignRow";
import { t } from "../i18n/t";

/** Keep a card inside the window once its size is known. */
function useInside(screen: Point, gap: number) {
  const ref = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: screen.x + gap, top: screen.y + gap });
  useLayoutEffect(() => {
    const box = ref.current?.getBoundingClientRect();
    if (!box) return;
    setPlace({
      left: Math.max(8, Math.min(screen.x + gap, innerWidth - box.width - 8)),
      top: Math.max(8, Math.min(screen.y + gap, innerHeight - box.height - 8)),
    });
  }, [screen, gap]);
  return { ref, place };
}

export function Keys({ shortcut }: { shortcut: string }) {
  return (
    <span className="keys">
      {keysOf(shortcut).map((key) => (
        <kbd key={key}>{key}</kbd>
      ))}
    </span>
  );
}

export function ContextMenu() {
  const menu = useUi((state) => state.contextMenu);
  return menu && <OpenContextMenu key={`${menu.screen.x},${menu.screen.y}`} menu={menu} />;
}

/** The commands of the place that was clicked; those of a widget come before its node's. */
function entriesOf(place: MenuPlace): Command[] {
  const own = COMMANDS.filter((command) => isInMenu(command, place) && (command.fits?.() ?? true));
  return place === "widget" ? [...own, ...entriesOf("node")] : own;
}

function OpenContextMenu({ menu }: { menu: Menu }) {
  const { screen, at, place } = menu;
  const inside = useInside(screen, 0);
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  const entries = entriesOf(place);
  const keys = (event: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (/^\p{L}$/u.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault(); // a letter searches the commands
      ui({ contextMenu: null, palette: { mode: "commands", query: event.key } });
    }
    if (!step) return;
    event.preventDefault();
    const items = [...(inside.ref.current?.querySelectorAll("button") ?? [])];
    const now = items.indexOf(document.activeElement as HTMLButtonElement);
    items[(now + step + items.length) % items.length]?.focus();
  };
  return (
    <>
      <div
        className="backdrop"
        onPointerDown={() => ui({ contextMenu: null })}
        onContextMenu={(event) => event.preventDefault()}
      />
      <div
        ref={inside.ref}
        className="popover menu"
        role="menu"
        style={inside.place}
        onKeyDown={keys}
      >
        {place === "node" && <AlignRow onDone={() => ui({ contextMenu: null })} />}
        {entries.map((entry, index) => (
          <Fragment key={entry.id}>
            {index > 0 && entries[index - 1]?.group !== entry.group && (
              <div className="menu-divider" role="separator" />
            )}
            <button
              ref={index === 0 ? first : undefined}
              type="button"
              role="menuitem"
              className="menu-item"
              data-command={entry.id}
              onClick={() => {
                ui({ contextMenu: null });
                entry.run(at, menu);
              }}
            >
              {entry.title}
              {entry.keys?.[0] && <Keys shortcut={entry.keys[0]} />}
            </button>
          </Fragment>
        ))}
      </div>
    </>
  );
}

export function RefusalCard() {
  const refusal = useUi((state) => state.refusal);
  return refusal && <OpenRefusal key={refusal.problem.message} refusal={refusal} />;
}

function OpenRefusal({ refusal }: { refusal: Refusal }) {
  const inside = useInside(refusal.screen, 12);
  const close = () => ui({ refusal: null });
  return (
    <div
      ref={inside.ref}
      className="popover refusal"
      role="alertdialog"
      aria-label={t("This wire does not fit")}
      data-test="refusal"
      style={inside.place}
    >
      <button
        type="button"
        className="icon-button refusal-close"
        aria-label={t("Close")}
        onClick={close}
      >
        <X size={14} />
      </button>
      <div className="problem" data-severity="error">
        <p>
          <CircleAlert size={14} aria-hidden="true" />
          <span data-test="refusal-message">{refusal.problem.message}</span>
        </p>
        <Reasons problem={refusal.problem} />
        {refusal.choices.length > 0 && (
          <div className="problem-fixes">
            {refusal.choices.map((choice, index) => (
              <button
                key={`${choice.title}-${index}`}
                type="button"
                className="button button-small"
                data-fix={index}
                onClick={() => {
                  close();
                  choice.apply();
                }}
              >
                {choice.title}
              </button>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}
