"""Packs are real packages; one that cannot be imported is named and the rest goes on."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.worker_packs import pack_nodes

GOOD = """
from graph.node import node
from custom_nodes.{name}.helpers import TEN

@node(category="test")
def ten() -> int:
    return TEN
"""


@pytest.fixture
def packs(tmp_path: Path) -> Iterator[Path]:
    before = {name: sys.modules.pop(name) for name in _custom_modules()}
    yield tmp_path
    for name in _custom_modules():
        del sys.modules[name]
    sys.modules.update(before)


def _custom_modules() -> list[str]:
    return [name for name in sys.modules if name.split(".")[0] == "custom_nodes"]


def add(packs: Path, name: str, nodes: str, **others: str) -> None:
    (packs / name).mkdir()
    (packs / name / "nodes.py").write_text(nodes, "utf-8")
    for module, text in others.items():
        (packs / name / f"{module}.py").write_text(text, "utf-8")


def test_a_pack_is_a_package_whose_modules_import_each_other(packs: Path) -> None:
    add(packs, "one", GOOD.format(name="one"), helpers="TEN = 10")
    registry, found = pack_nodes(packs)
    assert registry.functions["one.ten"]() == 10
    assert registry.functions["one.ten"].__module__ == "custom_nodes.one.nodes"
    assert [(pack.name, pack.error) for pack in found] == [("one", None)]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import surely_no_such_module", "surely_no_such_module' (nodes.py, line 1)"),
        ("\n\n1 / 0", "ZeroDivisionError: division by zero (nodes.py, line 3)"),
        ("def broken(:\n", "SyntaxError: invalid syntax (nodes.py, line 1)"),
        ("raise SystemExit(3)", "SystemExit: 3 (nodes.py, line 1)"),
        (
            "from graph.node import node\n@node(category='x')\ndef f(a) -> int: ...",
            "NodeError: f, parameter 'a'",
        ),
    ],
)
def test_a_pack_that_fails_is_named_with_its_error_and_the_rest_is_there(
    packs: Path, source: str, error: str
) -> None:
    add(packs, "bad", source)
    add(packs, "good", GOOD.format(name="good"), helpers="TEN = 10")
    registry, found = pack_nodes(packs)
    assert set(registry.definitions) == {"good.ten"}
    assert [pack.name for pack in found] == ["bad", "good"]
    assert error in str(found[0].error)
    assert found[1].error is None


def test_what_is_no_pack_is_left_alone(packs: Path) -> None:
    (packs / "README.md").write_text("", "utf-8")
    (packs / "empty").mkdir()
    add(packs, ".hidden", "1 / 0")
    add(packs, "__pycache__", "1 / 0")
    assert pack_nodes(packs)[1] == ()


def test_a_folder_that_is_not_there_holds_no_packs(packs: Path) -> None:
    assert pack_nodes(packs / "nowhere")[1] == ()
