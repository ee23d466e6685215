"""Workflows in the saved form, as short as tests want them."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


def text_to_image(checkpoint: str = "tiny.safetensors", **values: Any) -> dict[str, Any]:
    """The template that ships, with another checkpoint, 4 steps and small pictures.

    `values` are set on the sampler.
    """
    text = (ROOT / "workflows" / "text-to-image.json").read_text("utf-8")
    workflow: dict[str, Any] = json.loads(text)
    nodes = workflow["nodes"]
    nodes["1"]["values"]["file"] = checkpoint
    nodes["4"]["values"] |= {"width": 32, "height": 24}
    nodes["5"]["values"] |= {"steps": 4, **values}
    return workflow


def graph(**nodes: Any) -> dict[str, Any]:
    """A workflow of nodes, each `(type, values, inputs)`; an input is "node" or "node.output"."""
    placed = {}
    for name, (type_, values, inputs) in nodes.items():
        wires = {}
        for socket, source in inputs.items():
            node, _, output = source.partition(".")
            wires[socket] = {"node": node, "output": output or "integer"}
        placed[name] = {"type": type_, "values": values, "inputs": wires}
    return {"version": 1, "nodes": placed}
