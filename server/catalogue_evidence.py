"""What a model file's content says beside its header, read once and kept between starts."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from diffusion.header import Header, read_header
from diffusion.identity import hashes, signatures, tensors
from diffusion.identity.hashes import file_hash, tensor_hash
from diffusion.identity.identity import Certainty, Identity
from diffusion.identity.layers import Finding
from diffusion.identity.metadata import ARCHITECTURE
from diffusion.identity.rules import DECLARED, recognise
from diffusion.identity.signatures import Signature, model_print, signature_of
from diffusion.identity.tensors import Unreadable, sizes_of
from server.catalogue_known import DECLARATIONS, rules_version

log = logging.getLogger(__name__)

Check = Callable[[], None]

VAES = ("vae", "tiny_vae")
"""The kinds of file that speak a space and may not say which."""


@dataclass(frozen=True)
class Evidence:
    """What was read of one file.

    `header` are the spaces that its shapes (and what it declares) leave, `sure` how sure that is.
    `file` is the SHA-256 of the whole, `tensors` that of `tensor_hash`; a checkpoint, which is only
    a witness for others, has neither. `model` tells checkpoints apart. `channels` and `downscale`
    are 0 where unknown; `architecture` is the one that its metadata name, if they name one.
    """

    kind: str
    name: str
    header: tuple[str, ...]
    sure: Certainty
    reason: str
    network: str
    channels: int = 0
    downscale: int = 0
    file: str = ""
    tensors: str = ""
    signature: Signature | None = None
    model: str = ""
    architecture: str = ""

    @classmethod
    def of(
        cls, path: Path, check_cancel: Check = lambda: None, content: str = ""
    ) -> "Evidence | None":
        """What the file says; None where it is no VAE and holds none.

        `content` is its SHA-256 where that is known already. `check_cancel` is called often and
        raises to stop. Raises `FileTrouble`, and `OSError`.
        """
        header = read_header(path)
        plain = _without_hints(header)
        found = recognise(plain)
        if found.kind not in VAES and not (found.kind == "checkpoint" and "vae" in found.parts):
            return None
        prefix = found.prefixes.get("vae", "")
        channels, downscale = sizes_of(header, prefix, found.network)
        evidence = cls(
            found.kind,
            path.name,
            found.latent_spaces,
            found.certainty,
            _reason(found),
            found.network,
            channels,
            downscale,
            content,
        )
        return _read(evidence, header, found, prefix, check_cancel)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Evidence":
        """What `asdict` wrote. Raises `KeyError` and `TypeError` for anything else."""
        return cls(**{**data, "header": tuple(data["header"])})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def header_finding(self) -> Finding:
        """The header's, which leaves one space, or several, or any."""
        sure: Certainty = self.sure if len(self.header) == 1 else "unknown"
        return Finding("header", self.header, sure, self.reason)


@cache
def evidence_version() -> str:
    """A hash over the source of everything that reads evidence: new readers, new evidence."""
    modules = (hashes, signatures, tensors)
    texts = [Path(module.__file__ or "").read_bytes() for module in modules]
    texts += [Path(__file__).read_bytes(), rules_version().encode()]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def _without_hints(header: Header) -> Header:
    """The header with only those metadata that declare a space: the rest is another layer's."""
    kept = {key: text for key, text in header.metadata.items() if key in DECLARATIONS}
    return replace(header, metadata=kept)


def _reason(found: Identity) -> str:
    declared = [line for line in found.evidence if "declared" in line and "latent" in line]
    if declared:
        return DECLARED
    if len(found.latent_spaces) > 1:
        return "its tensors fit more than one"
    return f"its tensors are those of {found.title}" if found.latent_spaces else found.evidence[-1]


def _read(
    evidence: Evidence, header: Header, found: Identity, prefix: str, check_cancel: Check
) -> Evidence:
    """The evidence with what must be read from the tensors."""
    signature: Signature | None = None
    try:
        if evidence.network == "kl":
            signature = signature_of(header, prefix)
        if evidence.kind == "checkpoint":
            model = model_print(header, found.prefixes.get("model", ""))
            return replace(evidence, signature=signature, model=model)
        digest = tensor_hash(header, prefix, evidence.network, check_cancel)
    except Unreadable as error:
        log.info("%s cannot be compared by its tensors: %s", header.path.name, error)
        digest = ""
    return replace(
        evidence,
        signature=signature,
        file=evidence.file or file_hash(header.path, check_cancel),
        tensors=digest,
        architecture=header.metadata.get(ARCHITECTURE, ""),
    )
