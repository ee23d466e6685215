"""SANA (Xie et al. 2024): linear attention on a deeply compressed latent, with Gemma 2 text."""

from diffusion.families.family import Family, FlowNoise, Network
from diffusion.families.signature import Has

SANA = Family(
    id="sana",
    title="SANA",
    latent_space="sana_dcae",
    text_space="sana",
    prediction="flow",
    noise=FlowNoise(shift=3.0),
    layouts={
        "original": (
            Has("x_embedder.proj.weight", (None, 32, 1, 1)),
            Has("blocks.0.cross_attn.q_linear.weight"),
            Has("blocks.0.cross_attn.kv_linear.weight"),
        ),
        "diffusers": (
            Has("patch_embed.proj.weight", (None, 32, 1, 1)),
            Has("transformer_blocks.0.ff.conv_inverted.weight"),
            Has("caption_projection.linear_1.weight", (None, 2304)),
        ),
    },
    network=Network("sana"),
)
