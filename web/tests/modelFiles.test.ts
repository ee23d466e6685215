import { afterEach, describe, expect, it, vi } from "vitest";
import { api } from "../src/api/client";
import { reasonsOf } from "../src/store/modelFiles";

afterEach(() => vi.unstubAllGlobals());

const answering = (body: unknown) =>
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => new Response(JSON.stringify(body))),
  );

describe("what fits a loader", () => {
  it("is asked once for all files, of the node as the server names it", async () => {
    answering({ misfits: [{ name: "a.safetensors", code: "space_mismatch", reason: "No." }] });
    const workflow = { version: 1, nodes: {}, layout: { nodes: {} }, groups: [], notes: [] };
    const answer = await api.misfits(workflow, "up/vae", "file");
    expect(reasonsOf(answer)).toEqual({ "a.safetensors": "No." });
    const [path, init] = vi.mocked(fetch).mock.calls[0] ?? [];
    expect(path).toBe("/api/check/files");
    expect(JSON.parse(String(init?.body))).toEqual({ workflow, node: "up/vae", widget: "file" });
  });

  it("has pictures by folder, whatever the folder is called", async () => {
    answering({ pictures: {} });
    await api.modelPictures("my models");
    expect(vi.mocked(fetch).mock.calls[0]?.[0]).toBe("/api/models/pictures?folder=my%20models");
  });
});
