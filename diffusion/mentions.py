"""Find the embeddings that a prompt names: `embedding:inky`, `(embedding:styles/inky:1.2)`.

A name ends at a space, a comma, a colon or a bracket, and at the punctuation behind it. One that
has such a character in itself stands between quotes, `embedding:"two words"`, and a backslash
before a bracket makes it part of the name. Its file's ending may be left out.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

WORD = "embedding"

ENDINGS = (".safetensors", ".sft", ".pt", ".bin", ".pth", ".ckpt")
"""What a name may lack, in the order in which files are looked for."""

_MENTION = re.compile(
    r'(?<!\w)embedding:(?:"((?:\\[()]|[^"()\n])+)"|((?:\\[()]|[^\s,:()"|{}<>\[\]])+))'
)
_PUNCTUATION = ".;!?'"
_PLAIN = re.compile(r"""[^\s,:()"|{}<>\[\]]*[^\s,:()"|{}<>\[\].;!?']""")


class Mention(NamedTuple):
    """The name of an embedding, and the characters of the text that name it."""

    name: str
    start: int
    end: int


def mentions(text: str) -> Iterator[Mention]:
    """The embeddings that the text names, in their order."""
    for found in _MENTION.finditer(text):
        quoted, bare = found.groups()
        inside = quoted if quoted is not None else bare.rstrip(_PUNCTUATION)
        if inside:
            end = found.end() if quoted is not None else found.start(2) + len(inside)
            name = inside.replace("\\(", "(").replace("\\)", ")").replace("\\", "/")
            yield Mention(name, found.start(), end)


def spelled(name: str) -> str:
    """How a prompt names the embedding of this name."""
    inside = name.replace("(", "\\(").replace(")", "\\)")
    bare = name.replace("(", "").replace(")", "")
    return f"{WORD}:{inside}" if _PLAIN.fullmatch(bare) else f'{WORD}:"{inside}"'


def file_names(name: str) -> tuple[str, ...]:
    """The files that a name may mean, the one that is meant first if it is there."""
    ended = (name,) if name.lower().endswith(ENDINGS) else ()
    return (*ended, *(name + ending for ending in ENDINGS))


def short_name(file: str) -> str:
    """The file's name without the ending that may be left out."""
    ending = next((end for end in ENDINGS if file.lower().endswith(end)), "")
    return file[: len(file) - len(ending)]
