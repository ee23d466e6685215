"""FLUX.2 (Black Forest Labs 2025): a DiT with shared modulation; a text encoder for each size."""

import math

from diffusion.families.family import Family, FlowNoise, Network, Variant
from diffusion.families.signature import Has

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
            Has("txt_in.weight", (None, frozenset({15360, 7680, 12288}))),
        ),
        "diffusers": (
            Has("double_stream_modulation_img.linear.weight"),
            Has("x_embedder.weight", (None, 128)),
            Has("context_embedder.weight", (None, frozenset({15360, 7680, 12288}))),
        ),
    },
    variants=(
        Variant("dev", "dev", (Has("txt_in.weight", (6144, 15360)),)),
        Variant(
            "klein_4b",
            "klein 4B",
            (Has("txt_in.weight", (3072, 7680)),),
            text_space="flux2_klein_4b",
        ),
        Variant(
            "klein_9b",
            "klein 9B",
            (Has("txt_in.weight", (4096, 12288)),),
            text_space="flux2_klein_9b",
        ),
    ),
    # Network and VAE are there; what encodes its prompts (Mistral, Qwen 3) is not yet.
    network=Network("flux2"),
    conditioning=("guidance",),
)
