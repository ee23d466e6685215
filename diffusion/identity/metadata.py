"""What a file's metadata, and a config.json beside it, say of a VAE: a good hint and no proof."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffusion.families import FAMILIES
from diffusion.identity.layers import Finding
from diffusion.spaces import LATENT_SPACES, LatentSpace

ARCHITECTURE = "modelspec.architecture"
CONFIG = "config.json"
LARGEST_CONFIG = 2**16
"""Bytes; the config of an autoencoder has about a thousand."""


def told_spaces(metadata: Mapping[str, str]) -> tuple[str, set[str]]:
    """The architecture that the metadata name, and the spaces of the families that it names."""
    told = metadata.get(ARCHITECTURE, "").strip().removesuffix("/vae")
    return told, {item.latent_space for item in FAMILIES.values() if told in item.modelspec}


def metadata_finding(
    metadata: Mapping[str, str], config: Mapping[str, Any] | None
) -> Finding | None:
    """What the metadata and the config say; None where they say nothing."""
    told, named = told_spaces(metadata)
    configured = _spaces_of_config(config or {})
    reasons = {
        f"its metadata names the architecture {told}": named,
        f"the {CONFIG} beside it has that scale": configured,
    }
    said = {reason: spaces for reason, spaces in reasons.items() if spaces}
    if not said:
        return None
    agreed = set.intersection(*said.values())
    if len(agreed) == 1:
        return Finding("metadata", tuple(agreed), "likely", " and ".join(said))
    every = tuple(sorted(set.union(*said.values())))
    return Finding("metadata", every, "unknown", " but ".join(said))


def config_beside(path: Path) -> dict[str, Any] | None:
    """The diffusers config of the autoencoder in the file's folder, or None.

    It counts where the folder holds this one model, be it in several precisions: beside several
    models it would not say which one it means.
    """
    config = path.with_name(CONFIG)
    try:
        if config.stat().st_size > LARGEST_CONFIG:
            return None
        models = {item.name.partition(".")[0] for item in path.parent.glob("*.safetensors")}
        found = json.loads(config.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    told = isinstance(found, dict) and str(found.get("_class_name", "")).startswith("Autoencoder")
    return found if told and len(models) == 1 else None


def _spaces_of_config(config: Mapping[str, Any]) -> set[str]:
    """The spaces whose scale, shift and channels the config has; none where it has no scale."""
    scale, shift = config.get("scaling_factor"), config.get("shift_factor") or 0.0
    channels = config.get("latent_channels")
    if not isinstance(scale, int | float) or not isinstance(shift, int | float):
        return set()
    return {
        id_
        for id_, space in LATENT_SPACES.items()
        if channels in (None, space.channels) and _has_scale(space, float(scale), float(shift))
    }


def _has_scale(space: LatentSpace, scale: float, shift: float) -> bool:
    if not isinstance(space.scale, float) or not isinstance(space.shift, float):
        return False
    # Five digits are published; a scale of 1 says that nobody gave one.
    near = math.isclose(scale, space.scale, rel_tol=1e-4)
    return near and space.scale != 1 and math.isclose(shift, space.shift, abs_tol=1e-4)
