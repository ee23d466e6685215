"""Nodes that turn latents into pictures, and back."""

from typing import Annotated, Any

from pydantic import Field

from diffusion.loaded_vae import LoadedVae
from diffusion.tiles import TileSize
from graph.node import Part, node
from nodes.services import Interrupt, Models, Side, Spaces
from nodes.sockets import Image, Latent, S, Vae

TilePixels = Annotated[
    int, Field(ge=64, le=4096, multiple_of=32, description="Pixels along a tile's edge.")
]
Overlap = Annotated[
    int,
    Field(
        ge=0,
        le=4096,
        multiple_of=32,
        description="Pixels that a tile shares with the next; at most a quarter of it.",
    ),
]


@node(title="VAE Decode", category="latent")
def vae_decode(
    latent: Latent[S],
    vae: Annotated[Vae[S], Part("decoder")],
    *,
    models: Models,
    spaces: Spaces,
    interrupt: Interrupt,
) -> Image:
    """Turn latents into pictures with the VAE of their own space."""
    loaded = suiting(latent, vae, models, spaces)
    return Image(loaded.decode(latent.samples, interrupt.check))


@node(title="VAE Decode (Tiled)", category="latent")
def vae_decode_tiled(
    latent: Latent[S],
    vae: Annotated[Vae[S], Part("decoder")],
    tile_size: TilePixels = 512,
    overlap: Overlap = 64,
    *,
    models: Models,
    spaces: Spaces,
    interrupt: Interrupt,
) -> Image:
    """Turn latents into pictures in tiles, which takes less memory and may show in even areas."""
    loaded = suiting(latent, vae, models, spaces)
    tiles = TileSize(tile_size, overlap)
    return Image(loaded.decode(latent.samples, interrupt.check, tiles))


@node(title="VAE Encode", category="latent")
def vae_encode(
    image: Image,
    vae: Annotated[Vae[S], Part("encoder")],
    *,
    models: Models,
    interrupt: Interrupt,
) -> Latent[S]:
    """Turn pictures into latents. What is over a whole number of cells is cut off at the edges."""
    return Latent(models.vae(vae).encode(image.pixels, interrupt.check), vae.latent_space)


@node(title="VAE Encode (Tiled)", category="latent")
def vae_encode_tiled(
    image: Image,
    vae: Annotated[Vae[S], Part("encoder")],
    tile_size: TilePixels = 512,
    overlap: Overlap = 64,
    *,
    models: Models,
    interrupt: Interrupt,
) -> Latent[S]:
    """Turn pictures into latents in tiles, which takes less memory."""
    tiles = TileSize(tile_size, overlap)
    return Latent(models.vae(vae).encode(image.pixels, interrupt.check, tiles), vae.latent_space)


def suiting(latent: Latent[Any], vae: Vae[Any], models: Models, spaces: Spaces) -> LoadedVae:
    """The VAE, ready for this latent. Raises `WrongSpace`."""
    spaces.agree(
        "latent",
        Side("latent", latent.space, "latent"),
        Side("VAE", vae.latent_space, file=vae.path),
    )
    loaded = models.vae(vae)
    # A VAE that could be of several spaces is taken to be of the latent's.
    return loaded.within(spaces.latent(latent.space)) if latent.space else loaded
