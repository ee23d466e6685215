"""The spaces models live in, as data: latent ones (what is denoised), text ones (prompts encoded).

A file may declare a space of its own in its safetensors metadata; `declared_latent_space` reads it.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from diffusion import space_numbers as numbers
from diffusion.space_numbers import Rows

A = TypeVar("A")
Numbers = float | tuple[float, ...]
"""One number for every channel, or one number for each."""

LATENT_KEY = "latent_loom.latent_space"
TEXT_KEY = "latent_loom.text_space"

LATENT_FILE_KEY = "latent_loom.space"
"""The metadata of a file that holds a latent: the id of its space."""

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class SpaceTrouble(ValueError):
    """A space that a file declares makes no sense; the message is a sentence that says how."""


@dataclass(frozen=True)
class LatentSpace:
    """A latent space: what one VAE encodes to and one group of models denoises.

    A raw latent is the VAE's output, (batch, channels, height / downscale, width / downscale).
    A model sees `(raw - shift) * scale`, about unit variance. `rgb_factors` has a row (red, green,
    blue) for each channel of the model-space latent; with `rgb_bias` added the result lies in
    about -1…1.
    """

    id: str
    title: str
    short: str
    channels: int
    downscale: int
    scale: Numbers = 1.0
    shift: Numbers = 0.0
    rgb_factors: Rows | None = None
    rgb_bias: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def normalise(self, raw: A) -> A:
        """What the model sees of a raw latent: a tensor or numpy array (batch, channels, ...)."""
        values: Any = raw
        normal: A = (values - _spread(self.shift, raw)) * _spread(self.scale, raw)
        return normal

    def denormalise(self, z: A) -> A:
        """The raw latent of a model-space one: the inverse of `normalise`."""
        values: Any = z
        raw: A = values / _spread(self.scale, z) + _spread(self.shift, z)
        return raw

    @property
    def numbers(self) -> tuple[object, ...]:
        """What makes it this space: two spaces with equal numbers hold the same latents."""
        return (self.channels, self.downscale, self.scale, self.shift)


@dataclass(frozen=True)
class TextSpace:
    """A conditioning protocol: which encoders feed the model and how wide the result is.

    `width` is the token conditioning's last dimension and `pooled` the pooled vector's length,
    where known. Where nothing is `required`, any of the `optional` encoders will do.
    """

    id: str
    title: str
    short: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    width: tuple[int, ...] = ()
    pooled: int | None = None


def _spread(values: Numbers, like: Any) -> Any:
    """`values` in a form that broadcasts over `like`, (batch, channels, ...)."""
    if isinstance(values, float | int):
        return values
    shape = (len(values), *([1] * (like.ndim - 2)))
    if hasattr(like, "new_tensor"):
        return like.new_tensor(values).reshape(shape)
    import numpy  # here, because the checker reads spaces and needs no arrays

    return numpy.asarray(values, dtype=like.dtype).reshape(shape)


def _inverse(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(1 / value for value in values)


# id, title, short, channels, downscale, scale, shift, rgb_factors, rgb_bias
# fmt: off
_LATENT = (
    LatentSpace("sd1", "SD 1.x", "SD1", 4, 8, 0.18215, 0.0, numbers.SD1),
    LatentSpace("sdxl", "SDXL", "SDXL", 4, 8, 0.13025, 0.0,
                numbers.SDXL, (0.1084, -0.0175, -0.0011)),
    LatentSpace("sd_x4_upscaler", "SD x4 Upscaler", "SDx4", 4, 4, 0.08333, 0.0,
                numbers.SD_X4_UPSCALER),
    LatentSpace("sd3", "SD3", "SD3", 16, 8, 1.5305, 0.0609,
                numbers.SD3, (0.2394, 0.2135, 0.1925)),
    LatentSpace("flux1", "FLUX.1", "FLUX1", 16, 8, 0.3611, 0.1159,
                numbers.FLUX1, (-0.0329, -0.0718, -0.0851)),
    # Its statistics lie in the VAE file, so what travels is normalised and unpatchified already.
    LatentSpace("flux2", "FLUX.2", "FLUX2", 32, 8, 1.0, 0.0,
                numbers.FLUX2, (-0.0329, -0.0718, -0.0851)),
    LatentSpace("wan21", "Wan 2.1", "Wan21", 16, 8, _inverse(numbers.WAN21_STD),
                numbers.WAN21_MEAN, numbers.WAN21, (-0.1835, -0.0868, -0.336)),
    LatentSpace("wan22", "Wan 2.2", "Wan22", 48, 16, _inverse(numbers.WAN22_STD),
                numbers.WAN22_MEAN, numbers.WAN22, (0.0317, -0.0878, -0.1388)),
    LatentSpace("hunyuan_video", "HunyuanVideo", "HyV", 16, 8, 0.476986, 0.0,
                numbers.HUNYUAN_VIDEO, (0.0259, -0.0192, -0.0761)),
    LatentSpace("hunyuan_image21", "HunyuanImage 2.1", "HyI", 64, 32, 0.75289, 0.0,
                numbers.HUNYUAN_IMAGE21, (0.0007, -0.0256, -0.0206)),
    # 42 by convention: 1024 pixels make 24 cells of 42.67 pixels.
    LatentSpace("cascade_c", "Cascade C", "CascC", 16, 42, 1.0, 0.0, numbers.CASCADE_C),
    LatentSpace("cascade_b", "Cascade B", "CascB", 4, 4, 2.325581, 0.0, numbers.CASCADE_B),
    LatentSpace("sana_dcae", "SANA", "SANA", 32, 32, 0.41407),
    LatentSpace("pixel", "Pixels", "Pixel", 3, 1, 1.0, 0.0, numbers.PIXEL),
)
# fmt: on

# id, title, short, required, optional, width, pooled.
_TEXT = (
    TextSpace("sd1", "SD 1.x", "SD1", ("clip_l",), (), (768,)),
    TextSpace("sd2", "SD 2.x", "SD2", ("clip_h",), (), (1024,)),
    TextSpace("sdxl", "SDXL", "SDXL", ("clip_l", "clip_g"), (), (2048,), 1280),
    TextSpace("sdxl_refiner", "SDXL Refiner", "XL-R", ("clip_g",), (), (1280,), 1280),
    TextSpace("sd3", "SD3", "SD3", (), ("clip_l", "clip_g", "t5xxl"), (4096,), 2048),
    TextSpace("flux1", "FLUX.1", "FLUX1", ("t5xxl",), ("clip_l",), (4096,), 768),
    TextSpace("flux2_dev", "FLUX.2 dev", "F2dev", ("mistral_small",), (), (15360,)),
    TextSpace("flux2_klein_4b", "FLUX.2 klein 4B", "F2k4", ("qwen3_4b",), (), (7680,)),
    TextSpace("flux2_klein_9b", "FLUX.2 klein 9B", "F2k9", ("qwen3_8b",), (), (12288,)),
    TextSpace("chroma", "Chroma", "Chroma", ("t5xxl",), (), (4096,)),
    TextSpace("z_image", "Z-Image", "Z-Img", ("qwen3_4b",), (), (2560,)),
    TextSpace("lumina2", "Lumina 2", "Lum2", ("gemma2_2b",), (), (2304,)),
    TextSpace("qwen_image", "Qwen-Image", "Qwen", ("qwen25_7b",), (), (3584,)),
    TextSpace("wan21", "Wan 2.1", "Wan21", ("umt5xxl",), (), (4096,)),
    TextSpace("pixart", "PixArt", "PixArt", ("t5xxl",), (), (4096,)),
    TextSpace("aura", "AuraFlow", "Aura", ("pile_t5xl",), (), (2048,)),
    TextSpace("sana", "SANA", "SANA", ("gemma2_2b",), (), (2304,)),
    TextSpace("hunyuan_dit", "HunyuanDiT", "HyDiT", ("clip_bert_zh", "mt5xl"), (), (1024, 2048)),
    TextSpace("cascade", "Stable Cascade", "Casc", ("clip_g",), (), (1280,), 1280),
    TextSpace("kolors", "Kolors", "Kolors", ("chatglm3_6b",), (), (4096,), 4096),
    TextSpace("hidream_i1", "HiDream-I1", "HiDrm", ("t5xxl", "llama31_8b"), (), (4096,), 2048),
    TextSpace("omnigen2", "OmniGen2", "Omni2", ("qwen25_3b",), (), (2048,)),
    TextSpace("hunyuan_video", "HunyuanVideo", "HyV", ("llava_llama3", "clip_l"), (), (4096,), 768),
    TextSpace("hunyuan_image", "HunyuanImage 2.1", "HyI", ("qwen25_7b", "byt5"), (), (3584,)),
)

LATENT_SPACES: Mapping[str, LatentSpace] = {space.id: space for space in _LATENT}
TEXT_SPACES: Mapping[str, TextSpace] = {space.id: space for space in _TEXT}


def declared_latent_space(metadata: Mapping[str, str]) -> LatentSpace | None:
    """The latent space that a file's metadata declares, or None. Raises `SpaceTrouble`.

    A built-in id may be named only with that space's own numbers, and gives the built-in space.
    """
    found = _declaration(metadata, LATENT_KEY)
    if found is None:
        return None
    channels = _whole(found, "channels", 1, 1024)
    space = LatentSpace(
        *_names(found, LATENT_KEY),
        channels,
        _whole(found, "downscale", 1, 256),
        scale=_numbers(found, "scale", channels, default=1.0),
        shift=_numbers(found, "shift", channels, default=0.0),
        rgb_factors=_rows(found, channels),
        rgb_bias=_bias(found),
    )
    scales = space.scale if isinstance(space.scale, tuple) else (space.scale,)
    if any(value <= 0 for value in scales):
        raise SpaceTrouble(f"{LATENT_KEY}: scale must be above 0.")
    builtin = LATENT_SPACES.get(space.id)
    if builtin is None:
        return space
    if builtin.numbers != space.numbers:
        raise SpaceTrouble(
            f"The file declares the latent space {space.id!r} with other numbers than "
            f"{builtin.title} has: give a space of your own another id."
        )
    return builtin


def declared_text_space(metadata: Mapping[str, str]) -> TextSpace | None:
    """The text space that a file's metadata declares, or None. Raises `SpaceTrouble`."""
    found = _declaration(metadata, TEXT_KEY)
    if found is None:
        return None
    space = TextSpace(*_names(found, TEXT_KEY))
    return TEXT_SPACES.get(space.id, space)


def _declaration(metadata: Mapping[str, str], key: str) -> dict[str, Any] | None:
    if key not in metadata:
        return None
    try:
        found = json.loads(metadata[key])
    except (ValueError, RecursionError):
        raise SpaceTrouble(f"The file's metadata {key} is not valid JSON.") from None
    if not isinstance(found, dict):
        raise SpaceTrouble(f"The file's metadata {key} is not a JSON object.")
    return found


def _names(found: dict[str, Any], key: str) -> tuple[str, str, str]:
    id_, title = found.get("id"), found.get("title", found.get("id"))
    short = found.get("short", title)
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        raise SpaceTrouble(
            f"{key}: id must be 1 to 64 characters of a-z, 0-9, '.', '_', '-'; it is {id_!r}."
        )
    for name, value in (("title", title), ("short", short)):
        if not isinstance(value, str) or not 0 < len(value) <= 80 or not value.isprintable():
            raise SpaceTrouble(f"{key}: {name} must be a text of 1 to 80 characters.")
    return id_, str(title), str(short)


def _whole(found: dict[str, Any], name: str, low: int, high: int) -> int:
    value = found.get(name)
    if type(value) is not int or not low <= value <= high:
        raise SpaceTrouble(
            f"{LATENT_KEY}: {name} must be a whole number from {low} to {high}; it is {value!r}."
        )
    return value


def _numbers(found: dict[str, Any], name: str, channels: int, default: float) -> Numbers:
    value = found.get(name, default)
    if _is_number(value):
        return float(value)
    if isinstance(value, list) and len(value) == channels and all(map(_is_number, value)):
        return tuple(float(item) for item in value)
    raise SpaceTrouble(
        f"{LATENT_KEY}: {name} must be a number or a list of {channels} numbers, one a channel."
    )


def _rows(found: dict[str, Any], channels: int) -> Rows | None:
    value = found.get("rgb_factors")
    if value is None:
        return None
    if not (isinstance(value, list) and len(value) == channels and all(map(_is_triple, value))):
        raise SpaceTrouble(f"{LATENT_KEY}: rgb_factors must be {channels} rows of 3 numbers.")
    return tuple((float(r), float(g), float(b)) for r, g, b in value)


def _bias(found: dict[str, Any]) -> tuple[float, float, float]:
    value = found.get("rgb_bias")
    if value is None:
        return (0.0, 0.0, 0.0)
    if not _is_triple(value):
        raise SpaceTrouble(f"{LATENT_KEY}: rgb_bias must be 3 numbers.")
    return (float(value[0]), float(value[1]), float(value[2]))


def _is_triple(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(map(_is_number, value))


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
