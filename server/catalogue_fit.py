"""Say why a file is of no use in the folder that it lies in, and what to do about it."""

from typing import NamedTuple

from server.catalogue_known import Known

HOMES = {
    "checkpoint": ("checkpoints", "diffusion_models", "vae"),
    "diffusion_model": ("diffusion_models", "checkpoints"),
    "vae": ("vae",),
    "tiny_vae": ("vae",),
    "text_encoder": ("text_encoders",),
    "lora": ("loras",),
    "controlnet": ("controlnet",),
    "upscale_model": ("upscale_models",),
    "embedding": ("embeddings",),
}
"""The folders that a kind of file may lie in; the first is where it belongs."""

LOADED = {"diffusion_models": "model", "vae": "vae"}
"""The part that is loaded from a folder where a file of several parts may lie."""

TAKEN = {
    "checkpoints": "checkpoint",
    "diffusion_models": "diffusion model",
    "vae": "VAE",
    "text_encoders": "text encoder",
    "loras": "LoRA",
    "upscale_models": "upscaler",
    "embeddings": "embedding",
}
"""What a folder is for; in the others there may be more kinds than are known here."""


class Misfit(NamedTuple):
    """Why a file cannot be used in a folder. `code` is that of the problem that tells of it."""

    code: str
    reason: str
    sentence: str


def misfit(folder: str, name: str, known: Known) -> Misfit | None:
    """Why the file is of no use in the folder; None where it is of some."""
    homes = HOMES.get(known.kind, ())
    if not homes and folder in TAKEN:
        sentence = f"{name} is not recognised as a model: {known.evidence}."
        return Misfit("unusable_file", "unrecognised", sentence)
    if homes and folder not in homes:
        instead = f", and choose {_a(TAKEN[folder])} here" if folder in TAKEN else ""
        sentence = f"{name} is a {said(known)}: move it to models/{homes[0]}{instead}."
        return Misfit("wrong_kind", known.kind, sentence)
    part = LOADED.get(folder)
    if part is not None and part not in known.parts:
        sentence = (
            f"{name} is a {said(known)} that holds no {TAKEN[folder]}: move it to "
            f"models/{homes[0]}, and choose a {TAKEN[folder]} here."
        )
        return Misfit("wrong_kind", known.kind, sentence)
    return None


def _a(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def said(known: Known) -> str:
    """The kind of the file with its title, for people."""
    kind = known.kind.replace("_", " ").replace("lora", "LoRA").replace("vae", "VAE")
    kind = kind.replace("controlnet", "ControlNet")
    return f"{kind} ({known.title})" if known.title and known.title != kind else kind
