"""AuraFlow (fal 2024): an MMDiT on SDXL's latents, with Pile-T5-XL text."""

from diffusion.families.family import Family, FlowNoise, Network
from diffusion.families.signature import Has

AURA = Family(
    id="aura",
    title="AuraFlow",
    latent_space="sdxl",
    text_space="aura",
    prediction="flow",
    noise=FlowNoise(shift=1.73, multiplier=1.0),
    layouts={
        "original": (
            Has("double_layers.0.attn.w1q.weight"),
            Has("cond_seq_linear.weight", (None, 2048)),
            Has("positional_encoding"),
        ),
        "diffusers": (
            Has("joint_transformer_blocks.0.attn.add_k_proj.weight"),
            Has("context_embedder.weight", (None, 2048)),
            Has("pos_embed.pos_embed"),
        ),
    },
    network=Network("aura"),
)
