"""Stable Diffusion 2.x: SD 1.x's latents, OpenCLIP ViT-H/14 text, epsilon or velocity."""

from diffusion.families.family import DiscreteNoise, Family, Network, Spread, Variant
from diffusion.families.signature import Has, Lacks, takes

IN = frozenset({4, 5, 9})
"""Channels of the first convolution: plain, with depth, with mask and picture."""

SD2 = Family(
    id="sd2",
    title="SD 2.x",
    latent_space="sd1",
    text_space="sd2",
    # Base models predict epsilon, the 768-pixel ones velocity: see `velocity_where`.
    prediction="epsilon",
    noise=DiscreteNoise(),
    layouts={
        "original": (
            Has("input_blocks.0.0.weight", (None, IN, 3, 3)),
            Has("out.2.weight"),
            # A linear map here, at full resolution, where SDXL has no transformer.
            Has("input_blocks.1.1.proj_in.weight", (None, None)),
            Lacks("input_blocks.1.1.time_stack.0.norm1.weight"),
        ),
        "diffusers": (
            Has("conv_in.weight", (None, IN, 3, 3)),
            Has("conv_out.weight"),
            Has("down_blocks.0.attentions.0.proj_in.weight", (None, None)),
            Lacks("down_blocks.0.attentions.0.temporal_transformer_blocks.0.norm1.weight"),
            Lacks("encoder_hid_proj.weight"),
        ),
    },
    sizes=(
        Has("input_blocks.0.0.weight", (320, None, 3, 3)),
        Has("input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight", (320, 1024)),
    ),
    variants=(
        Variant("sd2_inpaint", "inpainting", (takes(9),), conditioning=("inpaint",)),
        Variant("sd2_depth", "depth", (takes(5),), conditioning=("depth",)),
        *(
            Variant(
                f"unclip_{size}",
                f"unCLIP {size.upper()}",
                (Has("label_emb.0.0.weight", (None, width)),),
                runnable=False,
                reason="it reads a picture by CLIP's eye beside the text, and that cannot be "
                "handed to it yet",
            )
            for size, width in (("l", 1536), ("h", 2048))
        ),
    ),
    text_prefixes={"clip_h": ("cond_stage_model.model.", "conditioner.embedders.0.model.")},
    modelspec=("stable-diffusion-v2-512", "stable-diffusion-v2-768-v"),
    resolution=768,
    runnable=True,
    network=Network(head_width=64),
    # No header tells the two apart, but training with velocity spread these values further.
    velocity_where=Spread("output_blocks.11.1.transformer_blocks.0.norm1.bias", 0.09),
)
