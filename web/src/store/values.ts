/** What a node gave that a person ran by itself: it makes no file, so its value is asked for. */

import { valueUrl } from "../api/client";
import type { Json, ServerEvent } from "../api/types";
import { definitions } from "./catalogue";
import { isOver, receive, type Run, useRuns } from "./runs";

/** The outputs to ask for: those of wanted nodes that run for no effect of their own. */
export function asked(
  wanted: readonly string[],
  typeOf: (node: string) => string | undefined,
): { node: string; output: string }[] {
  const known = definitions();
  return wanted.flatMap((node) => {
    const definition = known[typeOf(node) ?? ""];
    if (!definition || definition.output) return [];
    return definition.outputs.map((output) => ({ node, output: output.name }));
  });
}

/** Once the run is finished, show the values at their nodes, as pictures, numbers or text. */
export async function showValues(
  run: string,
  values: { node: string; output: string }[],
): Promise<void> {
  if (values.length === 0) return;
  const ended = await over(run);
  if (ended.status !== "finished") return;
  for (const { node, output } of values) {
    const shown = await valueOf(run, node, output);
    if (shown) receive(shown);
  }
}

function over(id: string): Promise<Run> {
  return new Promise((resolve) => {
    const look = () => {
      const run = useRuns.getState().runs[id];
      if (!run || !isOver(run.status)) return;
      stop();
      resolve(run);
    };
    const stop = useRuns.subscribe(look);
    look();
  });
}

/** The value, or null where the server keeps it no longer or cannot show it (a model, say). */
async function valueOf(run: string, node: string, output: string): Promise<ServerEvent | null> {
  const url = valueUrl(run, node, output);
  const answer = await fetch(url).catch(() => null);
  if (!answer?.ok) return null;
  if (answer.headers.get("Content-Type")?.startsWith("image/"))
    return { type: "output", run, node, kind: "image", url, thumbnail: url };
  const { kind, value } = (await answer.json()) as { kind: string; value: Json };
  return { type: "output", run, node, kind, data: value };
}
