"""FLUX.1 (Black Forest Labs 2024): a DiT with rectified flow, T5-XXL text and a pooled CLIP-L."""

import math

from diffusion.families.family import Family, FlowNoise, Network, Variant
from diffusion.families.signature import Has, Lacks

_GUIDED = Has("guidance_in.in_layer.weight")

FLUX1 = Family(
    id="flux1",
    title="FLUX.1",
    latent_space="flux1",
    text_space="flux1",
    prediction="flow",
    # exp(mu)/(exp(mu)+1/t-1) is the shift exp(mu); the network multiplies by 1000 itself.
    noise=FlowNoise(shift=math.exp(1.15), count=10000, multiplier=1.0),
    layouts={
        "original": (
            Has("double_blocks.0.img_attn.norm.key_norm.scale"),
            Has("vector_in.in_layer.weight", (None, 768)),
            Has("img_in.weight", (None, frozenset({64, 128, 384}))),
            Has("txt_in.weight", (None, 4096)),
            Has("final_layer.linear.weight", (64, None)),  # a ControlNet has none
            Lacks("distilled_guidance_layer.norms.0.scale"),
            Lacks("controlnet_blocks.0.weight"),
        ),
        "diffusers": (
            Has("single_transformer_blocks.0.proj_mlp.weight"),
            Has("time_text_embed.text_embedder.linear_1.weight", (None, 768)),
            Has("x_embedder.weight", (None, frozenset({64, 128, 384}))),
            Has("context_embedder.weight", (None, 4096)),
            Has("proj_out.weight", (64, None)),
            Lacks("controlnet_x_embedder.weight"),
        ),
    },
    variants=(
        Variant(
            "dev",
            "dev",
            (Has("img_in.weight", (None, 64)), _GUIDED),
            conditioning=("guidance",),
        ),
        Variant(
            "schnell",
            "schnell",
            (Has("img_in.weight", (None, 64)), Lacks("guidance_in.in_layer.weight")),
            noise=FlowNoise(shift=1.0, multiplier=1.0),
        ),
        Variant(
            "fill",
            "Fill",
            (Has("img_in.weight", (None, 384)),),
            conditioning=("guidance", "fill"),
        ),
        Variant(
            "canny_depth",
            "Canny or Depth",
            (Has("img_in.weight", (None, 128)),),
            conditioning=("guidance", "control"),
        ),
    ),
    text_prefixes={
        "clip_l": ("text_encoders.clip_l.transformer.",),
        "t5xxl": ("text_encoders.t5xxl.transformer.",),
    },
    modelspec=("flux-1-dev", "flux-1-schnell", "flux-1", "Flux.1-dev"),
    runnable=True,
    network=Network("flux"),
    conditioning=("optional_pooled",),
)
