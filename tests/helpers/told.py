"""The sentences that a module puts together, as patterns: "There is no file {name}."."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path


def pattern_of(node: ast.AST) -> str | None:
    """The text of a string or an f-string, with what is filled in by names; None for no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = pattern_of(node.left), pattern_of(node.right)
        return None if left is None or right is None else left + right
    if not isinstance(node, ast.JoinedStr):
        return None
    taken: dict[str, int] = {}
    text = ""
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        elif isinstance(part, ast.FormattedValue):
            text += "{" + _fresh(_name(part.value), taken) + "}"
    return text


def _name(value: ast.expr) -> str:
    if isinstance(value, ast.Name):
        return value.id.lower()
    if isinstance(value, ast.Attribute):
        return value.attr.lower()
    return "value"


def _fresh(name: str, taken: dict[str, int]) -> str:
    taken[name] = taken.get(name, 0) + 1
    return name if taken[name] == 1 else f"{name}{taken[name]}"


def texts_of(path: Path) -> Iterator[tuple[ast.AST, str]]:
    """Every whole text of a module but docstrings and what is given to `t`, with its place."""
    tree = ast.parse(path.read_text("utf-8"))
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t":
            skipped.update(ast.walk(node))
        if node not in skipped and isinstance(node, ast.JoinedStr | ast.BinOp | ast.FormattedValue):
            skipped.update(child for child in ast.walk(node) if child is not node)
        if node not in skipped and (text := pattern_of(node)) is not None:
            yield node, text


def is_sentence(text: str) -> bool:
    """Whether a text has three words in a row: what people read, and no key, path or pattern."""
    return re.search(r"[A-Za-z']{2,}[,:]? [a-z{][a-z}]*[,:]? [a-z{]", text) is not None
