/** Inside a subgraph, one side of its interface: sockets with their names, and one to make a new one. */

import { X } from "lucide-react";
import { useState } from "react";
import { editWhole, pathOf, useWhole } from "../store/documents";
import type { NodeRows } from "../workflow/sockets";
import { removeSocket, renameSocket } from "../workflow/exposing";
import { INPUTS, NEW, subgraphsOn } from "../workflow/subgraphs";
import { Socket } from "./Socket";
import { t } from "../i18n/t";

function useInside(): string | undefined {
  return useWhole((document) => subgraphsOn(document.workflow, pathOf(document)).at(-1));
}

export function InterfaceNode({ id, rows }: { id: string; rows: NodeRows }) {
  const side = id === INPUTS ? "out" : "in";
  const shown = id === INPUTS ? rows.outputs : rows.inputs;
  const which = id === INPUTS ? "inputs" : "outputs";
  const subgraph = useInside();
  return (
    <article
      className="node interface-node"
      data-node={id}
      data-interface={which}
      aria-label={id === INPUTS ? t("Inputs of the subgraph") : t("Outputs of the subgraph")}
    >
      <header className="node-title">
        <span className="node-name interface-title">
          {id === INPUTS ? t("Inputs") : t("Outputs")}
        </span>
      </header>
      <div className="node-sockets">
        {shown.map(({ name, title, description }) => (
          <div className="socket-row" key={name}>
            {side === "out" && <div className="socket-side" />}
            <div className={side === "out" ? "socket-side socket-side-out" : "socket-side"}>
              <Socket node={id} side={side} name={name} title={title} description={description} />
              {name === NEW || subgraph === undefined ? (
                <span className="socket-name interface-new">{title}</span>
              ) : (
                <SocketName subgraph={subgraph} which={which} name={name} title={title} />
              )}
            </div>
          </div>
        ))}
      </div>
    </article>
  );
}

interface NameProps {
  subgraph: string;
  which: "inputs" | "outputs";
  name: string;
  title: string;
}

function SocketName({ subgraph, which, name, title }: NameProps) {
  const [text, setText] = useState<string | null>(null);
  const commit = () => {
    if (text !== null && text.trim() !== title)
      editWhole((workflow) => renameSocket(workflow, subgraph, which, name, text.trim()));
    setText(null);
  };
  return (
    <>
      <input
        className="interface-name nodrag"
        aria-label={t("Name of {title}", { title })}
        value={text ?? title}
        onChange={(event) => setText(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
          if (event.key === "Escape") {
            event.stopPropagation();
            setText(null);
          }
        }}
      />
      <button
        type="button"
        className="icon-button interface-remove nodrag"
        aria-label={t("Remove {title}", { title })}
        title={t("Remove this socket")}
        onClick={() => editWhole((workflow) => removeSocket(workflow, subgraph, which, name))}
      >
        <X size={12} />
      </button>
    </>
  );
}
