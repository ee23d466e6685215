"""A models folder of small VAEs whose headers leave more than one space, and its survey."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from diffusion.identity.hashes import Known, Table, file_hash
from diffusion.spaces import LATENT_SPACES
from diffusion.tiny_vae import TinyAutoencoder, TinyConfig
from graph.files import FileFacts
from server.catalogue import Catalogue
from server.catalogue_identity import Identities
from server.catalogue_survey import Survey
from server.model_folders import Stamp
from tests.diffusion.synthetic_vaes import Made, encoder_of


def tiny(path: Path, seed: int = 0, half: bool = False, **metadata: str) -> Path:
    """A tiny VAE of 4 channels with random weights: SD 1.x's or SDXL's, as far as shapes say."""
    torch.manual_seed(seed)
    module = TinyAutoencoder(TinyConfig(latent_channels=4))
    tensors = {
        f"taesd_{name}": (tensor.half() if half else tensor).clone()
        for name, tensor in module.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {key.replace("__", "."): text for key, text in metadata.items()}
    save_file(tensors, path, metadata=told or None)
    return path


def trial_of(space: str) -> dict[str, Any]:
    """What the trial of a tiny VAE gives that speaks the space."""
    known = LATENT_SPACES[space]
    made = encoder_of(known, 0, 0.1)
    own = Made(known.normalise(made.latent[None])[0], known.normalise(made.flats))
    return own.trial(scaled=True).to_json()


def table_with(path: Path, space: str) -> Table:
    """A table of published files in which the file is the only one."""
    return Table({file_hash(path): Known(space, "published.safetensors")}, {})


class Shelf:
    """The folder; each one made of it is a new start of the program."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.models = root / "models"
        self.identities = Identities(root / "cache" / "identities.json", root / "statements.json")
        self.survey = Survey(self.identities, root / "cache")
        self.files = Catalogue(
            (self.models,),
            root / "input",
            root / "cache" / "models.json",
            identities=self.identities,
        )
        self.told = 0

    def look(self) -> bool:
        self.files.refresh()
        return self.survey.look(self.files.known(), self.files.latent_spaces(), told=self._tell)

    def facts(self, name: str, folder: str = "vae") -> FileFacts:
        found = self.files.facts(folder, name)
        assert found is not None
        return found

    def spaces(self, name: str) -> tuple[str, ...]:
        return self.facts(name).spaces.get("latent", ())

    def content(self, name: str) -> str:
        surveyed = self.identities.surveyed(Stamp.of(self.models / "vae" / name))
        assert surveyed is not None
        return surveyed.content

    def wanted(self) -> list[str]:
        return [item.path.name for item in self.survey.wanted(self.files.latent_spaces())]

    def tried(self, name: str, trial: Mapping[str, Any] | None) -> None:
        self.survey.tried(self.content(name), trial)
        self.look()

    def say(self, name: str, space: str | None) -> None:
        self.identities.statements.say(self.content(name), space, name)

    def _tell(self) -> None:
        self.told += 1
