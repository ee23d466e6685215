"""The parts of a checkpoint ("model", "clip", "vae") and what their tensors' names begin with."""

from diffusion.families.signature import Shapes

MODEL_PREFIXES = ("model.diffusion_model.", "model.model.", "net.")
LOOSE_PREFIXES = ("diffusion_model.", "transformer.", "unet.", "model.")
"""Of a denoiser alone. LoRAs and text encoders have names that begin so as well."""
VAE_PREFIXES = ("first_stage_model.", "vae.")
CLIP_PREFIXES = ("cond_stage_model.", "conditioner.", "text_encoders.")
FEW = 5
"""This many tensors under a prefix, or fewer, are an accident and no part."""


def prefixes_of(shapes: Shapes) -> dict[str, str]:
    """The prefix of each part ("model", "clip", "vae") that the file holds under one."""
    found: dict[str, str] = {}
    options = {"model": MODEL_PREFIXES, "clip": CLIP_PREFIXES, "vae": VAE_PREFIXES}
    every = tuple(prefix for group in options.values() for prefix in group)
    counts = dict.fromkeys(every, 0)
    # By the first word, since a folder of models has millions of names.
    starting: dict[str, list[str]] = {}
    for prefix in every:
        starting.setdefault(prefix.partition(".")[0], []).append(prefix)
    for name in shapes:
        for prefix in starting.get(name.partition(".")[0], ()):
            counts[prefix] += name.startswith(prefix)
    for part, group in options.items():
        best = max(group, key=lambda prefix: counts[prefix])
        if counts[best] > FEW:
            found[part] = best
    return found


def stripped(shapes: Shapes, prefix: str) -> Shapes:
    """The tensors under a prefix, without it."""
    if not prefix:
        return shapes
    start = len(prefix)
    return {name[start:]: shape for name, shape in shapes.items() if name.startswith(prefix)}
