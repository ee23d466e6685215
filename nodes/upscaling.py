"""Nodes that enlarge pictures by a network made for it."""

import torch

from graph.node import node
from nodes.services import Facts, Interrupt, Models, Progress
from nodes.sockets import Image, Upscaler, UpscalerFile


@node(title="Load Upscale Model", category="loaders")
def load_upscale_model(file: UpscalerFile, *, facts: Facts) -> Upscaler:
    """A network from models/upscale_models that enlarges pictures: ESRGAN or a compact one."""
    facts.of(file)  # raises where it cannot be used
    return Upscaler(file.path, file.content)


@node(title="Upscale Image with Model", category="image")
def upscale_image_with_model(
    upscaler: Upscaler,
    image: Image,
    *,
    models: Models,
    interrupt: Interrupt,
    progress: Progress,
) -> Image:
    """Enlarge pictures by a network, as many times as it was made for."""
    network = models.upscaler(upscaler)
    made = []
    for number, one in enumerate(image.pixels, start=1):
        made.append(network.enlarge(one[None], interrupt.check))
        progress.step(number, len(image.pixels))
    return Image(torch.cat(made))
