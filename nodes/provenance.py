"""Say in a few words what a picture was made with, from the nodes that it was computed from.

`nodes` maps ids to `{"type", "title", "values", "inputs": {socket: node}}`, the nearest first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graph.events import PictureFacts

Nodes = Mapping[str, Mapping[str, Any]]

SAMPLERS = ("k_sampler", "k_sampler_advanced")
PROMPT = "clip_text_encode"


@dataclass(frozen=True)
class UsedFile:
    """A model file that a picture was computed from; `name` is relative to its `folder`, `family`
    is what people call its family."""

    folder: str
    name: str
    family: str = ""


def picture_facts(
    nodes: Nodes,
    files: Sequence[UsedFile],
    workflow: Mapping[str, Any] | None,
    size: tuple[int, int],
) -> PictureFacts:
    """What the gallery finds the picture by; `size` are its width and height in pixels."""
    families = dict.fromkeys(file.family for file in files if file.family)
    return PictureFacts(
        width=size[0],
        height=size[1],
        prompt=prompt_of(nodes),
        seed=seed_of(nodes),
        seed_at=_seed_at(nodes, workflow or {}),
        models=tuple(dict.fromkeys(_stem(file.name) for file in files)),
        families=tuple(families),
    )


def prompt_of(nodes: Nodes) -> str:
    """The prompt of the sampler that made the picture; else that of the nearest prompt node."""
    for placed in nodes.values():
        if placed["type"] in SAMPLERS and (text := _prompt(nodes, placed, "positive")):
            return text
    prompts = (placed for placed in nodes.values() if placed["type"] == PROMPT)
    nearest = next(prompts, None)
    return "" if nearest is None else str(nearest["values"].get("text", ""))


def _seed_at(nodes: Nodes, workflow: Mapping[str, Any]) -> tuple[str, str] | None:
    """Where the workflow itself holds the seed that `seed_of` finds."""
    for node, placed in nodes.items():
        if "seed" in placed["values"]:
            here = workflow.get("nodes", {}).get(node, {})
            wired = "seed" in here.get("inputs", {})
            return (node, "seed") if here and not wired else None
    return None


def seed_of(nodes: Nodes, default: str = "") -> str:
    """The seed of the nearest node that has one."""
    for placed in nodes.values():
        if "seed" in placed["values"]:
            return str(placed["values"]["seed"])
    return default


def plain_parameters(nodes: Nodes, width: int, height: int) -> str:
    """What other programs read from a picture: the prompts, then "Steps: 20, Sampler: ..., ...".

    "" where no sampler made the picture. A value that came along a wire is left out.
    """
    sampler = next((placed for placed in nodes.values() if placed["type"] in SAMPLERS), None)
    if sampler is None:
        return ""
    values = sampler["values"]
    facts = {
        "Steps": values.get("steps"),
        "Sampler": values.get("sampler"),
        "Schedule type": values.get("scheduler"),
        "CFG scale": values.get("cfg"),
        "Seed": values.get("seed"),
        "Size": f"{width}x{height}",
        "Model": _model(nodes),
        "Denoising strength": None if values.get("denoise") == 1 else values.get("denoise"),
    }
    lines = [_prompt(nodes, sampler, "positive")]
    if negative := _prompt(nodes, sampler, "negative"):
        lines.append(f"Negative prompt: {negative}")
    known = (f"{name}: {value}" for name, value in facts.items() if value is not None)
    return "\n".join([*lines, ", ".join(known)])


def _prompt(nodes: Nodes, sampler: Mapping[str, Any], socket: str) -> str:
    """The text of the prompt that is wired to the sampler, through whatever lies between."""
    seen = set()
    waiting = [sampler["inputs"].get(socket)]
    while waiting:
        node = waiting.pop(0)
        if node is None or node in seen or node not in nodes:
            continue
        seen.add(node)
        if nodes[node]["type"] == PROMPT:
            return str(nodes[node]["values"].get("text", ""))
        waiting += nodes[node]["inputs"].values()
    return ""


def _model(nodes: Nodes) -> str | None:
    for placed in nodes.values():
        if placed["type"] == "load_checkpoint" and isinstance(placed["values"].get("file"), str):
            return _stem(str(placed["values"]["file"]))
    return None


def _stem(name: str) -> str:
    """The file's name without folders and ending."""
    return name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
