"""Nodes that look at what flows: a latent's numbers and channels, a picture that went wrong."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from diffusion.latent_view import Statistics, by_channel, channels_of, enlarged, statistics
from diffusion.preview import preview
from diffusion.quality import fault_of
from diffusion.spaces import LatentSpace
from graph.node import node
from nodes.diagnosis import OK, diagnosis
from nodes.services import Outputs, Spaces
from nodes.sockets import Image, Latent, S


class Numbers(NamedTuple):
    """The statistics of the whole latent as it travels, and of every channel in words."""

    mean: float
    deviation: float
    lowest: float
    highest: float
    table: str


class Views(NamedTuple):
    """Each channel as a map (blue is below zero, red above), and a guess at the colours."""

    channels: Image
    colours: Image


class Checked(NamedTuple):
    """The picture as it was, whether nothing is wrong with it, and what is."""

    image: Image
    ok: bool
    report: str


class BrokenPicture(ValueError):
    """A picture that is plainly wrong; the message says how, and which node to suspect."""


@node(title="Latent Statistics", category="latent", output=True, cache=False)
def latent_statistics(latent: Latent[S], *, spaces: Spaces, outputs: Outputs) -> Numbers:
    """Mean, deviation and limits of a latent: as it travels, and as the model sees it."""
    whole = statistics(latent.samples)
    space = spaces.latent(latent.space) if latent.space else None
    table = _table(latent, space)
    outputs.tell(table)
    return Numbers(*whole, table)


@node(title="Show Latent", category="latent", output=True, cache=False)
def show_latent(latent: Latent[S], *, spaces: Spaces, outputs: Outputs) -> Views:
    """Draw each channel of a latent (blue is below zero, red above) and a guess at its colours."""
    space = spaces.latent(latent.space) if latent.space else None
    seen = space.normalise(latent.samples) if space else latent.samples
    pixels = max(4, space.downscale if space else 8)
    channels = torch.stack([channels_of(one, pixels) for one in seen])
    guess = space or LatentSpace("", "", "", latent.samples.shape[1], pixels)
    colours = torch.stack(
        [enlarged(torch.from_numpy(preview(one[None], guess)) / 255, pixels) for one in seen]
    )
    made = Views(Image(channels), Image(colours))
    outputs.preview(made.colours)
    outputs.preview(made.channels)
    return made


@node(title="Output Check", category="image", output=True, cache=False)
def output_check(image: Image, stop: bool = False, *, outputs: Outputs) -> Checked:
    """Say whether a picture is NaN, black, flat or noise, and which node to suspect.

    `stop` ends the run there, so that nothing is saved that comes after.
    """
    lines = []
    for number, picture in enumerate(image.pixels, start=1):
        fault = fault_of(picture)
        if fault is not None:
            which = f"Picture {number}" if len(image.pixels) > 1 else "The picture"
            lines.append(diagnosis(fault, which, outputs.behind(), outputs.workflow()))
    report = "\n".join(lines) or OK
    outputs.tell(report)
    if lines and stop:
        raise BrokenPicture(report)
    return Checked(image, not lines, report)


def _table(latent: Latent[Any], space: LatentSpace | None) -> str:
    batch, channels, height, width = latent.samples.shape
    title = space.title if space else "unknown space"
    lines = [
        f"{title}: {batch} x {channels} channels, {width} x {height} cells",
        _line("as it travels", statistics(latent.samples)),
    ]
    if space is not None:
        seen = statistics(space.normalise(latent.samples))
        usual = " (about 1 is usual)" if not 0.5 < seen.deviation < 1.6 else ""
        lines.append(_line("as the model sees it", seen) + usual)
    each: Mapping[int, Statistics] = dict(enumerate(by_channel(latent.samples)))
    lines += [_line(f"channel {number}", found) for number, found in each.items()]
    return "\n".join(lines)


def _line(name: str, found: Statistics) -> str:
    return (
        f"{name}: mean {found.mean:.3g}, deviation {found.deviation:.3g}, "
        f"{found.lowest:.3g} … {found.highest:.3g}"
    )
