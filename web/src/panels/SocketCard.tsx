/** A socket by keyboard: its wires to look at, follow and remove, and where a wire from it may go. */

import { ArrowRight, Waypoints, X } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import type { Target } from "../api/types";
import { drop } from "../canvas/connect";
import { toCanvas } from "../canvas/instance";
import { putDot } from "../canvas/bending";
import { focusSocket, goToNode, socketElement } from "../canvas/travel";
import { usePaint } from "../nodes/useNode";
import { announce } from "../store/announce";
import { useCatalogue } from "../store/catalogue";
import { activeWorkflow, edit, useActive } from "../store/documents";
import { beginDrag, endDrag, lastAnswer } from "../store/drag";
import { type DragOrigin, ui, useUi } from "../store/ui";
import { type Pick, PickList } from "../widgets/PickList";
import { disconnect } from "../workflow/edits";
import { typeInWords } from "../theme/spaces";
import { lastPiece } from "../workflow/dotTravel";
import { type PlacedWire, titleOf } from "../workflow/model";
import { socketTitle } from "../workflow/sockets";
import { thing } from "../workflow/things";
import { wiresAt } from "../workflow/travel";
import { useFocusInside } from "./Sheet";
import { t } from "../i18n/t";

const WIDTH = 360;
const NEW_NODE = "a new node";

/** The names of nodes and sockets as people see them. */
function useNames() {
  const definitions = useCatalogue((state) => state.definitions);
  return useMemo(() => {
    const definitionOf = (id: string) => definitions[activeWorkflow().nodes[id]?.type ?? ""];
    return {
      node: (id: string) => {
        const placed = activeWorkflow().nodes[id];
        return placed ? titleOf(placed, definitionOf(id)) : id;
      },
      socket: (id: string, socket: string, side: "in" | "out") =>
        socketTitle(definitionOf(id), socket, side),
    };
  }, [definitions]);
}

/** Where a wire from this socket may go; null until the server has answered. */
function useTargets(from: DragOrigin): Target[] | null {
  const [targets, setTargets] = useState<Target[] | null>(null);
  const nodes = useActive((document) => document.workflow.nodes);
  useEffect(() => {
    let mounted = true;
    beginDrag(from);
    void lastAnswer().then((answer) => mounted && setTargets(answer?.targets ?? []));
    return () => {
      mounted = false;
      endDrag();
    };
  }, [from, nodes]);
  return targets;
}

export function SocketCard() {
  const from = useUi((state) => state.socketCard);
  return from && <OpenCard key={`${from.node}:${from.socket}:${from.side}`} from={from} />;
}

function OpenCard({ from }: { from: DragOrigin }) {
  const names = useNames();
  const paint = usePaint(from.node, from.socket, from.side);
  const targets = useTargets(from);
  const other = from.side === "out" ? "in" : "out";
  const title = t("{socket} of {node}", {
    socket: names.socket(from.node, from.socket, from.side),
    node: names.node(from.node),
  });
  const box = socketElement(from.node, from.socket, from.side)?.getBoundingClientRect();
  const screen = { x: box?.right ?? innerWidth / 2, y: box?.bottom ?? innerHeight / 3 };
  const close = () => {
    ui({ socketCard: null });
    focusSocket(from.node, from.socket, from.side);
  };
  const picks = useMemo((): Pick[] => {
    const all = (targets ?? []).map((target): Pick => {
      const label = `${names.node(target.node)}: ${names.socket(target.node, target.socket, other)}`;
      const reason = target.reason ?? t("This socket cannot take that wire.");
      const key = `${target.node} ${target.socket}`;
      return target.ok
        ? { key, label }
        : { key, label, disabled: reason, detail: <span className="pick-reason">{reason}</span> };
    });
    all.sort((a, b) => Number(Boolean(a.disabled)) - Number(Boolean(b.disabled)));
    return [
      ...all,
      {
        key: NEW_NODE,
        label:
          from.side === "out" ? t("Add a node that takes this…") : t("Add a node that gives this…"),
      },
    ];
  }, [targets, names, other, from.side]);
  const pick = (key: string) => {
    if (key === NEW_NODE) {
      ui({ socketCard: null, nodeMenu: { screen, at: toCanvas(screen), from } });
      return;
    }
    const [node = "", socket = ""] = key.split(" ");
    void drop(from, node, socket, screen).then(close);
  };
  const inside = useFocusInside();
  const left = Math.max(8, Math.min(screen.x + 8, innerWidth - WIDTH - 8));
  const top = Math.max(8, Math.min(screen.y, innerHeight - 420));
  return (
    <>
      <div className="backdrop" onPointerDown={close} />
      <div
        {...inside}
        className="popover socket-card"
        role="dialog"
        aria-modal="true"
        aria-label={title}
        data-test="socket-card"
        style={{ left, top, width: Math.min(WIDTH, innerWidth - 16) }}
      >
        <div className="popover-title">
          {title}
          <span className="list-detail">
            {typeInWords(paint)}
          </span>
        </div>
        <Wires from={from} names={names} />
        <div className="popover-title">
          {from.side === "out" ? t("Connect it to") : t("Connect it from")}
        </div>
        {targets ? (
          <PickList
            search
            picks={picks}
            placeholder={t("Search sockets")}
            label={t("Sockets")}
            empty={t("No socket of that name.")}
            onPick={pick}
          />
        ) : (
          <div className="empty">{t("Asking which sockets fit…")}</div>
        )}
      </div>
    </>
  );
}

function Wires({ from, names }: { from: DragOrigin; names: ReturnType<typeof useNames> }) {
  const nodes = useActive((document) => document.workflow.nodes);
  const wires = useMemo(
    () => wiresAt({ nodes }, from.node, from.socket, from.side),
    [nodes, from.node, from.socket, from.side],
  );
  const list = useRef<HTMLUListElement>(null);
  if (wires.length === 0) return <div className="empty">{t("No wire here yet.")}</div>;
  const farEnd = ({ node, socket, wire }: PlacedWire) =>
    from.side === "in"
      ? t("from {node}: {socket}", {
          node: names.node(wire.node),
          socket: names.socket(wire.node, wire.output, "out"),
        })
      : t("to {node}: {socket}", {
          node: names.node(node),
          socket: names.socket(node, socket, "in"),
        });
  const remove = (wire: PlacedWire) => {
    edit((workflow) => disconnect(workflow, wire.node, wire.socket));
    announce(t("Removed the wire {place}.", { place: farEnd(wire) }));
    list.current?.closest<HTMLElement>(".socket-card")?.querySelector("input")?.focus();
  };
  const go = ({ node, socket, wire }: PlacedWire) => {
    ui({ socketCard: null });
    if (from.side === "in") focusSocket(wire.node, wire.output, "out");
    else focusSocket(node, socket, "in");
  };
  const bend = ({ node, socket }: PlacedWire) => {
    const piece = lastPiece(activeWorkflow(), node, socket);
    if (!piece) return;
    ui({ socketCard: null });
    goToNode(thing("dot", putDot(piece.segment, piece.middle)));
    announce(t("A dot is on the wire: arrows move it, Delete removes it."));
  };
  return (
    <ul className="socket-wires" ref={list} aria-label={t("Wires")}>
      {wires.map((wire) => (
        <li key={`${wire.node}:${wire.socket}`}>
          <span>{farEnd(wire)}</span>
          <button
            type="button"
            className="icon-button"
            aria-label={t("Go along the wire {place}", { place: farEnd(wire) })}
            title={t("Go there")}
            onClick={() => go(wire)}
          >
            <ArrowRight size={14} />
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label={t("Put a dot on the wire {place}", { place: farEnd(wire) })}
            title={t("Put a dot on this wire")}
            data-test="add-dot"
            onClick={() => bend(wire)}
          >
            <Waypoints size={14} />
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label={t("Remove the wire {place}", { place: farEnd(wire) })}
            title={t("Remove this wire")}
            data-test="remove-wire"
            onClick={() => remove(wire)}
          >
            <X size={14} />
          </button>
        </li>
      ))}
    </ul>
  );
}
