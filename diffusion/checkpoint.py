"""Fill a module with a file's tensors, one at a time, so that memory holds one copy of them.

Each tensor's bytes are mapped by themselves, converted, and unmapped again: the peak is the
converted copy plus the largest tensor, whatever the file's size and the operating system.
"""

import mmap
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor, nn

from diffusion.header import Header, TensorInfo, read_header
from diffusion.origins import Names, Taken, joined_shape, pieces_of

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}

NAMED = 3
"""Tensors that a message names before it only counts."""


class CheckpointTrouble(Exception):
    """A file whose tensors do not fill the module; the message says which and how many."""


def nothing() -> None:
    """The check of a load that nobody can cancel."""


def adopt(
    module: nn.Module,
    source: Path | Header,
    names: Names,
    *,
    dtype: torch.dtype,
    device: torch.device,
    check_cancel: Callable[[], None] = nothing,
) -> None:
    """Give the module, built on the meta device, the file's tensors as `dtype` on `device`.

    `names` maps the module's tensor names to what of the file makes them. Every tensor of the
    module must be named, no other may be, and shapes must agree but for trailing ones (a 1x1
    convolution may be stored as a matrix). Integers keep their format, and what the module names
    in `kept_exact` becomes float32. `check_cancel` is called before each tensor and raises to stop.
    Raises `CheckpointTrouble` before any tensor is read, and `FileTrouble`.
    """
    header = source if isinstance(source, Header) else read_header(source)
    origins = {name: pieces_of(origin) for name, origin in names.items()}
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    _require_fit(header, origins, wanted)
    exact = getattr(module, "kept_exact", ())
    state: dict[str, Tensor] = {}
    with ExitStack() as stack:

        @cache
        def opened(path: Path) -> BinaryIO:
            return stack.enter_context(path.open("rb"))

        for name, shape in wanted.items():
            check_cancel()
            kept = torch.float32 if name in exact else dtype
            pieces = [
                (opened(header.file_of(piece.name)), header.tensors[piece.name], piece)
                for piece in origins[name]
            ]
            state[name] = _made(pieces, kept, device).reshape(shape)
    module.load_state_dict(state, strict=True, assign=True)
    module.requires_grad_(False).eval()


def read_tensor(header: Header, name: str) -> Tensor:
    """One tensor of the file by its name there, float32 on the CPU. Raises `CheckpointTrouble`."""
    info = header.tensors[name]
    if info.dtype not in DTYPES:
        raise CheckpointTrouble(f"{header.path.name}: {name} is in a number format {info.dtype}.")
    with header.file_of(name).open("rb") as file:
        return _converted(file, info, Taken(name), torch.float32, torch.device("cpu")).float()


def bytes_of(module: nn.Module, dtype: torch.dtype) -> int:
    """The memory that the module's tensors take as `dtype`."""
    elements: int = sum(tensor.numel() for tensor in module.state_dict().values())
    return elements * dtype.itemsize


def _made(
    pieces: Sequence[tuple[BinaryIO, TensorInfo, Taken]], dtype: torch.dtype, device: torch.device
) -> Tensor:
    """The tensor that pieces of files make; each is written to its place in it as it is read."""
    if len(pieces) == 1:
        return _converted(*pieces[0], dtype, device)
    shapes = [piece.shape(info.shape) for _, info, piece in pieces]
    source = DTYPES[pieces[0][1].dtype]
    target = dtype if source.is_floating_point else source
    whole = torch.empty(joined_shape(shapes), dtype=target, device=device)
    places = torch.split(whole, [shape[0] for shape in shapes])
    for place, (file, info, piece) in zip(places, pieces, strict=True):
        place.copy_(_mapped(file, info, piece).reshape(place.shape))
    return whole


def _converted(
    file: BinaryIO, info: TensorInfo, origin: Taken, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """One tensor or a share of it, copied out of the file."""
    source = DTYPES[info.dtype]
    target = dtype if source.is_floating_point else source
    # `copy`, because without a conversion this would still be the mapping.
    return _mapped(file, info, origin).to(device=device, dtype=target, copy=True)


def _mapped(file: BinaryIO, info: TensorInfo, origin: Taken) -> Tensor:
    """One tensor or a share of it, as it lies in the file."""
    source = DTYPES[info.dtype]
    if not info.bytes:
        return torch.empty(origin.shape(info.shape), dtype=source)
    start = info.offset - info.offset % mmap.ALLOCATIONGRANULARITY
    length = info.offset - start + info.bytes
    # A private mapping, because torch wants a buffer that could be written to; nothing writes.
    # It is not closed but let go of, and so lives exactly as long as a tensor that points into it.
    mapped = mmap.mmap(file.fileno(), length, access=mmap.ACCESS_COPY, offset=start)
    raw = torch.frombuffer(mapped, dtype=torch.uint8, count=info.bytes, offset=info.offset - start)
    # A file may put a tensor at any byte; views of wider formats need an aligned one.
    aligned = raw if raw.data_ptr() % source.itemsize == 0 else raw.clone()
    return origin.of(aligned.view(source).reshape(info.shape)).contiguous()


def _require_fit(
    header: Header,
    names: Mapping[str, tuple[Taken, ...]],
    wanted: Mapping[str, tuple[int, ...]],
) -> None:
    """Raise `CheckpointTrouble` unless the named tensors are exactly those that are wanted."""
    lacking = {
        name: [piece.name for piece in names[name] if piece.name not in header.tensors]
        if name in names
        else [name]
        for name in wanted
    }
    missing = list(dict.fromkeys(theirs for some in lacking.values() for theirs in some))
    extra = [name for name in names if name not in wanted]
    whole = [name for name, some in lacking.items() if not some]
    present = {piece.name: header.tensors[piece.name] for name in whole for piece in names[name]}
    wrong = [
        f"{name} is {found}, not {_sizes(wanted[name])}"
        for name in whole
        if (found := _misfit([p.shape(present[p.name].shape) for p in names[name]], wanted[name]))
    ]
    strange = [
        f"{name} ({info.dtype})" for name, info in present.items() if info.dtype not in DTYPES
    ]
    scaled = _scaled(header) if any(i.dtype.startswith("F8") for i in present.values()) else []
    faults = [
        _fault(missing, "missing"),
        _fault(extra, "of no place in the model"),
        _fault(wrong, "of another shape"),
        _fault(strange, "in a number format that cannot be read"),
        _fault(scaled, "scales of 8-bit weights, which cannot be read yet"),
    ]
    if any(faults):
        raise CheckpointTrouble(
            f"{header.path.name} does not fit the model that it looks like: "
            f"{'; '.join(fault for fault in faults if fault)}. Download it again, or get another "
            "version of it."
        )


def _fault(items: list[str], what: str) -> str:
    """ "3 tensors missing: a, b, c", or nothing where there are none."""
    if not items:
        return ""
    some = ", ".join(items[:NAMED]) + (", …" if len(items) > NAMED else "")
    return f"{len(items)} tensor{'s' if len(items) > 1 else ''} {what}: {some}"


def _scaled(header: Header) -> list[str]:
    endings = (".scale_weight", "scaled_fp8", ".comfy_quant", ".weight_scale")
    return [name for name in header.tensors if name.endswith(endings)]


def _misfit(pieces: list[tuple[int, ...]], wanted: tuple[int, ...]) -> str:
    """The sizes of what is found where they do not make `wanted`, else nothing."""
    # pieces of several widths cannot lie under each other, whatever their rows add up to
    alike = len({_trimmed(shape)[1:] for shape in pieces}) == 1
    fits = alike and _trimmed(joined_shape(pieces)) == _trimmed(wanted)
    return "" if fits else " and ".join(map(_sizes, pieces))


def _trimmed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape without trailing ones."""
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "one number"
