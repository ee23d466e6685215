"""Workflows of thousands of nodes are checked too."""

from time import process_time

from graph.workflow import PlacedNode, Wire, Workflow
from tests.graph.checking import checked, only, place
from tests.graph.small_world import placed, text_to_image


def chain(length: int) -> Workflow:
    nodes = {
        "checkpoint": placed("load_checkpoint", {"file": "sd15.safetensors"}),
        "n0": placed("empty_latent"),
    }
    for k in range(1, length):
        nodes[f"n{k}"] = placed("upscale_latent", latent=f"n{k - 1}.latent")
    nodes["decode"] = placed("vae_decode", latent=f"n{length - 1}.latent", vae="checkpoint.vae")
    nodes["save"] = placed("save_image", image="decode.image")
    return Workflow(nodes=nodes)


def test_a_chain_of_ten_thousand_nodes_is_checked_end_to_end() -> None:
    flow = chain(10_000)
    begun = process_time()
    result = checked(flow)
    seconds = process_time() - begun
    assert result.runnable
    assert result.bindings["n0"] == {"S": ("sd1",)}
    assert seconds < 5  # about 0.4 s on one core of a laptop; a quadratic step would take minutes


def test_a_long_chain_that_conflicts_or_closes_to_a_ring_is_told_too() -> None:
    flow = chain(3_000)
    flow.nodes["n0"] = placed("vae_encode", image="photo.image", vae="other.vae")
    flow.nodes["photo"] = placed("load_image", {"file": "photo.png"})
    flow.nodes["other"] = placed("load_vae", {"file": "sdxl.safetensors"})
    problem = only(flow, "space_mismatch")
    assert place(problem) == ("decode", "latent")
    assert len(problem.because[0].path) == 3_001
    flow = chain(10_000)
    flow.nodes["n0"] = placed("upscale_latent", latent="n9999.latent")
    assert len(only(flow, "cycle").parameters["nodes"]) == 10_000


def test_a_thousand_nodes_are_checked_in_an_instant() -> None:
    nodes: dict[str, PlacedNode] = {}
    for k in range(143):
        for id_, node in text_to_image().nodes.items():
            inputs = {
                name: Wire(node=f"{wire.node}{k}", output=wire.output)
                for name, wire in node.inputs.items()
            }
            nodes[f"{id_}{k}"] = node.model_copy(update={"inputs": inputs})
    flow = Workflow(nodes=nodes)
    checked(flow)
    begun = process_time()
    assert checked(flow).runnable
    assert process_time() - begun < 0.5  # 0.04 s was seen; room for slow machines
