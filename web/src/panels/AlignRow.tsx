/** Align and distribute what is chosen, as a row of small buttons in the selection's menu. */

import {
  AlignHorizontalDistributeCenter,
  AlignHorizontalJustifyCenter,
  AlignHorizontalJustifyEnd,
  AlignHorizontalJustifyStart,
  AlignVerticalDistributeCenter,
  AlignVerticalJustifyCenter,
  AlignVerticalJustifyEnd,
  AlignVerticalJustifyStart,
} from "lucide-react";
import { command } from "../commands/list";
import { t } from "../i18n/t";
import { useView } from "../store/view";

const ROW = [
  ["align-left", AlignHorizontalJustifyStart, 2],
  ["align-centre", AlignHorizontalJustifyCenter, 2],
  ["align-right", AlignHorizontalJustifyEnd, 2],
  ["align-top", AlignVerticalJustifyStart, 2],
  ["align-middle", AlignVerticalJustifyCenter, 2],
  ["align-bottom", AlignVerticalJustifyEnd, 2],
  ["distribute-across", AlignHorizontalDistributeCenter, 3],
  ["distribute-down", AlignVerticalDistributeCenter, 3],
] as const;

/** Nothing where fewer than two things are chosen; gaps are made even between three and more. */
export function AlignRow({ onDone }: { onDone(): void }) {
  const chosen = useView((state) => state.selected.size);
  if (chosen < 2) return null;
  return (
    <div className="menu-row" role="group" aria-label={t("Align and distribute")}>
      {ROW.map(([id, Icon, least]) => {
        const { title, run } = command(id);
        return (
          <button
            key={id}
            type="button"
            role="menuitem"
            className="icon-button"
            aria-label={title}
            title={title}
            disabled={chosen < least}
            data-command={id}
            onClick={() => {
              onDone();
              void run();
            }}
          >
            <Icon size={16} />
          </button>
        );
      })}
    </div>
  );
}
