/** The values of a run: those of a waiting one are changed, or others are given to one like it. */

import { useEffect, useState } from "react";
import { api, ApiError } from "../api/client";
import type { RunValues as Values } from "../api/queue";
import type { Json, Workflow } from "../api/types";
import { useCatalogue } from "../store/catalogue";
import { changeRun } from "../store/queue";
import { Field } from "../widgets/Field";
import { type Varying, varyingWidgets } from "../workflow/varying";
import { closeSheet, Sheet } from "./Sheet";
import { t } from "../i18n/t";

interface Props {
  sheet: { run: string; how: "edit" | "again" };
}

/** The run's workflow, or the sentence why it is not known. */
function useRunWorkflow(run: string): { workflow: Workflow | null; trouble: string } {
  const [state, setState] = useState<{ workflow: Workflow | null; trouble: string }>({
    workflow: null,
    trouble: "",
  });
  useEffect(() => {
    let gone = false;
    api.runOf(run).then(
      ({ workflow }) => !gone && setState({ workflow: workflow ?? null, trouble: "" }),
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        if (!gone) setState({ workflow: null, trouble: error.message });
      },
    );
    return () => {
      gone = true;
    };
  }, [run]);
  return state;
}

const sentences = (error: ApiError) =>
  error.problems.map(({ message }) => message).join(" ") || error.message;

export default function RunValues({ sheet: { run, how } }: Props) {
  const { workflow, trouble } = useRunWorkflow(run);
  const definitions = useCatalogue((state) => state.definitions);
  const [changes, setChanges] = useState<Values>({});
  const [refused, setRefused] = useState("");
  const all = workflow ? varyingWidgets(workflow, definitions) : [];
  const nodes = [...new Set(all.map(({ place }) => place.node))];
  const done = async () => {
    try {
      await changeRun(run, how, changes);
      closeSheet();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setRefused(sentences(error));
    }
  };
  const set = ({ place }: Varying, value: Json) =>
    setChanges((now) => ({ ...now, [place.node]: { ...now[place.node], [place.widget]: value } }));
  return (
    <Sheet title={how === "edit" ? t("Values of this run") : t("Run again with")} name="run-values">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void done();
        }}
      >
        <div className="values-nodes">
          {nodes.map((node) => (
            <section key={node} aria-label={all.find(({ place }) => place.node === node)?.node}>
              <h3>{all.find(({ place }) => place.node === node)?.node}</h3>
              {all
                .filter(({ place }) => place.node === node)
                .map((one) => (
                  <div className="widget" key={one.place.widget}>
                    <span className="widget-label">{one.title}</span>
                    <Field
                      node={node}
                      widget={one.widget}
                      value={changes[node]?.[one.place.widget] ?? one.value}
                      onChange={(value) => set(one, value)}
                    />
                  </div>
                ))}
            </section>
          ))}
        </div>
        {(trouble || refused) && (
          <p className="sheet-trouble" role="alert">
            {trouble || refused}
          </p>
        )}
        <div className="dialog-buttons">
          <button type="button" className="button button-quiet" onClick={closeSheet}>
            {t("Cancel")}
          </button>
          <button
            type="submit"
            className="button button-primary"
            disabled={!workflow}
            data-test="values-done"
          >
            {how === "edit" ? t("Change this run") : t("Queue it")}
          </button>
        </div>
      </form>
    </Sheet>
  );
}
