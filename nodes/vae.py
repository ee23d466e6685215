"""Nodes that turn latents into pictures, and back."""

from graph.node import node
from nodes.services import Interrupt, Models, Side, Spaces
from nodes.sockets import Image, Latent, S, Vae


@node(title="VAE Decode", category="latent")
def vae_decode(
    latent: Latent[S], vae: Vae[S], *, models: Models, spaces: Spaces, interrupt: Interrupt
) -> Image:
    """Turn latents into pictures with the VAE of their own space."""
    spaces.agree("latent", Side("latent", latent.space), Side("VAE", vae.latent_space))
    loaded = models.vae(vae)
    if latent.space:  # a VAE that could be of several spaces is taken to be of the latent's
        loaded = loaded.within(spaces.latent(latent.space))
    return Image(loaded.decode(latent.samples, interrupt.check))


@node(title="VAE Encode", category="latent")
def vae_encode(image: Image, vae: Vae[S], *, models: Models, interrupt: Interrupt) -> Latent[S]:
    """Turn pictures into latents. What is over a whole number of cells is cut off at the edges."""
    return Latent(models.vae(vae).encode(image.pixels, interrupt.check), vae.latent_space)
