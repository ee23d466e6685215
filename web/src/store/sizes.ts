/** The size of what an output will give, for the sockets; reckoned once for each state of the workflow. */

import type { Placed } from "../workflow/model";
import { Sizes, sizeText } from "../workflow/sizes";
import { useCatalogue } from "./catalogue";
import { useActive } from "./documents";

let last: { nodes: unknown; definitions: unknown; models: unknown; sizes: Sizes } | null = null;

function sizesOf(workflow: Placed): Sizes {
  const { definitions, models } = useCatalogue.getState();
  const { nodes } = workflow;
  if (last?.nodes !== nodes || last.definitions !== definitions || last.models !== models) {
    const files = new Map((models.input ?? []).map((file) => [file.name, file.size]));
    const sizes = new Sizes(workflow, definitions, (name) => {
      const [width, height] = files.get(name) ?? [];
      return width && height ? { width, height } : undefined;
    });
    last = { nodes, definitions, models, sizes };
  }
  return last.sizes;
}

/** As text, "512×768"; empty where it cannot be told before the run. */
export function useSize(node: string, output: string | null): string {
  const ready = useCatalogue((state) => state.ready && state.models);
  return useActive(({ workflow }) => {
    const size = ready && output !== null ? sizesOf(workflow).of(node, output) : null;
    return size ? sizeText(size) : "";
  });
}
