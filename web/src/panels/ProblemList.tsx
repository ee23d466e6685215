/** Every problem of the workflow in one list; a click shows the node. */

import { ProblemText } from "../nodes/NodeProblems";
import { useCatalogue } from "../store/catalogue";
import { useChecks } from "../store/checks";
import { useWhole } from "../store/documents";
import { showNode } from "../store/levels";
import { t } from "../i18n/t";
import { titleOf } from "../workflow/model";
import { levelOf, locate } from "../workflow/subgraphs";

export function ProblemList() {
  const problems = useChecks((state) => state.problems);
  const trouble = useChecks((state) => state.trouble);
  const ready = useCatalogue((state) => state.ready);
  const workflow = useWhole((document) => document.workflow);
  const definitions = useCatalogue((state) => state.definitions);
  return (
    <div className="panel-scroll" data-test="problem-list">
      {problems.map((problem, index) => {
        const at = problem.node ? locate(workflow, problem.node) : null;
        const node = at ? levelOf(workflow, at.path).nodes[at.id] : undefined;
        return (
          <div
            key={`${problem.code}-${problem.node}-${problem.socket}-${index}`}
            className="problem-entry"
          >
            {problem.node && node && (
              <button
                type="button"
                className="problem-place"
                onClick={() => showNode(problem.node as string)}
              >
                {titleOf(node, definitions[node.type])}
              </button>
            )}
            <ProblemText problem={problem} />
          </div>
        );
      })}
      {trouble && <div className="empty">{trouble}</div>}
      {problems.length === 0 && !trouble && (
        <div className="empty">
          {ready
            ? t("No problems: this workflow can run.")
            : t("The workflow is checked once the nodes are known.")}
        </div>
      )}
    </div>
  );
}
