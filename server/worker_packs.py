"""Collect node types: the program's own, and those of the packs in custom_nodes/."""

import importlib
import logging
import pkgutil
import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from graph.node import Registry, nodes_of
from server.worker_messages import Pack

log = logging.getLogger(__name__)

PACKAGE = "custom_nodes"
"""The package that every pack is a part of: `custom_nodes.<pack>.nodes`."""


def core_modules() -> list[str]:
    """The modules of `nodes/`, whichever of them hold nodes."""
    import nodes

    return sorted(f"nodes.{module.name}" for module in pkgutil.iter_modules(nodes.__path__))


def core_nodes(modules: Iterable[str]) -> Registry:
    """The node types of the program's own modules; an error in one of them is a bug of ours."""
    return nodes_of([importlib.import_module(name) for name in modules])


def pack_nodes(folder: Path) -> tuple[Registry, tuple[Pack, ...]]:
    """The node types of every pack in the folder, and what became of each pack.

    A pack that cannot be loaded is named with its error, and the rest goes on.
    """
    _make_package(folder)
    registry, packs = Registry(), []
    for name in _packs_in(folder):
        try:
            module = importlib.import_module(f"{PACKAGE}.{name}.nodes")
            registry |= nodes_of([module], pack=name)
        except (Exception, SystemExit) as error:  # a pack is anybody's code
            log.exception("The pack %s could not be loaded.", name)
            packs.append(Pack(name=name, error=_said(error, folder / name)))
        else:
            packs.append(Pack(name=name))
    return registry, tuple(packs)


def _make_package(folder: Path) -> None:
    """Let `custom_nodes` mean the folder, wherever it lies."""
    package = sys.modules.get(PACKAGE)
    if package is None or list(getattr(package, "__path__", [])) != [str(folder)]:
        package = ModuleType(PACKAGE)
        package.__path__ = [str(folder)]
        sys.modules[PACKAGE] = package


def _packs_in(folder: Path) -> Iterator[str]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith((".", "_"))
        if not hidden and (path / "nodes.py").is_file():
            yield path.name


def _said(error: BaseException, folder: Path) -> str:
    """The error in one line, with the last place in the pack that it went through."""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename:
        place = f" ({Path(error.filename).name}, line {error.lineno})"
    else:
        inside = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
        last = inside[-1] if inside else None
        place = f" ({Path(last.filename).name}, line {last.lineno})" if last else ""
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {message}{place}"
