"""Read the tensors of a VAE's file as arrays, by the names that they have wherever they are saved.

No torch here: the server compares files, and must not load it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy

from diffusion.header import Header, TensorInfo
from diffusion.identity.parts import stripped
from diffusion.vae_names import tiny_names, vae_layout, vae_names

Array = numpy.ndarray

FORMATS: Mapping[str, str] = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
"""The number formats that can be read, as numpy names them; BF16 is the upper half of an F32."""


TINY_END = 14
"""The number of the last convolution of a tiny VAE's encoder."""

_LEVEL = re.compile(r"(?:encoder\.down|decoder\.up)\.(\d+)\.")


class Unreadable(Exception):
    """A tensor in a number format that is not read here, such as one of 8 bits."""


def part_names(header: Header, prefix: str, network: str) -> dict[str, str]:
    """The original name of every tensor of a VAE below `prefix`, to its name in the file.

    `network` is "kl" or "tiny"; of others no names are known, and the answer is empty.
    """
    shapes = stripped(header.shapes, prefix)
    if network == "tiny":
        found = tiny_names(shapes)
    elif network == "kl":
        found = vae_names(shapes, vae_layout(shapes))
    else:
        return {}
    return {name: prefix + theirs for name, theirs in found.items()}


def half_names(names: Mapping[str, str]) -> dict[str, str]:
    """The tensors of the half that says whose latents the VAE speaks.

    The encoder wherever there is one, with the convolution behind it: decoders are retrained, and
    the space stays what the encoder makes it. Else the decoder, as in tiny VAEs of two files.
    """
    encoder = {n: t for n, t in names.items() if n.startswith(("encoder.", "quant_conv."))}
    return encoder or {n: t for n, t in names.items() if n.startswith("decoder.")}


def read_arrays(
    header: Header, names: Iterable[str], check_cancel: Callable[[], None] = lambda: None
) -> Iterator[Array]:
    """The tensors of these names as float32, in turn; only one is in memory here at a time.

    `check_cancel` is called before each. Raises `Unreadable`, and `OSError`.
    """
    for name in names:
        check_cancel()
        info = header.tensors[name]
        if info.dtype not in FORMATS:
            raise Unreadable(f"{name} is in the number format {info.dtype}")
        with header.file_of(name).open("rb") as file:
            file.seek(info.offset)
            data = file.read(info.bytes)
        yield _array(data, info)


def _array(data: bytes, info: TensorInfo) -> Array:
    """The numbers in the bytes. They may be fewer than the header says while a file is replaced."""
    numbers = numpy.frombuffer(data, FORMATS[info.dtype])
    if info.dtype == "BF16":
        numbers = (numbers.astype("<u4") << 16).view("<f4")
    try:
        return numbers.astype(numpy.float32).reshape(info.shape)
    except ValueError as error:
        raise OSError("the file changed while it was read") from error


def sizes_of(header: Header, prefix: str, network: str) -> tuple[int, int]:
    """A VAE's latent channels and its pixels for each cell; 0 where the names do not tell them."""
    names = part_names(header, prefix, network)

    def length(name: str, axis: int) -> int:
        shape = header.tensors[names[name]].shape if name in names else ()
        return shape[axis] if len(shape) > axis else 0

    if network == "tiny":
        return length("decoder.1.weight", 1) or length(f"encoder.{TINY_END}.weight", 0), 8
    levels = {int(m[1]) for name in names if (m := _LEVEL.match(name))}
    # An encoder gives a mean and a variance for each channel.
    channels = length("decoder.conv_in.weight", 1) or length("encoder.conv_out.weight", 0) // 2
    return channels, 2 ** max(levels) if levels else 0
