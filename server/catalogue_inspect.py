"""Say what one file is, wherever it lies: `main.py inspect`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffusion.header import FileTrouble as FileTrouble
from diffusion.header import read_header
from diffusion.identity.rules import identify


def inspect_file(path: Path | str) -> dict[str, Any]:
    """What the file is, as one JSON object. Raises `FileTrouble`.

    `latent_space` is an id, a list of candidates where the header cannot tell, or None.
    """
    found = identify(read_header(path))
    latent = list(found.latent_spaces)
    return {
        "kind": found.kind,
        "family": found.family,
        "variant": found.variant,
        "latent_space": latent if len(latent) > 1 else (latent[0] if latent else None),
        "text_spaces": list(found.text_spaces),
        "parts": list(found.parts),
        "evidence": list(dict.fromkeys(found.evidence)),  # two parts may have the same reason
    }


def inspection_text(path: Path | str, found: Mapping[str, Any]) -> str:
    """What `inspect_file` found, for people: one line a fact."""
    latent = found["latent_space"]
    rows = {
        "kind": found["kind"].replace("_", " "),
        "family": found["family"],
        "variant": found["variant"],
        "latent space": " or ".join(latent) if isinstance(latent, list) else latent,
        "text space": " or ".join(found["text_spaces"]),
        "parts": ", ".join(found["parts"]),
    }
    lines = [f"{name + ':':14}{value}" for name, value in rows.items() if value]
    because = [f"  - {line}" for line in found["evidence"]]
    return "\n".join([str(path), *lines, "because", *because])
