"""What an earlier check found out of nodes that did not change counts only where it still holds."""

from collections.abc import Mapping

from graph.check import CheckResult, check
from graph.files import Files, Flaw
from graph.recent import Recent
from graph.workflow import PlacedNode, SubgraphOutput, Wire, Workflow
from tests.graph.small_world import (
    DEFINITIONS,
    SHELF,
    Shelf,
    checkpoint,
    placed,
    text_to_image,
)
from tests.helpers.packing import packed


def after(first: Workflow, second: Workflow, files: Files = SHELF) -> CheckResult:
    """The answer to the second after the first, which is that without a memory."""
    recent = Recent()
    check(first, DEFINITIONS, files, recent=recent)
    found = check(second, DEFINITIONS, files, recent=recent)
    alone = check(second, DEFINITIONS, files)
    assert found.to_json() == alone.to_json()
    assert dict(found.bindings) == dict(alone.bindings)
    return found


def with_nodes(flow: Workflow, nodes: Mapping[str, PlacedNode]) -> Workflow:
    """The workflow with these nodes; all others are the same objects."""
    return flow.model_copy(update={"nodes": {**flow.nodes, **nodes}})


def test_an_opened_node_is_fed_anew_when_another_one_gives_something_else() -> None:
    loaders = {"other": placed("load_checkpoint", {"file": "sd15.safetensors"})}
    flow = packed(text_to_image(**loaders), ["checkpoint", "other"], "files")
    flow = packed(flow, ["positive", "negative", "empty", "sampler"], "work")
    files = flow.subgraphs["files"]
    swapped = {
        name: SubgraphOutput(node="other", output=shown.output)
        for name, shown in files.outputs.items()
    }
    now = {**flow.subgraphs, "files": files.model_copy(update={"outputs": swapped})}
    found = after(flow, flow.model_copy(update={"subgraphs": now}))
    assert found.bindings["work/sampler"]["S"] == ("sd1",)


def test_a_broken_part_is_told_once_a_wire_uses_it() -> None:
    flaw = Flaw(code="damaged_model", message="its VAE is cut off.", parts=("vae",))

    hurt = checkpoint("hurt.safetensors", "starter", "starter").model_copy(
        update={"flaws": (flaw,)}
    )
    folders = {name: list(found.values()) for name, found in SHELF.folders.items()}
    shelf = Shelf(**{**folders, "checkpoints": [hurt]})
    flow = text_to_image("hurt.safetensors", "starter-b.safetensors")
    wires = {
        **flow.nodes["decode"].inputs,
        "vae": Wire(node="checkpoint", output="vae"),
    }
    decode = flow.nodes["decode"].model_copy(update={"inputs": wires})
    found = after(flow, with_nodes(flow, {"decode": decode}), shelf)
    assert "damaged_model" in [problem.code for problem in found.problems]


def test_a_wire_that_led_nowhere_leads_to_a_node_that_is_added() -> None:
    flow = text_to_image()
    nodes = {id_: node for id_, node in flow.nodes.items() if id_ != "checkpoint"}
    found = after(flow.model_copy(update={"nodes": nodes}), flow)
    assert found.runnable
    lost = after(flow, flow.model_copy(update={"nodes": nodes}))
    assert not lost.runnable


def test_what_is_inside_an_opened_node_changes_with_its_subgraph_values_and_wires() -> None:
    flow = packed(text_to_image(), ["positive", "sampler"], "work", {"steps": ("sampler", "steps")})
    work = flow.nodes["work"]
    wrong = with_nodes(flow, {"work": work.model_copy(update={"values": {"steps": -1}})})
    assert "out_of_range" in [problem.code for problem in after(flow, wrong).problems]
    assert not after(wrong, flow).problems
    wires = {name: wire for name, wire in work.inputs.items() if wire.output != "latent"}
    cut = with_nodes(flow, {"work": work.model_copy(update={"inputs": wires})})
    assert "missing_input" in [problem.code for problem in after(flow, cut).problems]
    muted = with_nodes(flow, {"work": work.model_copy(update={"mode": "mute"})})
    assert not after(flow, muted).runnable
    assert after(muted, flow).runnable
