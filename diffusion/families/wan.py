"""Wan 2.1 and 2.2 (Alibaba 2025): video models whose first frame is a picture, with UMT5 text."""

from diffusion.families.family import Family, FlowNoise, Network
from diffusion.families.signature import Has, Signature

_SMALL = frozenset({16, 20, 32, 36, 52})
"""Channels of Wan 2.1's latents, and with the picture, mask or video that a model is shown."""


def _layouts(channels: int | frozenset[int]) -> dict[str, Signature]:
    patches = Has("patch_embedding.weight", (None, channels, 1, 2, 2))
    return {
        "original": (patches, Has("head.modulation"), Has("blocks.0.self_attn.q.weight")),
        "diffusers": (patches, Has("condition_embedder.time_embedder.linear_1.weight")),
    }


WAN21 = Family(
    id="wan2.1",
    title="Wan 2.1",
    latent_space="wan21",
    text_space="wan21",
    prediction="flow",
    noise=FlowNoise(shift=8.0),
    layouts=_layouts(_SMALL),
    network=Network("wan"),
)

WAN22_5B = Family(
    id="wan2.2_ti2v_5b",
    title="Wan 2.2 5B",
    latent_space="wan22",
    text_space="wan21",
    prediction="flow",
    noise=FlowNoise(shift=8.0),
    layouts=_layouts(48),
    network=Network("wan"),
)
"""Wan 2.2's 14B models are built and typed as Wan 2.1's."""
