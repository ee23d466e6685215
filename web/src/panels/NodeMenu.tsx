/** The searchable menu of nodes at the pointer; for a dropped wire only those that can take it. */

import { useEffect, useMemo, useState } from "react";
import { addNodeOf } from "../canvas/place";
import { useListed } from "../store/library";
import { lastAnswer } from "../store/drag";
import { type NodeMenu as Menu, ui, useUi } from "../store/ui";
import { type Pick, PickList } from "../widgets/PickList";
import { KindIcon } from "./KindIcon";
import { categoryTitle, entriesOf } from "./Library";
import { t } from "../i18n/t";

const WIDTH = 304;
const HEIGHT = 380;
const FOCUS_AFTER = 50; // milliseconds, in which the new node is drawn and measured

/** So that Tab goes on into the new node. */
function focusNode(id: string): void {
  const node = document.querySelector(`[data-node="${CSS.escape(id)}"]`);
  node?.closest<HTMLElement>(".react-flow__node")?.focus({ preventScroll: true });
}

/** The node types that can take the dropped wire, best first; null while that is not known. */
function useFitting(menu: Menu): { type: string; socket: string }[] | null {
  const [fitting, setFitting] = useState<{ type: string; socket: string }[] | null>(null);
  useEffect(() => {
    if (!menu.from) return;
    let mounted = true;
    void lastAnswer().then((answer) => {
      if (mounted) setFitting((answer?.types ?? []).filter((entry) => entry.ok));
    });
    return () => {
      mounted = false;
    };
  }, [menu]);
  return fitting;
}

export function NodeMenu() {
  const menu = useUi((state) => state.nodeMenu);
  return menu && <OpenMenu key={`${menu.screen.x},${menu.screen.y}`} menu={menu} />;
}

function OpenMenu({ menu }: { menu: Menu }) {
  const definitions = useListed();
  const fitting = useFitting(menu);
  const picks = useMemo((): Pick[] => {
    const all = entriesOf(definitions);
    if (!menu.from) {
      all.sort((a, b) => a.definition.category.localeCompare(b.definition.category));
      return all.map(({ definition, label, words }) => ({
        key: definition.type,
        label,
        words,
        icon: <KindIcon definition={definition} />,
        group: categoryTitle(definition.category),
      }));
    }
    return (fitting ?? []).flatMap(({ type, socket }) => {
      const definition = definitions[type];
      if (!definition) return [];
      const sockets = menu.from?.side === "out" ? definition.inputs : definition.outputs;
      const detail = sockets.find((s) => s.name === socket)?.title ?? socket;
      const icon = <KindIcon definition={definition} />;
      return [{ key: `${type} ${socket}`, label: definition.title, words: type, detail, icon }];
    });
  }, [definitions, fitting, menu.from]);

  const left = Math.max(8, Math.min(menu.screen.x, innerWidth - WIDTH - 8));
  const top = Math.max(8, Math.min(menu.screen.y, innerHeight - HEIGHT - 8));
  const close = () => ui({ nodeMenu: null });
  return (
    <>
      <div className="backdrop" onPointerDown={close} onContextMenu={(e) => e.preventDefault()} />
      <div className="popover node-menu" data-test="node-menu" style={{ left, top, width: WIDTH }}>
        {menu.from && (
          <div className="popover-title">
            {menu.from.side === "out" ? t("Nodes that take this") : t("Nodes that give this")}
          </div>
        )}
        {menu.from && !fitting ? (
          <div className="empty">{t("Asking which nodes fit…")}</div>
        ) : (
          <PickList
            search
            picks={picks}
            placeholder={t("Search nodes")}
            label={t("Nodes")}
            empty={menu.from ? t("No node fits this wire.") : t("No node of that name.")}
            onPick={(key) => {
              const [type = "", socket = ""] = key.split(" ");
              close();
              const added = addNodeOf(type, menu.at, menu.from, socket);
              if (added) setTimeout(() => focusNode(added), FOCUS_AFTER);
            }}
          />
        )}
      </div>
    </>
  );
}
