/** What lies over everything: the help sheet, questions, notices, and banners of the page's state. */

import { Upload, X } from "lucide-react";
import { useEffect, useState } from "react";
import { groupTitle, GROUPS } from "../commands/command";
import { COMMANDS } from "../commands/list";
import { useCatalogue } from "../store/catalogue";
import { useActive } from "../store/documents";
import { openTemplate, DEFAULT_TEMPLATE } from "../store/files";
import { type Dialog as Question, dismiss, ui, useUi } from "../store/ui";
import { LanguageChoice } from "./LanguageChoice";
import { Keys } from "./Menus";
import { useFocusInside } from "./Sheet";
import { t } from "../i18n/t";

const BY_HAND: readonly [string, string][] = [
  [t("Drag the empty canvas"), t("move the view")],
  [t("Wheel, pinch"), t("zoom")],
  [t("Shift or Ctrl and drag"), t("select with a box")],
  [t("Double click the canvas"), t("add a node")],
  [t("Drop a wire on the canvas"), t("add a node that takes it")],
  [t("Double click a wire"), t("bend it with a dot")],
  [t("Drag a node onto a wire"), t("put it into the wire")],
  [t("Pull a wire’s end away"), t("disconnect it")],
  [t("Drag a number"), t("change it; Shift is finer")],
  [t("Type 512*1.5"), t("numbers are computed")],
];

const ON_A_SOCKET: readonly [string, string][] = [
  ["Enter", t("Its wires, and where it fits")],
  ["Delete", t("Remove its wire")],
  ["ArrowDown", t("Next socket; ↑ previous")],
  ["ArrowRight", t("To the outputs; ← to the inputs")],
  ["Alt+ArrowRight", t("Along its wire")],
  ["Escape", t("Back to the node")],
];

export function Help() {
  const open = useUi((state) => state.help);
  return open && <OpenHelp />;
}

function OpenHelp() {
  const inside = useFocusInside();
  return (
    <div
      {...inside}
      className="sheet"
      role="dialog"
      aria-modal="true"
      aria-label={t("Keyboard shortcuts")}
      onClick={() => ui({ help: false })}
    >
      <div
        className="sheet-card help"
        data-test="help"
        onClick={(event) => event.stopPropagation()}
      >
        <div className="sheet-title">
          {t("Keyboard and pointer")}
          <LanguageChoice />
          <button
            type="button"
            className="icon-button"
            aria-label={t("Close")}
            autoFocus
            onClick={() => ui({ help: false })}
          >
            <X size={16} />
          </button>
        </div>
        <div className="help-columns">
          {GROUPS.map((group) => (
            <section key={group}>
              <h3>{groupTitle(group)}</h3>
              {COMMANDS.filter((c) => c.group === group && c.keys).map((c) => (
                <div className="help-row" key={c.id}>
                  <span>{c.title}</span>
                  <Keys shortcut={c.keys?.[0] ?? ""} />
                </div>
              ))}
            </section>
          ))}
          <section>
            <h3>{t("On a socket")}</h3>
            {ON_A_SOCKET.map(([keys, what]) => (
              <div className="help-row" key={keys}>
                <span>{what}</span>
                <Keys shortcut={keys} />
              </div>
            ))}
          </section>
          <section>
            <h3>{t("Pointer")}</h3>
            {BY_HAND.map(([hand, what]) => (
              <div className="help-row" key={hand}>
                <span>{hand}</span>
                <span className="list-detail">{what}</span>
              </div>
            ))}
          </section>
        </div>
      </div>
    </div>
  );
}

export function Dialog() {
  const dialog = useUi((state) => state.dialog);
  return dialog && <OpenDialog key={dialog.title} dialog={dialog} />;
}

function OpenDialog({ dialog }: { dialog: Question }) {
  const [value, setValue] = useState(dialog.value ?? "");
  const close = () => ui({ dialog: null });
  const inside = useFocusInside();
  return (
    <div
      {...inside}
      className="sheet"
      role="dialog"
      aria-modal="true"
      aria-label={dialog.title}
      onClick={close}
    >
      <form
        className="sheet-card dialog"
        data-test="dialog"
        onClick={(event) => event.stopPropagation()}
        onSubmit={(event) => {
          event.preventDefault();
          close();
          dialog.done(value);
        }}
      >
        <div className="sheet-title">{dialog.title}</div>
        {dialog.text && <p>{dialog.text}</p>}
        {dialog.value !== undefined && (
          <input
            className="field"
            autoFocus
            aria-label={t("Name")}
            value={value}
            onFocus={(event) => event.target.select()}
            onChange={(event) => setValue(event.target.value)}
          />
        )}
        <div className="dialog-buttons">
          <button type="button" className="button button-quiet" onClick={close}>
            {t("Cancel")}
          </button>
          <button
            type="submit"
            className={`button ${dialog.danger ? "button-danger" : "button-primary"}`}
            autoFocus={dialog.value === undefined}
            data-test="confirm"
          >
            {dialog.confirm}
          </button>
        </div>
      </form>
    </div>
  );
}

export function Notices() {
  const notices = useUi((state) => state.notices);
  return (
    <div className="notices" role="status" aria-live="polite">
      {notices.map((notice) => (
        <div key={notice.id} className="notice" data-kind={notice.kind} data-test="notice">
          <span>{notice.text}</span>
          {notice.action && (
            <button
              type="button"
              className="button button-small"
              onClick={() => {
                notice.action?.run();
                dismiss(notice.id);
              }}
            >
              {notice.action.title}
            </button>
          )}
          <button
            type="button"
            className="icon-button"
            aria-label={t("Dismiss")}
            onClick={() => dismiss(notice.id)}
          >
            <X size={14} />
          </button>
        </div>
      ))}
    </div>
  );
}

const PATIENCE = 1500; // milliseconds that the socket may be away before the page says so

function useLost(): boolean {
  const connected = useCatalogue((state) => state.connected);
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (connected) return setLate(false);
    const timer = setTimeout(() => setLate(true), PATIENCE);
    return () => clearTimeout(timer);
  }, [connected]);
  return late && !connected;
}

export function Banners() {
  const ready = useCatalogue((state) => state.ready);
  const worker = useCatalogue((state) => state.worker);
  const readOnly = useActive((document) => document.readOnly);
  const lost = useLost();
  let text: string | null = null;
  let kind = "info";
  if (lost) {
    text = t(
      "The server does not answer. Your workflow is kept here; the page reconnects by itself.",
    );
    kind = "error";
  } else if (worker.state === "stopped") {
    text = worker.message || t("The worker has stopped. It is started again with the next run.");
    kind = "error";
  } else if (!ready)
    text = t("Starting: the nodes are being loaded. You can look around meanwhile.");
  else if (readOnly)
    text = t("This workflow was made by a newer program. It is shown and cannot be changed.");
  return text ? (
    <div className="banner" data-kind={kind} role="status" data-test="banner">
      {text}
    </div>
  ) : null;
}

/** What to do on an empty canvas. */
export function EmptyCanvas() {
  const empty = useActive((document) => Object.keys(document.workflow.nodes).length === 0);
  const ready = useCatalogue((state) => state.ready);
  if (!empty || !ready) return null;
  return (
    <div className="empty-canvas" data-test="empty-canvas">
      <p>{t("Double click the canvas to add a node, or drop a workflow or a picture here.")}</p>
      <button type="button" className="button" onClick={() => void openTemplate(DEFAULT_TEMPLATE)}>
        {t("Open the text-to-image template")}
      </button>
      <button type="button" className="button" onClick={() => ui({ sheet: { kind: "templates" } })}>
        {t("See all templates")}
      </button>
    </div>
  );
}

export function DropHint() {
  const dropping = useUi((state) => state.dropping);
  return dropping ? (
    <div className="drop-hint" data-test="drop-hint">
      <span>
        <Upload size={20} aria-hidden="true" />
        {t("Drop to open the workflow inside")}
      </span>
    </div>
  ) : null;
}
