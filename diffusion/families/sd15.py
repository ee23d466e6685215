"""Stable Diffusion 1.x (Rombach et al. 2022): 512 pixels, CLIP ViT-L/14, epsilon prediction."""

from diffusion.families.family import DiscreteNoise, Family, Variant
from diffusion.families.signature import Has, Lacks, takes

IN = frozenset({4, 8, 9})
"""Channels of the first convolution: plain, with a picture beside it, with mask and picture."""

SD15 = Family(
    id="sd15",
    title="SD 1.x",
    latent_space="sd1",
    text_space="sd1",
    prediction="epsilon",
    noise=DiscreteNoise(),
    layouts={
        "original": (
            Has("input_blocks.0.0.weight", (None, IN, 3, 3)),
            Has("out.2.weight"),  # a ControlNet has none
            Lacks("label_emb.0.0.weight"),
            # A convolution here, where later versions have a linear map.
            Has("input_blocks.*.1.proj_in.weight", (None, None, 1, 1)),
        ),
        "diffusers": (
            Has("conv_in.weight", (None, IN, 3, 3)),
            Lacks("add_embedding.linear_1.weight"),
            Has("conv_out.weight"),
            Has("down_blocks.*.attentions.0.proj_in.weight", (None, None, 1, 1)),
        ),
    },
    sizes=(
        Has("input_blocks.0.0.weight", (320, IN, 3, 3)),
        Has("input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", (320, 768)),
    ),
    variants=(
        Variant("sd15_inpaint", "inpainting", (takes(9),), conditioning=("inpaint",)),
        Variant(
            "instruct_pix2pix",
            "InstructPix2Pix",
            (takes(8), Lacks("cc_projection.weight")),
            conditioning=("edit",),
        ),
        Variant(
            "zero123",
            "Zero123",
            (takes(8), Has("cc_projection.weight")),
            runnable=False,
            reason="it reads a picture by CLIP's eye and a turn of the camera in place of text, "
            "and neither can be handed to it yet",
        ),
    ),
    text_prefixes={"clip_l": ("cond_stage_model.transformer.",)},
    modelspec=("stable-diffusion-v1",),
    resolution=512,
    runnable=True,
)
