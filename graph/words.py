"""Sentences in the reader's language. The English one is the key, so that none is ever lost."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import NamedTuple


class Language(NamedTuple):
    """A language's tag ("de") and its sentences, each by the English one."""

    tag: str
    table: Mapping[str, str]


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
