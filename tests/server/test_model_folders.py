"""Names lead to model files in several roots, and never out of them."""

from pathlib import Path

import pytest

from server.catalogue import Catalogue
from server.model_folders import FileRefused
from tests.diffusion.files import known_shapes, write_zeros
from tests.server.shelf import SMALL, models_below, of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return models_below(tmp_path)


def test_the_folder_names_of_other_programs_are_read(root: Path) -> None:
    files = of(root)
    assert files.names("text_encoders") == ["l.safetensors"]
    facts = files.facts("diffusion_models", "flux.safetensors")
    assert facts is not None
    assert facts.family == "flux1"


def test_the_folder_above_models_will_do(root: Path) -> None:
    files = Catalogue((root.parent,), root.parent / "input", root.parent / "c.json")
    assert "photo.safetensors" in files.names("checkpoints")


def test_of_two_roots_the_first_wins_and_both_are_listed(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_zeros(other / "checkpoints" / "photo.safetensors", SMALL)
    write_zeros(other / "checkpoints" / "more.safetensors", known_shapes("checkpoint_sd15"))
    files = of(root, other)
    assert files.names("checkpoints")[:2] == ["more.safetensors", "photo.safetensors"]
    assert files.resolve("checkpoints", "photo.safetensors").is_relative_to(root)
    assert files.resolve("checkpoints", "more.safetensors").is_relative_to(other)


@pytest.mark.parametrize(
    "name",
    ["../secret.safetensors", "sub/../../x.safetensors", "/etc/passwd", "C:/x.safetensors",
     "..\\x.safetensors", "a//b.safetensors", "./photo.safetensors", "", "\0", "sub"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(root: Path, name: str) -> None:
    write_zeros(root / "secret.safetensors", SMALL)
    with pytest.raises(FileRefused):
        of(root).resolve("checkpoints", name)
    assert of(root).facts("checkpoints", name) is None


def test_only_model_files_are_served_from_model_folders(root: Path) -> None:
    (root / "checkpoints" / "readme.md").write_text("hello")
    (root / "checkpoints" / ".hidden.safetensors").write_text("hello")
    assert "readme.md" not in of(root).names("checkpoints")
    assert ".hidden.safetensors" not in of(root).names("checkpoints")
    with pytest.raises(FileRefused):
        of(root).resolve("checkpoints", "readme.md")


def test_a_folder_that_is_no_models_folder_is_refused(root: Path) -> None:
    files = of(root)
    with pytest.raises(FileRefused, match="no models folder"):
        files.resolve("tokenizers", "x")
    assert list(files.names("tokenizers")) == []


def linked(link: Path, target: Path) -> None:
    try:
        link.symlink_to(target, target_is_directory=target.is_dir())
    except OSError:
        pytest.skip("this system makes no symbolic links")


def test_a_link_out_of_the_models_is_shown_but_refused(root: Path, tmp_path: Path) -> None:
    outside = write_zeros(tmp_path / "elsewhere" / "x.safetensors", SMALL)
    linked(root / "checkpoints" / "x.safetensors", outside)
    linked(root / "checkpoints" / "away", outside.parent)
    files = of(root)
    facts = files.facts("checkpoints", "x.safetensors")
    assert facts is not None
    assert "leads out" in (facts.trouble or "")
    assert "x.safetensors" in files.names("checkpoints")
    assert "away/x.safetensors" not in files.names("checkpoints")
    for name in ("x.safetensors", "away/x.safetensors"):
        with pytest.raises(FileRefused):
            files.resolve("checkpoints", name)


def test_links_inside_the_models_and_a_linked_root_are_followed(root: Path, tmp_path: Path) -> None:
    linked(root / "vae" / "again", root / "vae")  # a circle, which must end
    linked(root / "vae" / "same.safetensors", root / "vae" / "mse.safetensors")
    linked(tmp_path / "door", root)
    files = Catalogue((tmp_path / "door",), tmp_path / "input", tmp_path / "c.json")
    assert {"mse.safetensors", "same.safetensors"} <= set(files.names("vae"))
    assert files.resolve("vae", "same.safetensors").exists()
