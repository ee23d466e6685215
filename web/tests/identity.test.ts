import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ModelFile } from "../src/api/types";
import { useCatalogue } from "../src/store/catalogue";
import { say } from "../src/store/statements";
import { useUi } from "../src/store/ui";
import { layerLines, saidOf, surenessOf } from "../src/workflow/identity";

const file = (more: Partial<ModelFile> = {}): ModelFile => ({
  name: "tiny.safetensors",
  kind: "tiny_vae",
  family: null,
  spaces: { latent: ["sd1", "sdxl"] },
  parts: ["vae"],
  evidence: "",
  certainty: "certain",
  trouble: null,
  choices: ["sd1", "sdxl"],
  ...more,
});

const titles: Record<string, string> = { sd1: "SD 1.x", sdxl: "SDXL" };
const titleOf = (id: string) => titles[id] ?? id;

describe("how sure it is what a file is", () => {
  it("is candidates wherever there are several, whatever certainty is told", () => {
    expect(surenessOf(file())).toBe("candidates");
    expect(surenessOf(file({ spaces: {} }))).toBe("unknown");
    expect(surenessOf(file({ spaces: { latent: ["sdxl"] } }))).toBe("certain");
    expect(surenessOf(file({ spaces: { latent: ["sdxl"] }, certainty: "likely" }))).toBe("likely");
  });
});

describe("the kinds of evidence", () => {
  const asked = file({
    spaces: { latent: ["sdxl"] },
    rule: "probe",
    findings: [
      { layer: "probe", spaces: ["sdxl"], certainty: "certain", reason: "colours come out right" },
      { layer: "metadata", spaces: ["sd1"], certainty: "likely", reason: "it names v1" },
      { layer: "header", spaces: ["sd1", "sdxl"], certainty: "unknown", reason: "both fit" },
      { layer: "signature", spaces: [], certainty: "unknown", reason: "like none" },
    ],
  });

  it("come in the order in which they are believed, with the one that decided", () => {
    const lines = layerLines(asked, titleOf);
    expect(lines.map((line) => line.layer)).toEqual(["header", "metadata", "signature", "probe"]);
    expect(lines.map((line) => line.says)).toEqual([
      "SD 1.x or SDXL",
      "SD 1.x (likely)",
      "cannot tell",
      "SDXL",
    ]);
    expect(lines.filter((line) => line.decides).map((line) => line.layer)).toEqual(["probe"]);
  });

  it("decide nothing while there are candidates", () => {
    const open = file({ rule: "header", findings: asked.findings?.slice(2, 3) });
    expect(layerLines(open, titleOf).some((line) => line.decides)).toBe(false);
    expect(layerLines(file(), titleOf)).toEqual([]);
  });

  it("know what a person said", () => {
    expect(saidOf(asked)).toBeNull();
    const finding = { layer: "statement", spaces: ["sd1"], certainty: "certain", reason: "you" };
    expect(saidOf(file({ findings: [finding as never] }))).toBe("sd1");
  });
});

describe("saying what a file is", () => {
  const asked: { method: string; path: string; body: unknown }[] = [];
  let refuse: string | null = null;
  let models: Record<string, ModelFile[]>;

  beforeEach(() => {
    asked.length = 0;
    refuse = null;
    models = { vae: [file()] };
    useUi.setState({ notices: [] });
    useCatalogue.setState({
      models,
      spaces: { latent: { sdxl: { title: "SDXL", short: "SDXL" } }, text: {} },
    });
    vi.stubGlobal("fetch", async (path: string, init: RequestInit = {}) => {
      const body = init.body ? JSON.parse(String(init.body)) : null;
      asked.push({ method: init.method ?? "GET", path, body });
      if (refuse && init.method === "PUT")
        return new Response(JSON.stringify({ error: { code: "bad_request", message: refuse } }), {
          status: 400,
        });
      return new Response(JSON.stringify(path === "/api/models" ? models : models.vae?.[0]));
    });
  });
  afterEach(() => vi.unstubAllGlobals());

  const said = { folder: "vae", name: "tiny.safetensors", space: "sdxl" };

  it("tells the server, loads what it knows anew, and offers to undo", async () => {
    await say(said);
    expect(asked[0]).toEqual({ method: "PUT", path: "/api/models/statement", body: said });
    expect(asked[1]?.path).toBe("/api/models");
    const [notice] = useUi.getState().notices;
    expect(notice?.text).toBe("tiny.safetensors counts as SDXL from now on.");
    const finding = { layer: "statement", spaces: ["sdxl"], certainty: "certain", reason: "you" };
    useCatalogue.setState({ models: { vae: [file({ findings: [finding as never] })] } });
    notice?.action?.run();
    await vi.waitFor(() => expect(asked.filter((ask) => ask.method === "PUT")).toHaveLength(2));
    expect(asked.filter((ask) => ask.method === "PUT")[1]?.body).toEqual({ ...said, space: null });
  });

  it("says nothing that was said already", async () => {
    await say({ ...said, space: null });
    expect(asked).toEqual([]);
  });

  it("shows why the server refuses", async () => {
    refuse = "tiny.safetensors cannot be FLUX.1.";
    await say({ ...said, space: "flux1" });
    expect(useUi.getState().notices.map((notice) => [notice.kind, notice.text])).toEqual([
      ["error", refuse],
    ]);
    expect(asked).toHaveLength(1);
  });
});
