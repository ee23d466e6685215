"""What a model file's header says, in the form that is kept between starts."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from diffusion import families, header, identity, spaces
from diffusion.families.embeddings import Vectors, vectors_in, words_in
from diffusion.header import FileTrouble, Header, read_header
from diffusion.identity import flaws, rules
from diffusion.identity.flaws import Flaw, lacks_of
from diffusion.identity.gguf import read_gguf
from diffusion.identity.identity import Identity
from diffusion.identity.rules import recognise
from diffusion.spaces import LATENT_SPACES
from graph import files
from graph.problem import Certainty

DECLARATIONS = (spaces.LATENT_KEY, spaces.TEXT_KEY)
"""The metadata that are kept word by word, so that a declared space can be read again."""


@dataclass(frozen=True)
class Known:
    """What a file's header says, in the form that the cache file keeps.

    `vectors` are an embedding's; `words` is how many numbers a word has in the file's text encoder,
    where it declares a text space and has one.
    """

    kind: str
    family: str | None = None
    title: str = ""
    latent: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    evidence: str = ""
    certainty: Certainty = "unknown"
    trouble: str | None = None
    reason: str = ""
    declared: tuple[tuple[str, str], ...] = ()
    vectors: tuple[Vectors, ...] = ()
    words: int = 0

    @classmethod
    def of(cls, path: Path) -> "Known":
        """What the file is; never raises for what may be wrong with it."""
        try:
            header_ = readable_header(path)
            found = recognise(header_)
        except FileTrouble as trouble:
            return cls("unknown", trouble=trouble.sentence, reason=trouble.reason)
        return cls(
            found.kind,
            found.family,
            found.title,
            found.latent_spaces,
            found.text_spaces,
            found.parts,
            lacks_of(header_, found),
            flaws.flaws_of(header_, found),
            _evidence(found, len(header_.tensors)),
            found.certainty,
            declared=tuple((k, header_.metadata[k]) for k in DECLARATIONS if k in header_.metadata),
            vectors=vectors_in(header_.shapes) if found.kind == "embedding" else (),
            words=words_in(header_.shapes) if found.text_space_declared else 0,
        )

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Known":
        """What `asdict` wrote. Raises `TypeError` for anything else."""
        for name in ("latent", "text", "parts", "lacks"):
            data[name] = tuple(data[name])
        data["flaws"] = tuple(
            Flaw(**{**flaw, "parts": tuple(flaw["parts"])}) for flaw in data["flaws"]
        )
        data["declared"] = tuple((key, text) for key, text in data["declared"])
        data["vectors"] = tuple(Vectors(*item) for item in data["vectors"])
        return cls(**data)


def readable_header(path: Path) -> Header:
    """The header of a safetensors or GGUF file. Raises `FileTrouble`."""
    try:
        return read_header(path)
    except FileTrouble as trouble:
        if trouble.reason != "gguf":
            raise
    return read_gguf(path)


def flaws_of(known: Known) -> tuple[files.Flaw, ...]:
    """What keeps the file from being run, as the checker hears of it."""
    return tuple(
        files.Flaw(
            code=flaw.code,
            message=flaw.message,
            parts=flaw.parts,
            parameters={"reason": flaw.reason},
        )
        for flaw in known.flaws
    )


@cache
def rules_version() -> str:
    """A hash over the source of everything that decides what a file is: new rules, new answers."""
    sources = [Path(module.__file__ or "") for module in (header, spaces)]
    sources += sorted(sources[0].parent.glob("*_names.py"))
    for package in (families, identity):
        folder = Path(package.__file__ or "").parent
        sources += sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".gz"))
    texts = b"\0".join(path.read_bytes() for path in (*sources, Path(__file__)))
    return hashlib.sha256(texts).hexdigest()


def _evidence(found: Identity, tensors: int) -> str:
    """The one clause that messages quote, of a file of so many tensors."""
    declared = [line for line in found.evidence if rules.DECLARED in line]
    if found.kind in ("unknown", "embedding"):
        return "; ".join(found.evidence)
    if declared:
        return rules.DECLARED
    if found.certainty != "certain" or not found.latent_spaces:
        return "; ".join(found.evidence[-1:])
    fits = [LATENT_SPACES[id_].title for id_ in found.latent_spaces if id_ in LATENT_SPACES]
    if len(fits) > 1:
        return f"its {tensors:,} tensors fit {' and '.join(fits)} alike"
    return f"its {tensors:,} tensors are those of {found.title}"
