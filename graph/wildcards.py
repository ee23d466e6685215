"""Texts with choices in them: `a {red|blue} ball`, `a __colour__ ball`, drawn with a seed.

A choice may be weighted, `{3::red|blue}`, may be empty, and may hold choices. `__name__` stands for
a line of the list of that name. A backslash takes a brace, a bar or an underscore as it is.
"""

import random
import re
from collections.abc import Callable, Sequence

Words = Callable[[str], Sequence[str]]
"""The lines of the list of a name. Raises `BadWildcard` where there is none."""

DEEPEST = 50
"""Replacements that one text may take: lists that name each other would go on for ever."""

_ESCAPED = re.compile(r"\\([{}|_])")
_CHOICE = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"__([\w][\w ./-]*?)__")
_WEIGHT = re.compile(r"\s*(\d+(?:\.\d+)?)::")

# Escaped characters stand outside of the text until the end: in the private use area.
_HIDDEN = {character: chr(0xE000 + place) for place, character in enumerate("{}|_")}


class BadWildcard(ValueError):
    """A text whose choices cannot be made; the message says where and why."""


def has_choices(text: str) -> bool:
    """Whether the text holds anything to be drawn."""
    hidden = _hide(text)
    return bool(_CHOICE.search(hidden) or _NAME.search(hidden))


def drawn(text: str, draw: random.Random, words: Words) -> str:
    """The text with every choice made. The same state of `draw` makes the same choices.

    Raises `BadWildcard` for a brace without its partner and for lists that never end.
    """
    current = _hide(text)
    for _ in range(DEEPEST):
        current, made = _CHOICE.subn(lambda found: _one_of(found[1].split("|"), draw), current)
        if not made:
            current, made = _NAME.subn(lambda found: _hide(_line(found[1], draw, words)), current)
        if not made:
            break
    else:
        raise BadWildcard(f"The choices in {_short(text)} lead to each other without end.")
    if "{" in current or "}" in current:
        raise BadWildcard(
            f"In {_short(text)} a brace has no partner. Write \\{{ for one that is meant as such."
        )
    return _show(current)


def _one_of(options: Sequence[str], draw: random.Random) -> str:
    weights, texts = [], []
    for option in options:
        weight = _WEIGHT.match(option)
        weights.append(float(weight[1]) if weight else 1.0)
        texts.append(option[weight.end() :] if weight else option)
    if not any(weights):
        raise BadWildcard(f"All choices of {{{'|'.join(options)}}} have the weight 0.")
    return draw.choices(texts, weights)[0]


def _line(name: str, draw: random.Random, words: Words) -> str:
    lines = [line for line in words(name) if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise BadWildcard(f"The list {name!r} has no lines.")
    return draw.choice(lines).strip()


def _hide(text: str) -> str:
    return _ESCAPED.sub(lambda found: _HIDDEN[found[1]], text)


def _show(text: str) -> str:
    for character, stand_in in _HIDDEN.items():
        text = text.replace(stand_in, character)
    return text


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
