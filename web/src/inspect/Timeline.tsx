/** What a run's nodes took: one bar each, where it began and how long it ran. */

import { seconds } from "../nodes/NodeTitle";
import { closeSheet, Sheet } from "../panels/Sheet";
import { useCatalogue } from "../store/catalogue";
import { useWhole } from "../store/documents";
import { showNode } from "../store/levels";
import { sizeInWords } from "../store/memory";
import { useRuns } from "../store/runs";
import { nodeAt } from "../workflow/subgraphs";
import { titleOf } from "../workflow/model";
import { timeline, totals } from "../workflow/timeline";
import { plural, t } from "../i18n/t";

const WORDS: Record<string, string> = {
  cached: t("from the cache"),
  running: t("running"),
  failed: t("failed"),
  cancelled: t("cancelled"),
};

export default function Timeline({ sheet }: { sheet: { run: string } }) {
  const nodes = useRuns((state) => state.runs[sheet.run]?.nodes) ?? {};
  const workflow = useWhole((document) => document.workflow);
  const definitions = useCatalogue((state) => state.definitions);
  const bars = timeline(nodes);
  const all = totals(bars);
  const name = (id: string): string => {
    const node = nodeAt(workflow, id);
    if (node) return titleOf(node, definitions[node.type]);
    // What a node was replaced by while it ran, such as the cells of a grid.
    const at = id.lastIndexOf("/");
    return at < 0 ? id : `${name(id.slice(0, at))}: ${id.slice(at + 1)}`;
  };
  const go = (id: string) => {
    closeSheet();
    showNode(id);
  };
  const whole = all.seconds || 1;
  return (
    <Sheet title={t("Timeline of the run")} name="timeline">
      <p className="timeline-total" data-test="timeline-total">
        {plural(all.ran, "{seconds} in 1 node", "{seconds} in {count} nodes", {
          seconds: seconds(all.seconds),
        })}
        {all.cached > 0 && t(", {cached} from the cache", { cached: all.cached })}
        {all.memory !== null && t("; models took up to {size}", { size: sizeInWords(all.memory) })}
      </p>
      <ol className="timeline">
        {bars.map((bar) => (
          <li key={bar.node}>
            <button
              type="button"
              data-state={bar.state}
              disabled={!nodeAt(workflow, bar.node)}
              onClick={() => go(bar.node)}
            >
              <span className="timeline-name">{name(bar.node)}</span>
              <span className="timeline-track">
                <span
                  className="timeline-bar"
                  style={{
                    left: `${(bar.begin / whole) * 100}%`,
                    width: `max(3px, ${(bar.seconds / whole) * 100}%)`,
                  }}
                />
              </span>
              <span className="timeline-time">{WORDS[bar.state] ?? seconds(bar.seconds)}</span>
              <span className="timeline-memory">
                {bar.memory === null ? "" : sizeInWords(bar.memory)}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </Sheet>
  );
}
