"""The services that nodes get in a run."""

from pathlib import Path

import pytest

from graph.workflow import Workflow
from nodes.services import Side, UnknownSpace, WrongSpace
from server.catalogue import Catalogue
from server.worker_spaces import RunSpaces


@pytest.fixture
def catalogue(tmp_path: Path, tiny_models: Path) -> Catalogue:
    catalogue = Catalogue([tiny_models], tmp_path / "input", tmp_path / "files.json")
    catalogue.refresh()
    return catalogue


def spaces(catalogue: Catalogue, *allowed: tuple[str, str]) -> RunSpaces:
    inputs = {
        f"i{k}": {"node": "a", "output": "latent", "allow": pair} for k, pair in enumerate(allowed)
    }
    nodes = {"a": {"type": "x"}, "b": {"type": "y", "inputs": inputs}}
    return RunSpaces(catalogue, Workflow.model_validate({"nodes": nodes}))


def test_two_spaces_that_differ_are_refused_by_their_titles(catalogue: Catalogue) -> None:
    told = r"This latent is SDXL: .*\. The VAE is for SD 1\.x\. .*use a VAE for SDXL"
    with pytest.raises(WrongSpace, match=told):
        spaces(catalogue).agree("latent", Side("latent", "sdxl"), Side("VAE", "sd1"))


@pytest.mark.parametrize(("one", "other"), [("sd1", "sd1"), ("", "sd1"), ("sdxl", ""), ("", "")])
def test_equal_and_unknown_spaces_agree(catalogue: Catalogue, one: str, other: str) -> None:
    spaces(catalogue).agree("latent", Side("latent", one), Side("VAE", other))


def test_a_pair_that_a_wire_allows_agrees_in_either_order_and_no_other_does(
    catalogue: Catalogue,
) -> None:
    allowing = spaces(catalogue, ("sdxl", "sd1"))
    allowing.agree("latent", Side("latent", "sdxl"), Side("VAE", "sd1"))
    allowing.agree("latent", Side("latent", "sd1"), Side("VAE", "sdxl"))
    with pytest.raises(WrongSpace):
        allowing.agree("latent", Side("latent", "sd3"), Side("VAE", "sd1"))


def test_spaces_that_files_declare_are_known_and_others_are_named(catalogue: Catalogue) -> None:
    assert spaces(catalogue).latent("tiny").channels == 4
    with pytest.raises(UnknownSpace, match="nowhere"):
        spaces(catalogue).latent("nowhere")
