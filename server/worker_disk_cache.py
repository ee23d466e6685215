"""Keep results on disk as well, so that a run that was cut off goes on from its last finished node.

One safetensors file a step, named after its key: the tensors, and in the metadata how they belong
together. What is quick to make again (recipes of models, numbers, texts by themselves) is left out.
"""

import contextlib
import dataclasses
import json
import logging
import os
import queue
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from diffusion.regions import Area, Where
from graph.cache import Outputs, ResultCache, SizeOf
from nodes.sockets import Conditioning, Image, Latent, Mask

log = logging.getLogger(__name__)

KINDS: Final = {kind.__name__: kind for kind in (Area, Conditioning, Image, Latent, Mask, Where)}
"""What is kept beside plain values, lists and mappings; anything else is not written."""

FORM: Final = "2026-11"
"""Files of another form are dropped."""

PLAIN: Final = (bool, int, float, str, type(None))
"""Kinds without tensors, which are not written: they are quick to make again."""

WAITING: Final = 32
"""Results that may wait to be written; further ones are kept in memory only."""

SUFFIX: Final = ".result"


class Unwritable(TypeError):
    """A value of a kind that is not kept on disk."""


class DiskCache:
    """Results in files of `folder`, at most `max_bytes` of them, the least recently used go first.

    Several processes may share the folder. Reading and writing never raise: what cannot be read or
    written is not there.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._sizes: OrderedDict[str, int] = OrderedDict()  # oldest first
        folder.mkdir(parents=True, exist_ok=True)
        found = []
        for entry in os.scandir(folder):
            with contextlib.suppress(OSError):  # another process drops files, too
                if entry.name.endswith(SUFFIX):
                    status = entry.stat()
                    found.append((status.st_mtime, entry.name.removesuffix(SUFFIX), status.st_size))
                else:
                    os.unlink(entry)  # of a process that died while it wrote
        self._sizes.update({key: size for _, key, size in sorted(found)})

    def __contains__(self, key: object) -> bool:
        """Whether there is a file for the step."""
        return isinstance(key, str) and self._path(key).is_file()

    def read(self, key: str) -> Outputs | None:
        """The step's outputs, now the most recently used, or None."""
        path = self._path(key)
        try:
            outputs = _read(path)
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            log.warning("The kept result %s cannot be read (%s) and is dropped.", path.name, error)
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with self._lock:
            if key in self._sizes:
                self._sizes.move_to_end(key)
        return outputs

    def write(self, key: str, outputs: Outputs) -> bool:
        """Whether the outputs are on disk now; older ones make room."""
        if key in self:
            return True
        part = self._folder / f"{key}.{secrets.token_hex(4)}.part"
        try:
            tensors: dict[str, Tensor] = {}
            tree = {name: _taken_apart(value, tensors) for name, value in outputs.items()}
            if not tensors:
                return False
            size = sum(tensor.nbytes for tensor in tensors.values())
            if size > self._max_bytes // 4:
                return False
            save_file(tensors, part, {"form": FORM, "tree": json.dumps(tree)})
            _synchronise(part)
            self._make_room(part.stat().st_size, key)
            os.replace(part, self._path(key))
        except Unwritable:
            return False
        except (OSError, SafetensorError) as error:
            log.warning("The result of a step cannot be kept on disk: %s", error)
            return False
        finally:
            part.unlink(missing_ok=True)
        return True

    def _make_room(self, size: int, key: str) -> None:
        with self._lock:
            self._sizes[key] = size
            self._sizes.move_to_end(key)
            total = sum(self._sizes.values())
            while total > self._max_bytes and len(self._sizes) > 1:
                oldest, freed = self._sizes.popitem(last=False)
                total -= freed
                with contextlib.suppress(OSError):
                    self._path(oldest).unlink()

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{SUFFIX}"


class LayeredCache(ResultCache):
    """A cache in memory whose results are also on disk, and come back from there."""

    def __init__(self, max_bytes: int, size_of: SizeOf, disk: DiskCache) -> None:
        super().__init__(max_bytes, size_of)
        self._disk = disk
        self._unwritten: queue.Queue[tuple[str, Outputs]] = queue.Queue(WAITING)
        threading.Thread(target=self._write, daemon=True, name="results").start()

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or key in self._disk

    def get(self, key: str) -> Outputs | None:
        """The step's outputs, from memory or from disk, or None."""
        self._bring(key)
        return super().get(key)

    def value(self, key: str, output: str) -> Any:
        """One value of a finished step. Raises `NotKept` if it is not here."""
        self._bring(key)
        return super().value(key, output)

    def pin(self, key: str) -> Outputs | None:
        """As `ResultCache.pin`, from disk where memory has lost it."""
        self._bring(key)
        return super().pin(key)

    def put(self, key: str, outputs: Outputs) -> bool:
        """Keep the outputs in memory, and soon on disk. False if memory refused them."""
        kept = super().put(key, outputs)
        if not all(isinstance(value, PLAIN) for value in outputs.values()):
            with contextlib.suppress(queue.Full):
                self._unwritten.put_nowait((key, outputs))
        return kept

    def settle(self) -> None:
        """Wait until everything that is to be on disk is there."""
        self._unwritten.join()

    def _bring(self, key: str) -> None:
        if not super().__contains__(key) and (outputs := self._disk.read(key)) is not None:
            super().put(key, outputs)

    def _write(self) -> None:
        while True:
            key, outputs = self._unwritten.get()
            try:
                self._disk.write(key, outputs)
            except Exception:
                # The thread must go on, whatever a custom node's value does when it is looked at.
                log.exception("A result could not be kept on disk.")
            finally:
                self._unwritten.task_done()


def _taken_apart(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The value as JSON, its tensors put aside. Raises `Unwritable`."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Tensor):
        name = str(len(tensors))
        # A copy: tensors that share memory cannot be in one file.
        tensors[name] = value.detach().clone().contiguous()
        return {"tensor": name}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_taken_apart(item, tensors) for item in value]}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {"map": {key: _taken_apart(item, tensors) for key, item in value.items()}}
    kind = type(value).__name__
    if KINDS.get(kind) is type(value):
        fields = {
            part.name: _taken_apart(getattr(value, part.name), tensors)
            for part in dataclasses.fields(value)
        }
        return {"kind": kind, "fields": fields}
    raise Unwritable(kind)


def _put_together(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "tensor" in tree:
        return tensors[tree["tensor"]]
    if "list" in tree:
        return [_put_together(item, tensors) for item in tree["list"]]
    if "tuple" in tree:
        return tuple(_put_together(item, tensors) for item in tree["tuple"])
    if "map" in tree:
        return {key: _put_together(item, tensors) for key, item in tree["map"].items()}
    fields = {name: _put_together(item, tensors) for name, item in tree["fields"].items()}
    return KINDS[tree["kind"]](**fields)


def _read(path: Path) -> Outputs:
    if not path.is_file():
        raise FileNotFoundError(path)
    with safe_open(path, framework="pt") as opened:
        metadata = opened.metadata() or {}
        if metadata.get("form") != FORM:
            raise ValueError("it is of another version")
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    tree = json.loads(metadata["tree"])
    return {name: _put_together(value, tensors) for name, value in tree.items()}


def _synchronise(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
