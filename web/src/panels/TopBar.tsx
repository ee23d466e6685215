/** The top: a tab for each open workflow, and what concerns the whole page. */

import {
  CircleHelp,
  Download,
  FilePlus2,
  FolderOpen,
  Monitor,
  Moon,
  Redo2,
  Save,
  Settings as SettingsIcon,
  Sun,
  Undo2,
  X,
} from "lucide-react";
import { type ComponentType, useEffect, useRef } from "react";
import { keysOf } from "../commands/keys";
import { command } from "../commands/list";
import { useCatalogue } from "../store/catalogue";
import { isUnsaved, useActive, useDocuments } from "../store/documents";
import { closeDocument } from "../store/files";
import { ui, useUi } from "../store/ui";
import { t } from "../i18n/t";

interface IconProps {
  size?: number;
}

/** A button that is nothing but a command: its title and shortcut are the tooltip. */
export function CommandButton({
  id,
  icon: Icon,
  disabled,
  pressed,
}: {
  id: string;
  icon: ComponentType<IconProps>;
  disabled?: boolean;
  /** Whether what it switches is on. */
  pressed?: boolean;
}) {
  const { title, keys, run } = command(id);
  const shortcut = keys?.[0] ? ` (${keysOf(keys[0]).join("+")})` : "";
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={title}
      title={title + shortcut}
      disabled={disabled}
      aria-pressed={pressed}
      data-command={id}
      onClick={() => void run()}
    >
      <Icon size={16} />
    </button>
  );
}

function Tab({
  id,
  name,
  unsaved,
  active,
}: {
  id: string;
  name: string;
  unsaved: boolean;
  active: boolean;
}) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (active) ref.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [active, name]);
  return (
    <div ref={ref} className="tab" data-active={active || undefined} data-test="tab">
      <button
        type="button"
        aria-current={active ? "page" : undefined}
        className="tab-name"
        title={unsaved ? t("{name} (not saved)", { name }) : name}
        onClick={() => useDocuments.getState().activate(id)}
        onAuxClick={(event) => event.button === 1 && closeDocument(id)}
      >
        {name}
      </button>
      {unsaved && (
        <span className="tab-unsaved" role="img" aria-label={t("Not saved")} data-test="unsaved" />
      )}
      <button
        type="button"
        className="tab-close"
        aria-label={t("Close {name}", { name })}
        title={t("Close")}
        onClick={() => closeDocument(id)}
      >
        <X size={12} />
      </button>
    </div>
  );
}

const WORKER_WORDS = {
  starting: t("Starting"),
  ready: t("Ready"),
  busy: t("Working"),
  stopped: t("Stopped"),
} as const;

function WorkerChip() {
  const worker = useCatalogue((state) => state.worker);
  const device = worker.device ? t(" on {device}", { device: worker.device }) : "";
  return (
    <button
      type="button"
      className="worker-chip"
      data-state={worker.state}
      title={
        worker.message ||
        t("The worker is {state}{device}: show what it has loaded", {
          state: WORKER_WORDS[worker.state] ?? worker.state,
          device,
        })
      }
      data-test="worker"
      onClick={() => void command("memory").run()}
    >
      <span className="worker-dot" />
      <span className="worker-words">
        {WORKER_WORDS[worker.state] ?? worker.state}
        {device}
      </span>
    </button>
  );
}

const THEME_ICONS = { system: Monitor, light: Sun, dark: Moon } as const;

export function TopBar() {
  const documents = useDocuments((state) => state.documents);
  const active = useDocuments((state) => state.active);
  const theme = useUi((state) => state.theme);
  const canUndo = useActive((document) => document.past.length > 0);
  const canRedo = useActive((document) => document.future.length > 0);
  return (
    <header className="top-bar">
      <div className="bar" role="toolbar" aria-label={t("Workflow")}>
        <button
          type="button"
          className="logo-button"
          aria-label={t("Menu: every command")}
          title={t("Menu: every command")}
          aria-haspopup="dialog"
          data-test="menu"
          onClick={() => ui({ palette: { mode: "commands" } })}
        >
          <img className="logo" src="./icon.svg" alt="" width={20} height={20} />
        </button>
        <nav className="tabs" aria-label={t("Open workflows")}>
          {documents.map((document) => (
            <Tab
              key={document.id}
              id={document.id}
              name={document.name}
              unsaved={isUnsaved(document)}
              active={document.id === active}
            />
          ))}
        </nav>
        <CommandButton id="new" icon={FilePlus2} />
        <span className="bar-divider" />
        <CommandButton id="open" icon={FolderOpen} />
        <CommandButton id="save" icon={Save} />
        <CommandButton id="download" icon={Download} />
        <span className="bar-divider" />
        <CommandButton id="undo" icon={Undo2} disabled={!canUndo} />
        <CommandButton id="redo" icon={Redo2} disabled={!canRedo} />
      </div>
      <div className="bar" role="toolbar" aria-label={t("Page")}>
        <WorkerChip />
        <span className="bar-divider" />
        <CommandButton id="theme" icon={THEME_ICONS[theme]} />
        <CommandButton id="settings" icon={SettingsIcon} />
        <CommandButton id="help" icon={CircleHelp} />
      </div>
    </header>
  );
}
