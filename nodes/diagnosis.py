"""Say which node is to be suspected of a picture that went wrong, from what it was made of.

`nodes` maps ids to `{"type", "title", "values", "inputs": {socket: node}}`, the nearest first.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from diffusion.quality import Fault

Nodes = Mapping[str, Mapping[str, Any]]

OK = "Nothing is plainly wrong: there are colours, and neighbours are alike."

SEEN: Mapping[Fault, str] = {
    "not_finite": "holds numbers that are none (NaN)",
    "black": "is black",
    "flat": "is one flat colour",
    "noise": "looks like noise",
}


def diagnosis(fault: Fault, which: str, nodes: Nodes, workflow: Mapping[str, Any] | None) -> str:
    """One sentence on what is seen, and one for each node to suspect, the likeliest first."""
    found = list(_suspects(fault, nodes, workflow or {}))
    reasons = " ".join(found[:2]) if found else "No node before this one explains it."
    return f"{which} {SEEN[fault]}. {reasons}"


def _suspects(fault: Fault, nodes: Nodes, workflow: Mapping[str, Any]) -> Iterator[str]:
    yield from _allowed(nodes, workflow)
    samplers = {id_: node for id_, node in nodes.items() if _samples(node)}
    if fault in ("flat", "noise") and not samplers:
        for id_, node in nodes.items():
            if node["type"] == "empty_latent":
                yield (
                    f"Suspect {_name(id_, node)}: nothing was ever sampled from its empty latent; "
                    "put a KSampler behind it."
                )
    for id_, node in samplers.items():
        if why := _sampler_trouble(fault, node["values"]):
            yield f"Suspect {_name(id_, node)}: {why}."
    decoder = next((item for item in nodes.items() if "decode" in item[1]["type"]), None)
    if decoder is not None and fault in ("not_finite", "black"):
        yield (
            f"Suspect {_name(*decoder)}: its VAE may not hold the numbers in half precision, or "
            "its file is damaged; load another VAE of the same space."
        )
    if samplers and fault != "not_finite":
        id_, node = next(iter(samplers.items()))
        yield (
            f"Look at {_name(id_, node)} first: its model, prompt and settings made what was "
            "decoded."
        )


def _allowed(nodes: Nodes, workflow: Mapping[str, Any]) -> Iterator[str]:
    """Nodes that get a latent or prompt of another space because a person allowed the wire."""
    saved = workflow.get("nodes", {})
    for id_, node in nodes.items():
        for wire in saved.get(id_, {}).get("inputs", {}).values():
            if pair := wire.get("allow"):
                yield (
                    f"Suspect {_name(id_, node)}: one of its wires was allowed although it brings "
                    f"{pair[0]} and {pair[1]} is wanted."
                )


def _samples(node: Mapping[str, Any]) -> bool:
    return "sampler" in node["type"] and node["type"] != "k_sampler_select"


def _sampler_trouble(fault: Fault, values: Mapping[str, Any]) -> str:
    """What in the sampler's settings explains the fault; "" for nothing."""
    if values.get("return_with_leftover_noise"):
        return "it hands on its noise (return with leftover noise), and no other sampler took it up"
    steps, denoise, cfg = (values.get(name) for name in ("steps", "denoise", "cfg"))
    if isinstance(denoise, int | float) and denoise == 0:
        return "with denoise 0 it leaves the latent as it was"
    if fault == "noise" and isinstance(steps, int) and steps < 4:
        return f"{steps} steps are too few for most models"
    if isinstance(cfg, int | float) and cfg > 20:
        return f"a cfg of {cfg:g} drives colours to their limits"
    return ""


def _name(id_: str, node: Mapping[str, Any]) -> str:
    kind = str(node["type"]).replace("_", " ")
    return f"'{node['title']}'" if node.get("title") else f"{kind} ({id_})"
