"""Sentences in the reader's language. The English one is the key, so that none is ever lost."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import NamedTuple

from graph.retelling import Told


class Language(NamedTuple):
    """A language's tag ("de") and its sentences, each by the English one.

    `told` has those that are put together in English, where no reader is known.
    """

    tag: str
    table: Mapping[str, str]
    told: Told | None = None


ENGLISH = Language("en", MappingProxyType({}))

_spoken: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def spoken() -> Language:
    """The language that is spoken now, by this task or thread."""
    return _spoken.get()


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Within, `t` gives sentences in this language, also in threads of `asyncio.to_thread`."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def t(english: str, /, **values: object) -> str:
    """The sentence in the language that is spoken; `{name}` is the value of that name."""
    return spoken().table.get(english, english).format_map(values)


def retold(english: str) -> str:
    """A sentence that was put together in English, in the language that is spoken."""
    told = spoken().told
    return english if told is None else told(english)
