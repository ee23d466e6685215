"""Say in words what torch's errors about shapes mean: whose prompt or latent reached whose model.

The checker and the spaces that values carry keep such errors away. What is left comes from nodes of
packs that hand on something else than they say, or from files that are not what they seem.
"""

import re
from collections.abc import Mapping

PROMPTS: Mapping[int, str] = {
    768: "SD 1.x (CLIP-L)",
    1024: "SD 2.x (OpenCLIP-H)",
    1280: "the SDXL refiner (OpenCLIP-G)",
    2048: "SDXL (CLIP-L and OpenCLIP-G)",
    4096: "SD3, FLUX.1 or another model that reads T5-XXL",
    2304: "Lumina 2 or SANA (Gemma 2)",
    2560: "Z-Image (Qwen3-4B)",
    3584: "Qwen-Image (Qwen2.5-VL)",
    7680: "FLUX.2 klein 4B (Qwen3-4B)",
    12288: "FLUX.2 klein 9B (Qwen3-8B)",
    15360: "FLUX.2 dev (Mistral Small)",
}
"""The width of a prompt's tokens → the models that read it."""

VECTORS: Mapping[int, str] = {2816: "SDXL", 2560: "the SDXL refiner"}
"""The length of the vector of sizes and prompt that goes along → the models that take it."""

LATENTS: Mapping[int, str] = {
    3: "pictures, not latents",
    4: "SD 1.x, SD 2.x or SDXL",
    16: "SD3, FLUX.1 or Wan 2.1",
    32: "FLUX.2",
    48: "Wan 2.2",
    64: "HunyuanImage 2.1",
    5: "a model that takes a depth map beside the latent",
    8: "a model that takes a picture beside the latent",
    9: "an inpainting model, which takes a mask and a picture beside the latent",
}
"""The channels of a latent → the models that work on it."""

_PRODUCT = re.compile(r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)")
_CHANNELS = re.compile(r"to have (\d+) channels, but got (\d+) channels instead")
_SIZES = re.compile(
    r"size of tensor a \(\d+\) must match|Sizes of tensors must match|shape '.*' is invalid for"
    r"|shapes cannot be (?:multiplied|broadcast)|size mismatch|Expected size \d+ but got size"
    r"|could not create a primitive descriptor"  # oneDNN, of a matrix of another width
    r"|normalized_shape|are not broadcastable|must have the same (?:number of dimensions|size)"
)


def explained(message: str) -> str | None:
    """The sentence for the message of an error about shapes; None for every other message."""
    found = _PRODUCT.search(message)
    if found:
        given, wanted = int(found[2]), int(found[3])
        for table in (VECTORS, PROMPTS):
            if given in table and wanted in table:
                return _prompt(table[given], table[wanted])
        known = PROMPTS.get(wanted)
        if known:
            return _prompt("another model", known)
    found = _CHANNELS.search(message)
    if found:
        wanted, given = int(found[1]), int(found[2])
        return (
            f"What arrived has the channels of {_channels(given)}, and this was made for "
            f"{_channels(wanted)}: use the VAE and the model of one family, or put Convert Latent "
            "in between."
        )
    if _SIZES.search(message):
        return (
            "Two things of different sizes met. Check that the pictures, masks and latents that "
            f"enter here are of one size and belong to this model. ({message.splitlines()[0]})"
        )
    return None


def _prompt(given: str, wanted: str) -> str:
    return (
        f"The prompt was made for {given}, and the model reads prompts of {wanted}: take the text "
        "encoder of the model's own checkpoint."
    )


def _channels(number: int) -> str:
    return LATENTS.get(number, f"no known model ({number})")
