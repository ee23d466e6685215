"""What a model file's header says, in the form that is kept between starts."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from diffusion import families, header, spaces
from diffusion.header import FileTrouble, read_header
from diffusion.identity import rules
from diffusion.identity.rules import Identity, identify
from diffusion.spaces import LATENT_SPACES
from graph.problem import Certainty

DECLARATIONS = (spaces.LATENT_KEY, spaces.TEXT_KEY)
"""The metadata that are kept word by word, so that a declared space can be read again."""


@dataclass(frozen=True)
class Known:
    """What a file's header says, in the form that the cache file keeps."""

    kind: str
    family: str | None = None
    title: str = ""
    latent: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    evidence: str = ""
    certainty: Certainty = "unknown"
    trouble: str | None = None
    declared: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, path: Path) -> "Known":
        """What the file is; never raises for what may be wrong with it."""
        try:
            found = read_header(path)
            identity = identify(found)
        except FileTrouble as trouble:
            return cls("unknown", trouble=trouble.sentence)
        return cls(
            identity.kind,
            identity.family,
            identity.title,
            identity.latent_spaces,
            identity.text_spaces,
            identity.parts,
            _evidence(identity),
            identity.certainty,
            declared=tuple((k, found.metadata[k]) for k in DECLARATIONS if k in found.metadata),
        )

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Known":
        """What `asdict` wrote. Raises `TypeError` for anything else."""
        for name in ("latent", "text", "parts"):
            data[name] = tuple(data[name])
        data["declared"] = tuple((key, text) for key, text in data["declared"])
        return cls(**data)


@cache
def rules_version() -> str:
    """A hash over the source of everything that decides what a file is: new rules, new answers."""
    modules = (header, spaces, rules)
    sources = [Path(module.__file__ or "") for module in modules]
    sources += sorted(Path(families.__file__ or "").parent.glob("*.py"))
    texts = b"\0".join(path.read_bytes() for path in (*sources, Path(__file__)))
    return hashlib.sha256(texts).hexdigest()


def _evidence(identity: Identity) -> str:
    """The one sentence that messages quote."""
    declared = [line for line in identity.evidence if rules.DECLARED in line]
    if declared or identity.certainty != "certain" or not identity.latent_spaces:
        return "; ".join(declared or identity.evidence[-1:])
    fits = [LATENT_SPACES[id_].title for id_ in identity.latent_spaces if id_ in LATENT_SPACES]
    if len(fits) > 1:
        return f"its tensors fit {' and '.join(fits)} alike"
    return f"its tensors are those of {identity.title}"
