/** Every problem of the workflow in one list; a click shows the node. */

import { show } from "../canvas/instance";
import { ProblemText } from "../nodes/NodeProblems";
import { useCatalogue } from "../store/catalogue";
import { useChecks } from "../store/checks";
import { useActive } from "../store/documents";
import { useView } from "../store/view";
import { titleOf } from "../workflow/model";

export function ProblemList() {
  const problems = useChecks((state) => state.problems);
  const trouble = useChecks((state) => state.trouble);
  const ready = useCatalogue((state) => state.ready);
  const nodes = useActive((document) => document.workflow.nodes);
  const definitions = useCatalogue((state) => state.definitions);
  const go = (id: string) => {
    useView.getState().select([id]);
    show([id]);
  };
  return (
    <div className="panel-scroll" data-test="problem-list">
      {problems.map((problem, index) => {
        const node = problem.node ? nodes[problem.node] : undefined;
        return (
          <div
            key={`${problem.code}-${problem.node}-${problem.socket}-${index}`}
            className="problem-entry"
          >
            {problem.node && node && (
              <button
                type="button"
                className="problem-place"
                onClick={() => go(problem.node as string)}
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
            ? "No problems: this workflow can run."
            : "The workflow is checked once the nodes are known."}
        </div>
      )}
    </div>
  );
}
