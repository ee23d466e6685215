import { describe, expect, it } from "vitest";
import { edited, isUnsaved, newDocument, redone, undone } from "../src/store/documents";
import { moveNodes, setTitle, setValue } from "../src/workflow/edits";
import { chain } from "./fixtures";

describe("undo and redo", () => {
  it("restore exactly the workflow of before and after", () => {
    const start = newDocument(chain());
    const changed = edited(start, (w) => setValue(w, "sample", "steps", 30));
    expect(undone(changed).workflow).toBe(start.workflow);
    expect(redone(undone(changed)).workflow).toBe(changed.workflow);
  });

  it("take back a whole gesture at once", () => {
    let document = newDocument(chain());
    for (let x = 1; x <= 50; x++)
      document = edited(document, (w) => moveNodes(w, { load: { x, y: 0 } }), "drag-1");
    document = edited(document, (w) => moveNodes(w, { load: { x: 99, y: 0 } }), "drag-2");
    expect(document.past).toHaveLength(2);
    expect(undone(document).workflow.layout.nodes.load?.x).toBe(50);
    expect(undone(undone(document)).workflow.layout.nodes.load?.x).toBe(0);
  });

  it("a gesture does not go on after an undo", () => {
    let document = edited(newDocument(chain()), (w) => setTitle(w, "load", "a"), "typing");
    document = undone(document);
    document = edited(document, (w) => setTitle(w, "load", "b"), "typing");
    expect(document.past).toHaveLength(1);
    expect(undone(document).workflow.nodes.load?.title).toBe("");
  });

  it("an edit after an undo forgets what was undone", () => {
    const changed = edited(newDocument(chain()), (w) => setTitle(w, "load", "a"));
    const other = edited(undone(changed), (w) => setTitle(w, "load", "b"));
    expect(redone(other)).toBe(other);
  });

  it("a change that changes nothing is no step", () => {
    const document = newDocument(chain());
    expect(edited(document, (w) => w)).toBe(document);
    expect(undone(document)).toBe(document);
  });

  it("undoing everything clears the unsaved mark", () => {
    const changed = edited(newDocument(chain()), (w) => setTitle(w, "load", "a"));
    expect(isUnsaved(changed)).toBe(true);
    expect(isUnsaved(undone(changed))).toBe(false);
  });

  it("a document of a newer program cannot be changed", () => {
    const document = newDocument(chain(), { readOnly: true });
    expect(edited(document, (w) => setTitle(w, "load", "a"))).toBe(document);
  });
});
