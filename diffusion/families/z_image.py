"""Z-Image (Tongyi 2025): built as Lumina 2 at another size, with Qwen 3 4B text."""

from diffusion.families.family import Family, FlowNoise, Network
from diffusion.families.signature import Has

_CAPTION = Has("cap_embedder.1.weight", (3840, 2560))

Z_IMAGE = Family(
    id="z_image",
    title="Z-Image",
    latent_space="flux1",
    text_space="z_image",
    prediction="flow",
    noise=FlowNoise(shift=3.0, multiplier=1.0),
    layouts={
        "original": (_CAPTION, Has("layers.0.attention.qkv.weight")),
        "diffusers": (_CAPTION, Has("layers.0.attention.to_q.weight")),
    },
    network=Network("z_image"),
)
