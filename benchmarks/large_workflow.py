"""A workflow of a thousand nodes, as the measurements of the editor open it, and how times lie."""

import statistics
from typing import Any

NAME = "large"
SIZE = {"width": 1440, "height": 900}
"""Of the browser's window, in pixels."""

COLUMN, ROW = 1800, 1000  # pixels of the canvas from block to block
PROMPT = {"x": 4 * COLUMN + 480, "y": 5 * ROW + 100}


def block(number: int, columns: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ten nodes of one text-to-image job in four passes, and their places."""
    name = f"b{number}"

    def wire(node: str, output: str) -> dict[str, str]:
        return {"node": f"{name}_{node}", "output": output}

    prompts = {
        side: _placed(
            "clip_text_encode", {"text": f"{side} of {number}"}, clip=wire("load", "clip")
        )
        for side in ("yes", "no")
    }
    passes = {
        f"pass{at}": _placed(
            "k_sampler",
            {"seed": number * 10 + at, "steps": 8},
            model=wire("load", "model"),
            positive=wire("yes", "conditioning"),
            negative=wire("no", "conditioning"),
            latent=wire(f"pass{at - 1}" if at else "empty", "latent"),
        )
        for at in range(4)
    }
    nodes = {
        "load": _placed("load_checkpoint", {"file": "starter.safetensors"}),
        **prompts,
        "empty": _placed("empty_latent", {"width": 128, "height": 128}),
        **passes,
        "decode": _placed(
            "vae_decode", {}, latent=wire("pass3", "latent"), vae=wire("load", "vae")
        ),
        "save": _placed("save_image", {}, image=wire("decode", "image")),
    }
    left, top = (number % columns) * COLUMN, (number // columns) * ROW
    places = {
        f"{name}_{key}": {"x": left + (at % 5) * 340, "y": top + (at // 5) * 480}
        for at, key in enumerate(nodes)
    }
    return {f"{name}_{key}": node for key, node in nodes.items()}, places


def _placed(type_: str, values: dict[str, Any], **inputs: dict[str, str]) -> dict[str, Any]:
    return {"type": type_, "version": 1, "values": values, "inputs": inputs}


def large(blocks: int) -> dict[str, Any]:
    """A workflow of so many blocks, about as wide as a screen."""
    columns = max(1, round((blocks * 0.9) ** 0.5))
    made = [block(number, columns) for number in range(blocks)]
    nodes = {key: node for part, _ in made for key, node in part.items()}
    places = {key: place for _, part in made for key, place in part.items()}
    return {"version": 1, "nodes": nodes, "layout": {"nodes": places}}


def spread(times: list[float]) -> dict[str, float]:
    """Median, 95th percentile and worst, in milliseconds."""
    ordered = sorted(times)
    at = min(len(ordered) - 1, int(len(ordered) * 0.95))
    return {
        "median": round(statistics.median(ordered), 1),
        "p95": round(ordered[at], 1),
        "worst": round(ordered[-1], 1),
        "frames": len(ordered),
    }
