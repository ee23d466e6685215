"""PixArt (Chen et al. 2023 and 2024): a DiT with T5 text, on SD 1.x's latents (α) or SDXL's (Σ)."""

from diffusion.families.family import Family, Network, Variant
from diffusion.families.signature import Has, Lacks, Signature

_SIZES = "adaln_single.emb.resolution_embedder.linear_1.weight"


def _original(tokens: int) -> Signature:
    """α and Σ differ in how many tokens of a prompt they read."""
    return (
        Has("x_embedder.proj.weight", (None, 4, 2, 2)),
        Has("y_embedder.y_embedding", (tokens, 4096)),
        Has("blocks.0.cross_attn.q_linear.weight"),
    )


_DIFFUSERS = (
    Has("adaln_single.linear.weight"),
    Has("pos_embed.proj.weight", (None, 4, 2, 2)),
    Has("caption_projection.linear_1.weight", (None, 4096)),
)

PIXART_ALPHA = Family(
    id="pixart_alpha",
    title="PixArt-α",
    latent_space="sd1",
    text_space="pixart",
    prediction="epsilon",
    noise=None,  # beta itself rises evenly
    layouts={"original": _original(120), "diffusers": (*_DIFFUSERS, Has(_SIZES))},
    network=Network("pixart"),
)

PIXART_SIGMA = Family(
    id="pixart_sigma",
    title="PixArt-Σ",
    latent_space="sdxl",
    text_space="pixart",
    prediction="epsilon",
    noise=None,  # beta itself rises evenly
    layouts={"original": _original(300), "diffusers": (*_DIFFUSERS, Lacks(_SIZES))},
    variants=(
        # diffusers leaves out the one tensor that tells them apart.
        Variant(
            "pixart_512",
            "or PixArt-α 512",
            (Has("adaln_single.linear.weight"),),
            latent_spaces=("sd1", "sdxl"),
        ),
    ),
    network=Network("pixart"),
)
