"""FLUX.2 (Black Forest Labs 2025): a DiT with shared modulation; a text encoder for each size."""

import math

from diffusion.families.family import Family, FlowNoise, Network, Variant
from diffusion.families.signature import Either, Has

DEV, KLEIN_4B, KLEIN_9B = 15360, 7680, 12288
"""Widths of the prompts' tokens: three layers of Mistral Small, of Qwen 3 4B and of Qwen 3 8B."""


def _reads(width: int) -> tuple[Either]:
    """A transformer that takes prompts of this width, under the names of either layout."""
    shape = (None, width)
    return (Either((Has("txt_in.weight", shape), Has("context_embedder.weight", shape))),)


FLUX2 = Family(
    id="flux2",
    title="FLUX.2",
    latent_space="flux2",
    text_space="flux2_dev",
    prediction="flow",
    noise=FlowNoise(shift=math.exp(2.02), count=10000, multiplier=1.0),
    layouts={
        "original": (
            Has("double_stream_modulation_img.lin.weight"),
            Has("img_in.weight", (None, 128)),
            Has("txt_in.weight", (None, frozenset({DEV, KLEIN_4B, KLEIN_9B}))),
        ),
        "diffusers": (
            Has("double_stream_modulation_img.linear.weight"),
            Has("x_embedder.weight", (None, 128)),
            Has("context_embedder.weight", (None, frozenset({DEV, KLEIN_4B, KLEIN_9B}))),
        ),
    },
    variants=(
        Variant("dev", "dev", _reads(DEV)),
        Variant("klein_4b", "klein 4B", _reads(KLEIN_4B), text_space="flux2_klein_4b"),
        Variant("klein_9b", "klein 9B", _reads(KLEIN_9B), text_space="flux2_klein_9b"),
    ),
    text_prefixes={
        "mistral_small": ("text_encoders.mistral3_24b.transformer.",),
        "qwen3_4b": ("text_encoders.qwen3_4b.transformer.",),
        "qwen3_8b": ("text_encoders.qwen3_8b.transformer.",),
    },
    runnable=True,
    network=Network("flux2"),
    conditioning=("guidance",),
)
