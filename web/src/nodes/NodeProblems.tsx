/** What is wrong with a node, in sentences, with the ways out as buttons. */

import { AlertTriangle, CircleAlert } from "lucide-react";
import type { Problem } from "../api/types";
import { mend } from "../canvas/mend";
import { say } from "../store/statements";
import { useSeverity } from "./useNode";
import { certaintyInWords } from "../workflow/identity";
import { t } from "../i18n/t";

export function ProblemText({ problem }: { problem: Problem }) {
  const severity = useSeverity()(problem);
  const Icon = severity === "error" ? CircleAlert : AlertTriangle;
  return (
    <div className="problem" data-severity={severity} data-problem={problem.code} role="alert">
      <p>
        <Icon size={14} aria-label={severity} />
        <span>{problem.message}</span>
      </p>
      <Reasons problem={problem} />
      {problem.fixes.length > 0 && (
        <div className="problem-fixes">
          {problem.fixes.map((fix, index) => (
            <button
              key={`${fix.title}-${index}`}
              type="button"
              className="button button-small nodrag"
              data-fix={index}
              onClick={(event) => {
                event.stopPropagation();
                if (fix.statement) void say(fix.statement);
                else mend(fix.edits);
              }}
            >
              {fix.title}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** Both sides of a problem and where each is known from, as far as the message does not say it. */
export function Reasons({ problem }: { problem: Pick<Problem, "because" | "message"> }) {
  const said = (evidence: string) =>
    problem.message.includes(evidence.slice(evidence.indexOf(": ") + 2));
  const reasons = problem.because.filter(
    (because) => because.evidence && !said(because.evidence),
  );
  if (reasons.length === 0) return null;
  return (
    <details className="problem-reasons nodrag">
      <summary>{t("Why")}</summary>
      <ul>
        {reasons.map((because, index) => (
          <li key={`${because.node}-${because.socket}-${index}`}>
            {because.evidence}
            {because.certainty !== "certain" && ` (${certaintyInWords(because.certainty)})`}
          </li>
        ))}
      </ul>
    </details>
  );
}

export function NodeProblems({
  problems,
  failure,
}: {
  problems: Problem[];
  failure: string | null;
}) {
  if (problems.length === 0 && !failure) return null;
  return (
    <div className="node-problems nowheel">
      {failure && (
        <div className="problem" data-severity="error" role="alert" data-test="node-failure">
          <p>
            <CircleAlert size={14} aria-label={t("failed")} />
            <span>{failure}</span>
          </p>
        </div>
      )}
      {problems.map((problem, index) => (
        <ProblemText key={`${problem.code}-${problem.socket}-${index}`} problem={problem} />
      ))}
    </div>
  );
}
