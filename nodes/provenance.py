"""Say in a few words what a picture was made with, from the nodes that it was computed from.

`nodes` maps ids to `{"type", "title", "values", "inputs": {socket: node}}`, the nearest first.
"""

from collections.abc import Mapping
from typing import Any

Nodes = Mapping[str, Mapping[str, Any]]

SAMPLERS = ("k_sampler", "k_sampler_advanced")
PROMPT = "clip_text_encode"


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
            return str(placed["values"]["file"]).rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return None
