"""Stable Diffusion 3 and 3.5 (Esser et al. 2024): MMDiT, rectified flow, CLIP-L, CLIP-G and T5."""

from diffusion.families.family import Family, FlowNoise, Network, Variant
from diffusion.families.signature import Has, Lacks

_RMS = "joint_blocks.0.context_block.attn.ln_q.weight"

SD3 = Family(
    id="sd3",
    title="SD3",
    latent_space="sd3",
    text_space="sd3",
    prediction="flow",
    noise=FlowNoise(shift=3.0),
    layouts={
        "original": (
            Has("x_embedder.proj.weight", (None, 16, 2, 2)),
            Has("joint_blocks.0.context_block.attn.qkv.weight"),
            Has("pos_embed"),
        ),
        "diffusers": (
            Has("pos_embed.proj.weight", (None, 16, 2, 2)),
            Has("transformer_blocks.0.attn.add_q_proj.weight"),
            Lacks("pos_embed_input.proj.weight"),
        ),
    },
    variants=(
        Variant("sd3_medium", "SD3 medium", (Has("pos_embed", (1, 36864, 1536)), Lacks(_RMS))),
        Variant("sd35_medium", "SD3.5 medium", (Has("pos_embed", (1, 147456, 1536)), Has(_RMS))),
        Variant("sd35_large", "SD3.5 large", (Has("pos_embed", (1, 36864, 2432)), Has(_RMS))),
    ),
    text_prefixes={
        "clip_l": ("text_encoders.clip_l.transformer.",),
        "clip_g": ("text_encoders.clip_g.transformer.",),
        "t5xxl": ("text_encoders.t5xxl.transformer.",),
    },
    modelspec=(
        "stable-diffusion-v3-medium",
        "stable-diffusion-v3.5-medium",
        "stable-diffusion-v3.5-large",
    ),
    runnable=True,
    network=Network("mmdit"),
    conditioning=("pooled",),
)
