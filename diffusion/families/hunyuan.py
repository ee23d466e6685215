"""Tencent's models: HunyuanDiT (2024), HunyuanVideo (2024) and HunyuanImage 2.1 (2025)."""

from diffusion.families.family import DiscreteNoise, Family, FlowNoise, Network
from diffusion.families.signature import Has, Lacks, Signature

HUNYUAN_DIT = Family(
    id="hunyuan_dit",
    title="HunyuanDiT",
    latent_space="sdxl",
    text_space="hunyuan_dit",
    prediction="velocity",
    noise=DiscreteNoise(last=0.018),
    layouts={
        "original": (
            Has("mlp_t5.0.weight"),
            Has("extra_embedder.0.weight"),
            Lacks("after_proj_list.18.bias"),  # which its ControlNets have
        ),
        "diffusers": (
            Has("time_extra_emb.timestep_embedder.linear_1.weight"),
            Has("text_embedder.linear_1.weight", (None, 2048)),
            Has("pos_embed.proj.weight", (None, 4, 2, 2)),
        ),
    },
    network=Network("hunyuan_dit"),
)


def _layouts(channels: int, patch: tuple[int, ...]) -> dict[str, Signature]:
    shape = (None, channels, *patch)
    return {
        "original": (
            Has("txt_in.individual_token_refiner.blocks.0.norm1.weight"),
            Has("img_in.proj.weight", shape),
        ),
        "diffusers": (
            Has("context_embedder.token_refiner.refiner_blocks.0.norm1.weight"),
            Has("x_embedder.proj.weight", shape),
        ),
    }


HUNYUAN_VIDEO = Family(
    id="hunyuan_video",
    title="HunyuanVideo",
    latent_space="hunyuan_video",
    text_space="hunyuan_video",
    prediction="flow",
    noise=FlowNoise(shift=7.0),
    layouts=_layouts(16, (1, 2, 2)),
    network=Network("hunyuan_video"),
)

HUNYUAN_IMAGE = Family(
    id="hunyuan_image_2.1",
    title="HunyuanImage 2.1",
    latent_space="hunyuan_image21",
    text_space="hunyuan_image",
    prediction="flow",
    noise=FlowNoise(shift=5.0),
    layouts=_layouts(64, (1, 1)),
    modelspec=("hunyuan-image-2.1",),
    network=Network("hunyuan_image"),
)
