"""Stable Diffusion 2.x: SD 1.x's latents, OpenCLIP ViT-H/14 text, epsilon or velocity."""

from diffusion.families.family import DiscreteNoise, Family, Variant
from diffusion.families.signature import Has, takes

SD2 = Family(
    id="sd2",
    title="SD 2.x",
    latent_space="sd1",
    text_space="sd2",
    # Base models predict epsilon, the 768-pixel ones velocity; no header tells them apart.
    prediction="epsilon",
    noise=DiscreteNoise(),
    layouts={
        "original": (
            Has("input_blocks.0.0.weight", (320, None, 3, 3)),
            Has("out.2.weight"),
            Has("input_blocks.1.1.proj_in.weight", (320, 320)),
            Has("input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight", (320, 1024)),
        ),
        "diffusers": (
            Has("conv_in.weight", (320, None, 3, 3)),
            Has("conv_out.weight"),
            Has("down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight", (320, 1024)),
        ),
    },
    variants=(
        Variant("sd2_inpaint", "inpainting", (takes(9),)),
        Variant("sd2_depth", "depth", (takes(5),)),
        Variant("unclip_l", "unCLIP L", (Has("label_emb.0.0.weight", (None, 1536)),)),
        Variant("unclip_h", "unCLIP H", (Has("label_emb.0.0.weight", (None, 2048)),)),
    ),
    text_prefixes={"clip_h": ("cond_stage_model.model.", "conditioner.embedders.0.model.")},
    modelspec=("stable-diffusion-v2-512", "stable-diffusion-v2-768-v"),
    resolution=768,
)
