"""Change latents without a network: resize, cut, turn, mix. A space is kept, never left.

Latents are raw VAE output, float32 (batch, channels, height, width); lengths are in cells.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

METHODS = ("nearest-exact", "bilinear", "area", "bicubic", "bislerp")
"""The ways to resize; "bislerp" turns from one cell's vector to the next at an even pace."""

PARALLEL = 1e-5
"""Vectors whose cosine is so near to ±1 have no plane to turn in."""


TINY = 1e-12
"""A vector shorter than this has no direction."""


class UnlikeBatches(ValueError):
    """Batches that cannot be paired; the message says how many there are in each."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(
            f"One input holds {one} pictures and the other {other}, so it is not clear which "
            "belong together: repeat or pick some first (Repeat Latent Batch, Latent From Batch)."
        )


def resized(x: Tensor, height: int, width: int, method: str, *, crop: bool = False) -> Tensor:
    """x at another size; `crop` cuts its middle to the new proportions first."""
    if crop:
        x = middle(x, height, width)
    if tuple(x.shape[-2:]) == (height, width):
        return x
    if method == "bislerp":
        return _bislerp(x, height, width)
    return interpolate(x, size=(height, width), mode=method)


def middle(x: Tensor, height: int, width: int) -> Tensor:
    """The largest part around the middle of x that has the proportions height : width.

    At least one row and column is left, however thin the part should be.
    """
    rows, columns = x.shape[-2:]
    if columns * height > rows * width:
        cut = min(round((columns - rows * width / height) / 2), (columns - 1) // 2)
        return x[..., cut : columns - cut]
    if columns * height < rows * width:
        cut = min(round((rows - columns * height / width) / 2), (rows - 1) // 2)
        return x[..., cut : rows - cut, :]
    return x


def slerp(one: Tensor, other: Tensor, ratio: Tensor) -> Tensor:
    """From `one` (ratio 0) to `other` (ratio 1) over the sphere; lengths change in a line.

    Vectors lie along dimension 1 (Shoemake 1985). Opposite ones have no way between, and are mixed
    in a line.
    """
    lengths = [part.norm(dim=1, keepdim=True) for part in (one, other)]
    units = [
        torch.where(length > 0, part / length, 0)
        for part, length in zip((one, other), lengths, strict=True)
    ]
    cosine = (units[0] * units[1]).sum(dim=1, keepdim=True)
    angle = torch.acos(cosine.clamp(-1, 1))
    turned = torch.sin((1 - ratio) * angle) * units[0] + torch.sin(ratio * angle) * units[1]
    made = turned / torch.sin(angle) * (lengths[0] * (1 - ratio) + lengths[1] * ratio)
    straight = one * (1 - ratio) + other * ratio
    return torch.where(cosine.abs() < 1 - PARALLEL, made, straight)


def _bislerp(x: Tensor, height: int, width: int) -> Tensor:
    """Resize along columns, then along rows, by `slerp` between neighbours."""
    return _slerped(_slerped(x, width).mT, height).mT


def _slerped(x: Tensor, width: int) -> Tensor:
    columns = x.shape[-1]
    at = (torch.arange(width, device=x.device) + 0.5) * columns / width - 0.5
    at = at.clamp(0, columns - 1)  # pixel centres; beyond the outermost ones nothing changes
    left = at.floor().long()
    right = (left + 1).clamp(max=columns - 1)
    return slerp(x[..., left], x[..., right], at - left)


def like(x: Tensor, other: Tensor) -> Tensor:
    """x at the height and width of `other`, cut around its middle where proportions differ."""
    return resized(x, other.shape[-2], other.shape[-1], "bicubic", crop=True)


def paired(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Both with as many pictures; a single one goes with all. Raises `UnlikeBatches`."""
    count = max(len(one), len(other))
    if {len(one), len(other)} - {1, count}:
        raise UnlikeBatches(len(one), len(other))
    return one.expand(count, *one.shape[1:]), other.expand(count, *other.shape[1:])


def blended(one: Tensor, other: Tensor, share: float) -> Tensor:
    """`share` of `one` and the rest of `other`, at the size of `one`."""
    one, other = paired(one, like(other, one))
    return one * share + other * (1 - share)


def turned_towards(one: Tensor, other: Tensor, share: float) -> Tensor:
    """Mix directions and lengths apart: `share` of `one` and the rest of `other`.

    Unlike a plain mix, the result is as strong as its parts where they point apart.
    """
    one, other = paired(one, like(other, one))
    pairs = [(part, part.norm(dim=1, keepdim=True)) for part in (one, other)]
    (first, length), (second, other_length) = [
        (part / norm.clamp(min=TINY), norm) for part, norm in pairs
    ]
    mixed = first * share + second * (1 - share)
    unit: Tensor = mixed / mixed.norm(dim=1, keepdim=True).clamp(min=TINY)
    strength: Tensor = length * share + other_length * (1 - share)
    return unit * strength


def pasted(onto: Tensor, piece: Tensor, top: int, left: int, mask: Tensor | None = None) -> Tensor:
    """`piece` laid onto a latent at that cell; what hangs over an edge is cut off.

    `mask`: (1 or batch, 1, height, width) of the piece, 1 where it covers.
    """
    onto, piece = paired(onto, piece)
    rows = min(piece.shape[-2], onto.shape[-2] - top)
    columns = min(piece.shape[-1], onto.shape[-1] - left)
    if rows <= 0 or columns <= 0:
        return onto.clone()
    piece = piece[..., :rows, :columns]
    made = onto.clone()
    under = made[..., top : top + rows, left : left + columns]
    cover = torch.ones(1) if mask is None else mask[..., :rows, :columns]
    made[..., top : top + rows, left : left + columns] = under + (piece - under) * cover
    return made


def feathered(onto: Tensor, piece: Tensor, top: int, left: int, feather: int) -> Tensor:
    """The mask of a piece whose edges inside the latent fade over `feather` cells."""
    height, width = piece.shape[-2:]
    mask = torch.ones(1, 1, height, width)
    if feather > 0:
        ramp = torch.arange(1, feather + 1) / feather
        down, across = ramp[: min(feather, height)], ramp[: min(feather, width)]
        if top > 0:
            mask[..., : len(down), :] *= down[:, None]
        if top + height < onto.shape[-2]:
            mask[..., height - len(down) :, :] *= down.flip(0)[:, None]
        if left > 0:
            mask[..., : len(across)] *= across
        if left + width < onto.shape[-1]:
            mask[..., width - len(across) :] *= across.flip(0)
    return mask


def joined(latents: Sequence[Tensor]) -> Tensor:
    """One batch of all, each at the size of the first."""
    return torch.cat([like(one, latents[0]) for one in latents])
