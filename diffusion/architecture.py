"""What a file's metadata says of its architecture where tensor shapes cannot: heads and groups."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEY = "latent_loom.architecture"


class BadArchitecture(ValueError):
    """Metadata that makes no sense; the message is a sentence."""


@dataclass(frozen=True)
class Architecture:
    """Numbers that leave no trace in shapes; None where the family's own rule holds."""

    unet_heads: int | None = None
    unet_norm_groups: int | None = None
    vae_norm_groups: int | None = None
    clip_heads: int | None = None
    clip_activation: str | None = None


def architecture_of(metadata: Mapping[str, str]) -> Architecture:
    """What the metadata declare, everything None where they are silent. Raises `BadArchitecture`.

    The form: {"unet": {"heads", "norm_groups"}, "vae": {"norm_groups"},
    "clip": {"heads", "activation"}}.
    """
    if KEY not in metadata:
        return Architecture()
    try:
        found = json.loads(metadata[KEY])
        unet, vae, clip = (dict(found.get(part) or {}) for part in ("unet", "vae", "clip"))
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise BadArchitecture(f"The file's metadata {KEY} is not a JSON object of parts.") from None
    activation = clip.get("activation")
    if activation not in (None, "quick_gelu", "gelu"):
        raise BadArchitecture(f"{KEY}: activation must be quick_gelu or gelu, not {activation!r}.")
    return Architecture(
        _count(unet, "heads"),
        _count(unet, "norm_groups"),
        _count(vae, "norm_groups"),
        _count(clip, "heads"),
        activation,
    )


def _count(part: dict[str, Any], name: str) -> int | None:
    value = part.get(name)
    if value is not None and (type(value) is not int or not 1 <= value <= 1024):
        raise BadArchitecture(f"{KEY}: {name} must be a whole number from 1 to 1024.")
    return value
