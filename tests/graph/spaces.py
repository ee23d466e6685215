"""Ask the checker about spaces, and change workflows for it."""

from collections.abc import Sequence
from typing import Any

from graph.check import CheckResult, check
from graph.edits import apply
from graph.problem import Problem
from graph.workflow import Workflow
from tests.graph.small_world import DEFINITIONS, SHELF, Shelf, placed, text_to_image


def checked(flow: Workflow, files: Shelf = SHELF, **options: Any) -> CheckResult:
    return check(flow, DEFINITIONS, files, **options)


def conflicts(flow: Workflow, files: Shelf = SHELF) -> list[Problem]:
    return [item for item in checked(flow, files).problems if item.code == "space_mismatch"]


def places(problems: Sequence[Problem]) -> list[tuple[str | None, str | None]]:
    return [(item.node, item.socket) for item in problems]


def space(result: CheckResult, node: str, output: str, index: int = 0) -> tuple[Any, str]:
    found = result.types[node]["outputs"][output]["spaces"][index]
    return found["candidates"], found["certainty"]


def titled(flow: Workflow, **titles: str) -> Workflow:
    nodes = {
        id_: node.model_copy(update={"title": titles.get(id_, node.title)})
        for id_, node in flow.nodes.items()
    }
    return flow.model_copy(update={"nodes": nodes})


def rewired(flow: Workflow, node: str, **wires: str) -> Workflow:
    """The workflow with other wires into one node."""
    fresh = placed(flow.nodes[node].type, **wires).inputs
    changed = flow.nodes[node].model_copy(update={"inputs": {**flow.nodes[node].inputs, **fresh}})
    return flow.model_copy(update={"nodes": {**flow.nodes, node: changed}})


def moded(flow: Workflow, **modes: str) -> Workflow:
    nodes = {
        id_: node.model_copy(update={"mode": modes.get(id_, node.mode)})
        for id_, node in flow.nodes.items()
    }
    return flow.model_copy(update={"nodes": nodes})


def mended(flow: Workflow, problem: Problem, files: Shelf = SHELF) -> list[str]:
    """The titles of the fixes, each of which was seen to leave no conflict, and no other error."""
    before = {(item.code, item.node) for item in checked(flow, files).problems}
    for fix in problem.fixes:
        after = checked(apply(flow, fix.edits), files).problems
        assert (problem.node, problem.socket) not in places(
            [item for item in after if item.code == "space_mismatch"]
        ), fix.title
        errors = {(item.code, item.node) for item in after if item.severity == "error"}
        assert errors <= before, fix.title
    return [fix.title for fix in problem.fixes]


def two_samplers() -> Workflow:
    return text_to_image(
        "sd15.safetensors",
        other=placed("load_checkpoint", {"file": "sdxl.safetensors"}),
        words=placed("encode_text", clip="other.clip"),
        sampler2=placed(
            "k_sampler",
            model="other.model",
            positive="words.conditioning",
            negative="words.conditioning",
            latent="empty.latent",
        ),
        decode2=placed("vae_decode", latent="sampler2.latent", vae="other.vae"),
        save2=placed("save_image", image="decode2.image"),
    )
