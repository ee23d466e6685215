"""A model file opened by its header: what it is, and the tensors of each of its parts."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from diffusion.architecture import Architecture, architecture_of
from diffusion.checkpoint import DTYPES, CheckpointTrouble, read_tensor
from diffusion.denoiser_names import denoiser_names
from diffusion.families import FAMILIES
from diffusion.families.family import Family, LogNoise, Noise
from diffusion.families.text import PROTOCOLS, Protocol
from diffusion.header import Header, read_header
from diffusion.identity.denoisers import told_prediction
from diffusion.identity.identity import Identity
from diffusion.identity.parts import stripped
from diffusion.identity.rules import recognise
from diffusion.origins import pieces_of
from diffusion.spaces import LATENT_SPACES, TEXT_SPACES, LatentSpace


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
        return cls(header, recognise(header), architecture_of(header.metadata))

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

    def half_precision(self, prefix: str) -> torch.dtype | None:
        """The one 16-bit format of all numbers under `prefix`; None where they have others."""
        formats = {
            info.dtype
            for name, info in self.header.tensors.items()
            if name.startswith(prefix) and not info.dtype.startswith(("I", "U"))
        }
        only = DTYPES.get(formats.pop()) if len(formats) == 1 else None
        return only if only in (torch.float16, torch.bfloat16) else None

    def model_prefix(self) -> str:
        """What the names of the diffusion model begin with. Raises `CheckpointTrouble`."""
        found = self.identity
        if "model" not in found.parts:
            raise self._lacks("diffusion model")
        if not found.runnable:
            raise self._unfit()
        return found.prefixes.get("model", "")

    def prediction(self, prefix: str) -> str:
        """What the diffusion model predicts, by its weights where the header does not say."""
        found = self.identity
        family = self.family
        by = family.velocity_where if family else None
        if not family or not by or found.prediction != family.prediction or found.conditioning:
            return found.prediction or "epsilon"
        names = denoiser_names(family.network.kind, self.shapes(prefix))
        if by.key in names and not told_prediction(self.header.metadata):
            (place,) = pieces_of(names[by.key])
            spread = float(read_tensor(self.header, prefix + place.name).std(correction=0))
            return "velocity" if spread > by.above else "epsilon"
        return found.prediction or "epsilon"

    def noise(self, usual: Noise) -> Noise:
        """The noise levels that the model was trained on: `usual`, but for what the file says."""
        ends = [f"edm_vpred.sigma_{end}" for end in ("min", "max")]
        if not isinstance(usual, LogNoise) or not all(name in self.header.tensors for name in ends):
            return usual
        low, high = (read_tensor(self.header, name).flatten() for name in ends)
        return LogNoise(float(low[0]), float(high[0])) if len(low) and len(high) else usual

    def controlnet_prefix(self) -> str:
        """What the names of the ControlNet begin with. Raises `CheckpointTrouble`."""
        found = self.identity
        if found.kind != "controlnet":
            raise self._lacks("ControlNet")
        if not found.runnable:
            raise self._unfit()
        return found.prefixes.get("controlnet", "")

    def vae_prefix(self) -> str:
        """What the names of the VAE begin with. Raises `CheckpointTrouble`."""
        found = self.identity
        if "vae" not in found.parts:
            raise self._lacks("VAE")
        if found.kind == "vae" and not found.runnable:
            raise self._unfit()
        return found.prefixes.get("vae", "")

    @property
    def family(self) -> Family | None:
        """The family that the file belongs to, if it belongs to one."""
        return FAMILIES.get(self.identity.family or "")

    def text_prefixes(self) -> Mapping[str, str]:
        """What the names of each text encoder in the file begin with, by the encoder's id.

        Raises `CheckpointTrouble` where there is none that can be run.
        """
        found = self.identity
        if found.kind == "text_encoder" and found.variant:
            return {found.variant: found.prefixes.get(found.variant, "")}
        if "clip" not in found.parts:
            raise self._lacks("text encoder")
        options = self.family.text_prefixes if self.family and found.runnable else {}
        inside = {
            encoder: prefix
            for encoder, prefixes in options.items()
            for prefix in prefixes
            if any(name.startswith(prefix) for name in self.header.tensors)
        }
        if not inside:
            raise self._unfit()
        return inside

    def text_space(self) -> str | None:
        """The protocol that the file's own text encoders follow, if it holds a whole one.

        A space of its own that the file declares is read by the protocol of the file's family.
        """
        if self.family is None:
            return None
        known = (space for space in self.identity.text_spaces if space in PROTOCOLS)
        return next(known, self.family.text_space)

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


def protocol_of(files: Sequence[Opened], space: str, encoders: Sequence[str]) -> Protocol:
    """How these encoders encode prompts. Raises `CheckpointTrouble` where they do not suit.

    `space`: the text space that is wanted, "" where none is known; a file's own space goes by the
    protocol of its family.
    """
    own = next((file.text_space() for file in files if file.family), None)
    chosen = space if space in PROTOCOLS else own
    if chosen is None:
        exact = [
            name
            for name, protocol in PROTOCOLS.items()
            if {part.encoder for part in protocol.parts} == set(encoders)
        ]
        chosen = exact[0] if exact else ""
    names = ", ".join(file.header.path.name for file in files)
    if chosen not in PROTOCOLS:
        raise CheckpointTrouble(
            f"No known model reads prompts with {' and '.join(encoders)} alone ({names})."
        )
    protocol = PROTOCOLS[chosen]
    lacking = [
        part.encoder
        for part in protocol.parts
        if part.encoder not in encoders and not part.optional
    ]
    if lacking or not set(encoders) & {part.encoder for part in protocol.parts}:
        title = TEXT_SPACES[chosen].title
        raise CheckpointTrouble(
            f"Prompts for {title} need {' and '.join(part.encoder for part in protocol.parts)}; "
            f"{names} holds {' and '.join(encoders)}."
        )
    return protocol


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with its sizes or metadata."""
    try:
        yield
    except ValueError as error:  # of a module that cannot be built from what the file says
        raise CheckpointTrouble(f"{path.name} cannot be loaded: {error}") from error
