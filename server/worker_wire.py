"""Messages as they lie in the pipe, and what becomes of one that cannot be written or read.

Server and worker are read from the same source, but not always at the same time: where the program
was updated meanwhile, a worker that is started again may speak of what the server does not know.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from graph.definition import Data
from server.worker_messages import FromWorker, ToWorker

ADVICE = "If the program was updated while it ran, restart it."

M = TypeVar("M")


@dataclass(frozen=True)
class Garbled:
    """A message that could not be written or read, as far as one can tell what it is about.

    `why` is a clause. `kind` is the message's own `type`; `runs` and `id` those that it speaks of.
    """

    why: str
    kind: str = ""
    runs: tuple[str, ...] = ()
    id: int | None = None

    @classmethod
    def of(cls, raw: object, why: str) -> "Garbled":
        """What can be told of the message, which is any JSON value."""
        if not isinstance(raw, dict):
            return cls(why)
        kind, number = raw.get("type"), raw.get("id")
        return cls(
            why,
            kind if isinstance(kind, str) else "",
            tuple(_runs(raw)),
            number if isinstance(number, int) else None,
        )


def pack(message: Data) -> bytes:
    """The message as UTF-8 JSON. Raises `ValueError` where it holds what JSON cannot say.

    Half a character (a lone surrogate, as a name of a file may hold) is told as the sign for what
    cannot be shown.
    """
    try:
        return message.model_dump_json(by_alias=True).encode()
    except ValueError:
        pass
    try:
        return json.dumps(_whole(message.model_dump(by_alias=True))).encode()
    except TypeError as error:
        raise ValueError(str(error)) from error


def packed_or_told(message: Data) -> bytes | Garbled:
    """As `pack`; where that cannot be, what its sender is told of it."""
    try:
        return pack(message)
    except ValueError as error:
        return Garbled.of(message.model_dump(), f"it cannot be written: {error}")


def _whole(value: Any) -> Any:
    """The value with whole characters alone."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_whole(name): _whole(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    return value


def joined(packed: Sequence[bytes]) -> bytes:
    """Packed messages as they lie in the pipe, for `read_told` or `read_said`."""
    return b"[" + b",".join(packed) + b"]"


def read_told(packed: bytes) -> Sequence[ToWorker | Garbled]:
    """What the server said at once; what of it cannot be read is `Garbled`."""
    return _read(packed, _TOLD_AT_ONCE, _TOLD)


def read_said(packed: bytes) -> Sequence[FromWorker | Garbled]:
    """What the worker said at once; what of it cannot be read is `Garbled`."""
    return _read(packed, _SAID_AT_ONCE, _SAID)


def _read(
    packed: bytes, at_once: TypeAdapter[list[M]], one: TypeAdapter[M]
) -> Sequence[M | Garbled]:
    try:
        return at_once.validate_json(packed)
    except ValidationError:
        return _read_each(packed, one)  # one that cannot be read must not take others along


def _read_each(packed: bytes, adapter: TypeAdapter[M]) -> Sequence[M | Garbled]:
    try:
        rows = json.loads(packed)
    except (ValueError, RecursionError) as error:
        return [Garbled(f"it is not JSON ({error})")]
    read: list[M | Garbled] = []
    for row in rows if isinstance(rows, list) else [rows]:
        try:
            read.append(adapter.validate_python(row))
        except ValidationError as error:
            read.append(Garbled.of(row, _first(error)))
    return read


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]


def _runs(raw: dict[str, Any]) -> Iterator[str]:
    """The runs that the message speaks of."""
    starts = raw.get("starts")
    for part in [raw, *(starts if isinstance(starts, list | tuple) else ())]:
        run = part.get("run") if isinstance(part, dict) else None
        if isinstance(run, str):
            yield run


_TOLD: TypeAdapter[ToWorker] = TypeAdapter(ToWorker)
_SAID: TypeAdapter[FromWorker] = TypeAdapter(FromWorker)
_TOLD_AT_ONCE: TypeAdapter[list[ToWorker]] = TypeAdapter(list[ToWorker])
_SAID_AT_ONCE: TypeAdapter[list[FromWorker]] = TypeAdapter(list[FromWorker])
