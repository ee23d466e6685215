/** The floating panels at the left and right, and the rails that open and close them. */

import {
  Boxes,
  CircleAlert,
  FolderOpen,
  Images,
  LayoutGrid,
  ListTree,
  ListOrdered,
  MemoryStick,
} from "lucide-react";
import type { ComponentType } from "react";
import { useChecks } from "../store/checks";
import { useQueue } from "../store/queue";
import { type LeftPanel, type RightPanel, ui, useUi } from "../store/ui";
import { Gallery } from "./Gallery";
import { Library } from "./Library";
import { Outline } from "./Outline";
import { Memory } from "./Memory";
import { Models } from "./Models";
import { ProblemList } from "./ProblemList";
import { Queue } from "./Queue";
import { Workflows } from "./Workflows";
import { t } from "../i18n/t";

interface Panel<Id extends string> {
  id: Id;
  title: string;
  icon: ComponentType<{ size?: number }>;
  content: ComponentType;
}

/** To add a panel, add a row. */
const LEFT: readonly Panel<LeftPanel>[] = [
  { id: "library", title: t("Nodes"), icon: Boxes, content: Library },
  { id: "outline", title: t("Outline"), icon: ListTree, content: Outline },
  { id: "workflows", title: t("Workflows"), icon: LayoutGrid, content: Workflows },
  { id: "models", title: t("Models"), icon: FolderOpen, content: Models },
];

const RIGHT: readonly Panel<RightPanel>[] = [
  { id: "gallery", title: t("Pictures"), icon: Images, content: Gallery },
  { id: "queue", title: t("Queue"), icon: ListOrdered, content: Queue },
  { id: "problems", title: t("Problems"), icon: CircleAlert, content: ProblemList },
  { id: "memory", title: t("Memory"), icon: MemoryStick, content: Memory },
];

interface RailProps<Id extends string> {
  panels: readonly Panel<Id>[];
  open: Id | null;
  onOpen(id: Id | null): void;
  side: "left" | "right";
  marks?: Partial<Record<Id, number>>;
}

function Side<Id extends string>({ panels, open, onOpen, side, marks = {} }: RailProps<Id>) {
  const panel = panels.find(({ id }) => id === open);
  return (
    <aside
      className={`side side-${side}`}
      aria-label={side === "left" ? t("Library") : t("Results")}
    >
      <nav className="rail" aria-label={side === "left" ? t("left panels") : t("right panels")}>
        {panels.map(({ id, title, icon: Icon }) => (
          <button
            key={id}
            type="button"
            className="icon-button"
            aria-label={marks[id] ? `${title}: ${marks[id]}` : title}
            aria-pressed={open === id}
            title={title}
            data-panel={id}
            data-test={`panel-${id}`}
            onClick={() => onOpen(open === id ? null : id)}
          >
            <Icon size={16} />
            {marks[id] ? (
              <span className="rail-mark" data-mark={id}>
                {marks[id] > 99 ? "99+" : marks[id]}
              </span>
            ) : null}
          </button>
        ))}
      </nav>
      {panel && (
        <section className="panel" aria-label={panel.title} data-test="side-panel">
          <div className="panel-title">{panel.title}</div>
          <panel.content />
        </section>
      )}
    </aside>
  );
}

export function SidePanels() {
  const left = useUi((state) => state.left);
  const right = useUi((state) => state.right);
  const problems = useChecks((state) => state.problems.length);
  const queue = useQueue((state) => state.running.length + state.waiting);
  return (
    <>
      <Side side="left" panels={LEFT} open={left} onOpen={(id) => ui({ left: id })} />
      <Side
        side="right"
        panels={RIGHT}
        open={right}
        onOpen={(id) => ui({ right: id })}
        marks={{ problems, queue }}
      />
    </>
  );
}
