"""Nodes that make and change latents."""

from typing import Annotated

import torch
from pydantic import Field

from graph.node import node
from nodes.services import Spaces
from nodes.sockets import Latent, S, id_of

Edge = Annotated[int, Field(ge=16, le=16384, multiple_of=8)]
"""Pixels along one edge of a picture."""


@node(title="Empty Latent", category="latent")
def empty_latent(
    space: type[S],
    width: Edge = 512,
    height: Edge = 512,
    batch: Annotated[int, Field(ge=1, le=4096, description="How many pictures.")] = 1,
    *,
    spaces: Spaces,
) -> Latent[S]:
    """A latent with nothing in it yet. Its space is that of the model that it is wired to."""
    latent = spaces.latent(id_of(space))
    cells = (height // latent.downscale, width // latent.downscale)
    # What the model sees as zero, which in a space with a shift is not zero.
    nothing = latent.denormalise(torch.zeros(batch, latent.channels, *cells))
    return Latent(nothing, latent.id)
