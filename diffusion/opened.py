"""A model file opened by its header: what it is, and the tensors of each of its parts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from diffusion.architecture import Architecture, architecture_of
from diffusion.checkpoint import CheckpointTrouble
from diffusion.families import FAMILIES
from diffusion.header import Header, read_header
from diffusion.identity.rules import Identity, identify, stripped
from diffusion.spaces import LATENT_SPACES, LatentSpace


@dataclass(frozen=True)
class Opened:
    """The header of a file, what it was recognised as, and what it says of its architecture."""

    header: Header
    identity: Identity
    architecture: Architecture

    @classmethod
    def at(cls, path: Path) -> "Opened":
        """Raises `FileTrouble` and `BadArchitecture`."""
        header = read_header(path)
        return cls(header, identify(header), architecture_of(header.metadata))

    @property
    def space(self) -> LatentSpace | None:
        """The latent space that the file speaks; None where its header cannot tell."""
        if self.identity.latent_space_declared is not None:
            return self.identity.latent_space_declared
        ids = self.identity.latent_spaces
        return LATENT_SPACES.get(ids[0]) if len(ids) == 1 else None

    def shapes(self, prefix: str) -> Mapping[str, tuple[int, ...]]:
        """The tensors whose names begin with `prefix`, without it."""
        return stripped(self.header.shapes, prefix)

    def model_prefix(self) -> str:
        """What the names of the diffusion model begin with. Raises `CheckpointTrouble`."""
        found = self.identity
        if "model" not in found.parts:
            raise self._lacks("diffusion model")
        if not found.runnable:
            raise self._unfit()
        return found.prefixes.get("model", "")

    def vae_prefix(self) -> str:
        """What the names of the VAE begin with. Raises `CheckpointTrouble`."""
        found = self.identity
        if "vae" not in found.parts:
            raise self._lacks("VAE")
        if found.kind == "vae" and not found.runnable:
            raise self._unfit()
        return found.prefixes.get("vae", "")

    def clip_prefix(self) -> str:
        """What the names of the CLIP-L text model begin with. Raises `CheckpointTrouble`."""
        found = self.identity
        if found.kind == "text_encoder" and found.variant == "clip_l":
            return found.prefixes.get("clip_l", "")
        if "clip" not in found.parts:
            raise self._lacks("text encoder")
        family = FAMILIES.get(found.family or "")
        options = family.text_prefixes if family and found.runnable else {}
        for prefix in options.get("clip_l", ()):
            if any(name.startswith(prefix) for name in self.header.tensors):
                return prefix
        raise self._unfit()

    def _lacks(self, what: str) -> CheckpointTrouble:
        kind = self.identity.title or self.identity.kind.replace("_", " ")
        return CheckpointTrouble(
            f"{self.header.path.name} holds no {what}: it was recognised as {kind}."
        )

    def _unfit(self) -> CheckpointTrouble:
        title = self.identity.title or "of no known family"
        return CheckpointTrouble(
            f"{self.header.path.name} is {title}, which this version cannot run yet."
        )


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with its sizes or metadata."""
    try:
        yield
    except ValueError as error:  # of a module that cannot be built from what the file says
        raise CheckpointTrouble(f"{path.name} cannot be loaded: {error}") from error
