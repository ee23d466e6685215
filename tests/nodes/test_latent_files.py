"""A latent comes out of its file as it went in, and only where it belongs."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import nodes.latent_files
import nodes.vae
from graph.check import CheckResult, check
from graph.events import Produced
from graph.node import nodes_of
from nodes import loaders
from nodes.latent_files import BadLatent, LatentFile, load_latent, save_latent
from nodes.outputs import FolderOutputs, Origin
from nodes.services import WrongSpace
from nodes.sockets import Latent, Mask
from server.catalogue import Catalogue
from tests.graph.small_world import SHELF, placed, workflow
from tests.helpers.services import Spaces

WORKFLOW = {"version": 1, "nodes": {"5": {"type": "save_latent"}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "output" / "latents").mkdir(parents=True)
    return tmp_path / "output" / "latents"


def written(folder: Path, latent: Latent[Any], produced: list[Produced] | None = None) -> Path:
    emitted = [] if produced is None else produced
    origin = Origin("5", "Save Latent", WORKFLOW, {})
    outputs = FolderOutputs(origin, folder.parent, folder, "run", emit=emitted.append)
    save_latent(latent, "latents/it", outputs=outputs)
    return folder / "it.latent"


def loaded(path: Path, space: str, spaces: Spaces | None = None) -> Latent[Any]:
    file: LatentFile[Any] = LatentFile(path.name, path, "content")
    return load_latent(file, space, spaces=spaces or Spaces())  # type: ignore[arg-type]


def latent(space: str = "sdxl", channels: int = 4) -> Latent[Any]:
    values = torch.zeros(1, 6, 8)
    values[:, :3] = 1
    torch.manual_seed(0)
    return Latent(torch.randn(2, channels, 6, 8), space, Mask(values))


def test_a_latent_its_space_and_its_mask_come_back_to_the_bit(folder: Path) -> None:
    given, produced = latent(), list[Produced]()
    back = loaded(written(folder, given, produced), "sdxl")
    assert torch.equal(back.samples, given.samples)
    assert back.space == "sdxl"
    assert back.mask is not None
    assert given.mask is not None
    assert torch.equal(back.mask.values, given.mask.values)
    assert [(event.kind, event.file) for event in produced] == [("latent", "latents/it.latent")]


def test_the_file_holds_its_space_and_the_workflow(folder: Path) -> None:
    with safe_open(written(folder, latent()), framework="pt") as opened:
        metadata = opened.metadata()
    assert metadata["latent_loom.space"] == "sdxl"
    assert json.loads(metadata["latent_loom"]) == WORKFLOW


def test_a_latent_is_refused_where_another_space_belongs(folder: Path) -> None:
    with pytest.raises(WrongSpace, match=r"latent in it\.latent sdxl"):
        loaded(written(folder, latent()), "sd1")


@pytest.mark.parametrize(("version", "scale"), [(True, 1.0), (False, 1 / 0.18215)])
def test_latents_of_comfyui_are_taken_for_what_they_are_wired_to(
    folder: Path, version: bool, scale: float
) -> None:
    given = torch.randn(1, 4, 6, 8)
    tensors = {"latent_tensor": given}
    if version:
        tensors["latent_format_version_0"] = torch.zeros(0)
    save_file(tensors, folder / "theirs.latent", {"prompt": "{}"})
    back = loaded(folder / "theirs.latent", "sd1")
    torch.testing.assert_close(back.samples, given * scale)  # float32
    assert back.space == "sd1"


def test_a_latent_of_comfyui_with_other_channels_is_refused_in_words(folder: Path) -> None:
    save_file({"latent_tensor": torch.zeros(1, 16, 2, 2)}, folder / "theirs.latent")
    with pytest.raises(BadLatent, match="16 channels, and what it is wired to takes 4"):
        loaded(folder / "theirs.latent", "sd1")


def test_what_is_no_latent_is_refused_in_words(folder: Path) -> None:
    save_file({"other": torch.zeros(1, 4, 2, 2)}, folder / "model.safetensors")
    with pytest.raises(BadLatent, match="holds no latent"):
        loaded(folder / "model.safetensors", "sd1")
    (folder / "cut.latent").write_bytes(written(folder, latent()).read_bytes()[:-7])
    with pytest.raises(BadLatent, match=r"cut\.latent cannot be read"):
        loaded(folder / "cut.latent", "sd1")


@pytest.fixture
def catalogue(folder: Path, tmp_path: Path) -> Catalogue:
    written(folder, latent())
    save_file({"latent_tensor": torch.zeros(1, 16, 2, 2)}, folder / "theirs.latent")
    (folder / "broken.latent").write_bytes(b"no")
    return Catalogue([tmp_path / "models"], tmp_path / "input", tmp_path / "c.json", [folder])


def test_the_catalogue_types_latents_by_what_they_say(catalogue: Catalogue) -> None:
    assert catalogue.refresh()
    assert catalogue.names("latents") == ["broken.latent", "it.latent", "theirs.latent"]
    own = catalogue.facts("latents", "it.latent")
    theirs = catalogue.facts("latents", "theirs.latent")
    broken = catalogue.facts("latents", "broken.latent")
    assert own is not None
    assert theirs is not None
    assert broken is not None
    assert (own.kind, own.spaces, own.trouble) == ("latent", {"latent": ("sdxl",)}, None)
    assert {"sd3", "flux1"} <= set(theirs.spaces["latent"])
    assert "sd1" not in theirs.spaces["latent"]
    assert broken.trouble
    assert len({own.content, theirs.content}) == 2


class Files:
    """The catalogue's latents beside the VAEs of the small world."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def facts(self, folder: str, name: str) -> Any:
        return (self._catalogue if folder == "latents" else SHELF).facts(folder, name)

    def names(self, folder: str) -> Any:
        return (self._catalogue if folder == "latents" else SHELF).names(folder)

    fits = staticmethod(SHELF.fits)
    space_title = staticmethod(SHELF.space_title)


def decoded(catalogue: Catalogue, latent_file: str, vae_file: str) -> CheckResult:
    made = workflow(
        load=placed("load_latent", {"file": latent_file}),
        vae=placed("load_vae", {"file": vae_file}),
        decode=placed("vae_decode", latent="load.latent", vae="vae.vae"),
    )
    definitions = nodes_of([nodes.latent_files, nodes.vae, loaders]).definitions
    return check(made, definitions, Files(catalogue), wanted=["decode"])


def test_the_checker_knows_a_latent_before_it_is_loaded(catalogue: Catalogue) -> None:
    assert decoded(catalogue, "it.latent", "sdxl.safetensors").blocking == ()
    wrong = decoded(catalogue, "it.latent", "sd1.safetensors")
    assert [problem.code for problem in wrong.blocking] == ["space_mismatch"]
    unclear = decoded(catalogue, "theirs.latent", "flux.safetensors")
    assert unclear.blocking == ()
    assert unclear.bindings["load"]["S"] == ("flux1",)
    broken = decoded(catalogue, "broken.latent", "sd1.safetensors")
    assert "unusable_file" in [problem.code for problem in broken.blocking]
