"""The SDXL refiner: SDXL's latents, CLIP-G text alone, an aesthetic score as conditioning."""

from diffusion.families.family import DiscreteNoise, Family, Network
from diffusion.families.signature import Has, Lacks

SDXL_REFINER = Family(
    id="sdxl_refiner",
    title="SDXL Refiner",
    latent_space="sdxl",
    text_space="sdxl_refiner",
    prediction="epsilon",
    noise=DiscreteNoise(),
    layouts={
        "original": (
            Has("input_blocks.0.0.weight", (None, 4, 3, 3)),
            Has("out.2.weight"),
            Has("label_emb.0.0.weight"),
            # No transformer at full resolution, and four levels where SDXL has three.
            Lacks("input_blocks.1.1.proj_in.weight"),
            Has("input_blocks.9.0.op.weight"),
        ),
        "diffusers": (
            Has("conv_in.weight", (None, 4, 3, 3)),
            Has("conv_out.weight"),
            Has("add_embedding.linear_1.weight"),
            Lacks("down_blocks.0.attentions.0.proj_in.weight"),
            Has("down_blocks.3.resnets.0.norm1.weight"),
        ),
    },
    sizes=(
        Has("input_blocks.0.0.weight", (384, 4, 3, 3)),
        Has("label_emb.0.0.weight", (1536, 2560)),
    ),
    text_prefixes={"clip_g": ("conditioner.embedders.0.model.",)},
    modelspec=("stable-diffusion-xl-v1-refiner",),
    runnable=True,
    network=Network(head_width=64),
    conditioning=("refiner_sizes",),
)
