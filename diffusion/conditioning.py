"""Turn what a prompt became into what a network takes: tokens, a vector, pictures beside x.

A network is called as module(x, timesteps, tokens, **extras). What its extras are is a matter of
its family, which names rows of `PREPARERS`: each gives some of them for a conditioning.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pixel_unshuffle

from diffusion.layers import timestep_embedding

Extras = Mapping[str, float | Tensor]
"""What a conditioning says beside its tokens, by the names of this module's constants."""

WIDTH, HEIGHT = "width", "height"
CROP_WIDTH, CROP_HEIGHT = "crop_width", "crop_height"
TARGET_WIDTH, TARGET_HEIGHT = "target_width", "target_height"
AESTHETIC_SCORE = "aesthetic_score"
GUIDANCE = "guidance"
CONCAT_LATENT, CONCAT_MASK = "concat_latent", "concat_mask"
"""A raw latent (1 or batch, channels, height, width), and a mask (1 or batch, height, width) in
0…1, 1 to be made anew."""
DEPTH = "depth"
"""How near each pixel is on any scale, larger where nearer, (1 or batch, height, width)."""

SIZE_WIDTH = 256
"""Sinusoids for each number of a picture's sizes (Podell et al. 2023, section 2.2)."""

SCORE, NEGATIVE_SCORE = 6.0, 2.5
"""The aesthetic scores that the SDXL refiner is told where a prompt says none."""

DISTILLED_GUIDANCE = 3.5
"""The guidance that FLUX is told where a prompt says none."""

GREY = (0.8223, -0.6876, 0.6364, 0.1380)
"""A grey picture in the model space of SD 1.x: what an inpainting model sees of a masked pixel."""


class NoPooled(ValueError):
    """A conditioning without the pooled vector that its model needs."""

    def __init__(self) -> None:
        super().__init__(
            "This model needs a prompt's pooled vector, and this prompt has none: encode it with "
            "the text encoders of the model's own kind."
        )


class NoDepth(ValueError):
    """A conditioning without the depths that its model needs."""

    def __init__(self) -> None:
        super().__init__(
            "This model makes pictures of given depths, and was given none: put the node Depth "
            "Conditioning between the prompts and the sampler."
        )


class Space(Protocol):
    """What preparing needs of a latent space."""

    @property
    def channels(self) -> int:
        """Channels of a latent."""
        ...

    @property
    def downscale(self) -> int:
        """Pixels along one edge of a latent's element."""
        ...

    def normalise(self, raw: Tensor) -> Tensor:
        """From raw VAE output to the model's own scale."""
        ...


class Conditioning(Protocol):
    """What a prompt became. `tokens`: float32 (1 or batch, tokens, width)."""

    @property
    def tokens(self) -> Tensor:
        """The token conditioning."""
        ...

    @property
    def pooled(self) -> Tensor | None:
        """The prompt in one vector, float32 (1 or batch, width), where there is one."""
        ...

    @property
    def extras(self) -> Extras:
        """Numbers and pictures that go along."""
        ...


class Scene(NamedTuple):
    """What a conditioning is prepared for: latents of this shape, in this space.

    `negative`: it is what guidance leads away from.
    """

    shape: torch.Size
    space: Space
    negative: bool = False


class Inputs(NamedTuple):
    """What a network is told: the tokens, and its other arguments by name, batch first."""

    tokens: Tensor
    extras: Mapping[str, Tensor]


Preparer = Callable[[Conditioning, Scene], Mapping[str, Tensor]]


def prepared(names: Sequence[str], conditioning: Conditioning, scene: Scene) -> Inputs:
    """The inputs that these rows of `PREPARERS` make of a conditioning."""
    extras: dict[str, Tensor] = {}
    for name in names:
        extras.update(PREPARERS[name](conditioning, scene))
    return Inputs(conditioning.tokens, extras)


def number(conditioning: Conditioning, name: str, default: float) -> float:
    """The number of that name among the extras, or the default."""
    return float(conditioning.extras.get(name, default))


def pooled_of(conditioning: Conditioning) -> Tensor:
    """The pooled vector. Raises `NoPooled`."""
    if conditioning.pooled is None:
        raise NoPooled
    return conditioning.pooled


def _pooled(conditioning: Conditioning, scene: Scene) -> Mapping[str, Tensor]:
    return {"vector": pooled_of(conditioning)}


def _sizes(conditioning: Conditioning, scene: Scene) -> Mapping[str, Tensor]:
    """SDXL: the pooled prompt and six sizes in pixels (Podell et al. 2023, section 2.2)."""
    height, width, top, left = _crop(conditioning, scene)
    target = (
        number(conditioning, TARGET_HEIGHT, height),
        number(conditioning, TARGET_WIDTH, width),
    )
    return {"vector": _vector(conditioning, (height, width, top, left, *target))}


def _refiner_sizes(conditioning: Conditioning, scene: Scene) -> Mapping[str, Tensor]:
    """The SDXL refiner: four sizes, and how well people liked such pictures."""
    default = NEGATIVE_SCORE if scene.negative else SCORE
    score = number(conditioning, AESTHETIC_SCORE, default)
    return {"vector": _vector(conditioning, (*_crop(conditioning, scene), score))}


def _crop(conditioning: Conditioning, scene: Scene) -> tuple[float, float, float, float]:
    """Height and width of the picture that was, and where it was cut off above and left."""
    height, width = (edge * scene.space.downscale for edge in scene.shape[-2:])
    return (
        number(conditioning, HEIGHT, height),
        number(conditioning, WIDTH, width),
        number(conditioning, CROP_HEIGHT, 0),
        number(conditioning, CROP_WIDTH, 0),
    )


def _vector(conditioning: Conditioning, numbers: Sequence[float]) -> Tensor:
    pooled = pooled_of(conditioning)  # (1 or batch, width)
    embedded = timestep_embedding(torch.tensor(numbers), SIZE_WIDTH).flatten()
    return torch.cat([pooled, embedded.expand(len(pooled), -1)], dim=1)


def _inpaint(conditioning: Conditioning, scene: Scene) -> Mapping[str, Tensor]:
    """The mask and the picture without what it covers, beside the latent in this order."""
    size = (scene.shape[-2], scene.shape[-1])
    mask, latent = (conditioning.extras.get(name) for name in (CONCAT_MASK, CONCAT_LATENT))
    if not isinstance(mask, Tensor) or not isinstance(latent, Tensor):
        grey = torch.tensor(GREY)[None, :, None, None].expand(1, -1, *size)
        return {"concat": torch.cat([torch.ones(1, 1, *size), grey], dim=1)}
    beside = scene.space.normalise(_fitted(latent, size))
    new = _fitted(mask[:, None], size).round()  # (1 or batch, 1, height, width)
    rows = max(len(new), len(beside))
    return {"concat": torch.cat([_rows(new, rows), _rows(beside, rows)], dim=1)}


def _edit(conditioning: Conditioning, scene: Scene) -> Mapping[str, Tensor]:
    """The picture to be changed, as the VAE gives it (Brooks et al. 2023, section 3.2)."""
    latent = conditioning.extras.get(CONCAT_LATENT)
    size = (scene.shape[-2], scene.shape[-1])
    if not isinstance(latent, Tensor):
        return {"concat": torch.zeros(1, scene.space.channels, *size)}
    return {"concat": _fitted(latent, size)}


def _depth(conditioning: Conditioning, scene: Scene) -> Mapping[str, Tensor]:
    """SD 2's depth model: the depths of each picture from -1, farthest, to 1, nearest."""
    depth = conditioning.extras.get(DEPTH)
    if not isinstance(depth, Tensor):
        raise NoDepth
    # bicubic, as in training, and scaled only then, since it can overshoot
    seen = _fitted(depth[:, None], (scene.shape[-2], scene.shape[-1]), "bicubic")
    low, high = (edge(seen, dim=(1, 2, 3), keepdim=True) for edge in (torch.amin, torch.amax))
    return {"concat": 2 * (seen - low) / (high - low).clamp(min=1e-6) - 1}


def _optional_pooled(conditioning: Conditioning, scene: Scene) -> Mapping[str, Tensor]:
    pooled = conditioning.pooled
    return {} if pooled is None else {"vector": pooled}


def _guidance(conditioning: Conditioning, scene: Scene) -> Mapping[str, Tensor]:
    """How strongly a model follows the prompt that learned guidance by distillation."""
    return {"guidance": torch.tensor([number(conditioning, GUIDANCE, DISTILLED_GUIDANCE)])}


def _control(conditioning: Conditioning, scene: Scene) -> Mapping[str, Tensor]:
    """FLUX.1 Canny and Depth: the latent of the lines or depths beside the noisy one."""
    return {"concat": _beside(conditioning, scene)}


def _fill(conditioning: Conditioning, scene: Scene) -> Mapping[str, Tensor]:
    """FLUX.1 Fill: the latent of what is kept, then the mask, a channel for each pixel of a cell.

    Where there is no mask everything is made anew.
    """
    beside, edge = _beside(conditioning, scene), scene.space.downscale
    size = (scene.shape[-2] * edge, scene.shape[-1] * edge)
    mask = conditioning.extras.get(CONCAT_MASK)
    pixels = _fitted(mask[:, None], size) if isinstance(mask, Tensor) else torch.ones(1, 1, *size)
    channels = pixel_unshuffle(pixels, edge)  # (1 or batch, edge * edge, height, width)
    rows = max(len(beside), len(channels))
    return {"concat": torch.cat([_rows(beside, rows), _rows(channels, rows)], dim=1)}


def _beside(conditioning: Conditioning, scene: Scene) -> Tensor:
    """The picture that a conditioning holds in the model's scale, raw zeros where it holds none."""
    latent = conditioning.extras.get(CONCAT_LATENT)
    size = (scene.shape[-2], scene.shape[-1])
    if not isinstance(latent, Tensor):
        latent = torch.zeros(1, scene.space.channels, *size)
    return scene.space.normalise(_fitted(latent, size))


def _scaled_edit(conditioning: Conditioning, scene: Scene) -> Mapping[str, Tensor]:
    """The picture to be changed in the model's own scale, as CosXL's editing model sees it."""
    return {"concat": scene.space.normalise(_edit(conditioning, scene)["concat"])}


def _rows(tensor: Tensor, rows: int) -> Tensor:
    return tensor.expand(rows, -1, -1, -1) if len(tensor) == 1 else tensor


def _fitted(picture: Tensor, size: tuple[int, int], mode: str = "bilinear") -> Tensor:
    """The picture's middle in the wanted proportions, resized."""
    height, width = picture.shape[-2:]
    if (height, width) == size:
        return picture
    wide, high = width * size[0], height * size[1]
    if wide > high:
        cut = round((width - high / size[0]) / 2)
        picture = picture[..., cut : width - cut]
    elif high > wide:
        cut = round((height - wide / size[1]) / 2)
        picture = picture[..., cut : height - cut, :]
    return interpolate(picture, size=size, mode=mode)


PREPARERS: dict[str, Preparer] = {
    "pooled": _pooled,
    "sizes": _sizes,
    "refiner_sizes": _refiner_sizes,
    "inpaint": _inpaint,
    "edit": _edit,
    "scaled_edit": _scaled_edit,
    "depth": _depth,
    "optional_pooled": _optional_pooled,
    "guidance": _guidance,
    "control": _control,
    "fill": _fill,
}
"""What families call for, by name; each row gives some of a network's extra arguments."""
