"""A file is known again by its content, whatever it is called and however it is stored."""

import json
from pathlib import Path

import pytest
import torch

from diffusion.header import read_header
from diffusion.identity import hashes
from diffusion.identity.hashes import Known, file_hash, hash_finding, known_hashes, tensor_hash
from diffusion.identity.rules import recognise
from diffusion.spaces import LATENT_SPACES
from diffusion.vae_names import VAE_FROM_DIFFUSERS
from tests.diffusion.small_vaes import as_diffusers, saved, small_vae

ROOT = Path(__file__).parent.parent.parent
SHARED = ROOT.parent / "shared"


def hash_of(path: Path, prefix: str = "") -> str:
    return tensor_hash(read_header(path), prefix, "kl")


def test_the_table_holds_every_fact_that_is_certain() -> None:
    facts = SHARED / "facts" / "vae_hashes.json"
    if not facts.exists():
        pytest.skip("the facts are not here")
    published = json.loads(facts.read_text("utf-8"))["files"]
    expected = {row["sha256"]: row["space"] for row in published if row["space"] != "UNCERTAIN"}
    assert {key: known.space for key, known in known_hashes().files.items()} == expected
    assert len(expected) == len(published) - 1


def test_every_row_of_the_table_makes_sense() -> None:
    table = known_hashes()
    assert len(table.files) >= 40
    for sha256, known in (*table.files.items(), *table.tensors.items()):
        assert len(bytes.fromhex(sha256)) == 32
        assert known.space in LATENT_SPACES
        assert known.name


@pytest.mark.parametrize("sha256", known_hashes().files)
def test_a_published_file_is_certain_by_its_hash(sha256: str) -> None:
    found = hash_finding(sha256, "", {})
    assert found is not None
    assert (found.space, found.certainty) == (known_hashes().files[sha256].space, "certain")
    assert known_hashes().files[sha256].name in found.reason


def test_an_unknown_hash_says_nothing() -> None:
    assert hash_finding("0" * 64, "1" * 64, {}) is None
    assert hash_finding("", "", {}) is None


def test_a_file_hash_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_hash(tmp_path / "a") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_hashing_can_be_stopped(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        file_hash(tmp_path / "a", stop)
    with pytest.raises(InterruptedError):
        tensor_hash(read_header(saved(tmp_path / "b", small_vae(0))), "", "kl", stop)


def test_the_same_tensors_hash_alike_however_they_are_stored(tmp_path: Path) -> None:
    vae = small_vae(0)
    half = {name: tensor.half() for name, tensor in vae.items()}
    inside = {f"first_stage_model.{name}": tensor for name, tensor in vae.items()}
    backwards = dict(reversed(vae.items()))
    told = saved(tmp_path / "told.safetensors", backwards, title="other metadata")
    decoder = {n: torch.zeros_like(t) if n.startswith("decoder.") else t for n, t in vae.items()}
    alike = {
        hash_of(saved(tmp_path / "a.safetensors", vae)),
        hash_of(saved(tmp_path / "b.safetensors", half)),
        hash_of(saved(tmp_path / "c.safetensors", inside), "first_stage_model."),
        hash_of(told),
        hash_of(saved(tmp_path / "d.safetensors", as_diffusers(vae))),
        hash_of(saved(tmp_path / "e.safetensors", decoder)),  # another decoder, the same space
        hash_of(saved(tmp_path / "f.safetensors", vae | {"model_ema.decay": torch.zeros(())})),
    }
    assert len(alike) == 1
    assert alike != {hash_of(saved(tmp_path / "g.safetensors", small_vae(1)))}


def test_diffusers_names_are_turned_by_rows_that_this_test_has_all_of() -> None:
    assert len(VAE_FROM_DIFFUSERS) == 14  # a new row wants a new tensor in `as_diffusers`


def test_a_learned_hash_is_certain_and_names_the_file(tmp_path: Path) -> None:
    digest = hash_of(saved(tmp_path / "a.safetensors", small_vae(0)))
    found = hash_finding("", digest, {digest: Known("sdxl", "sdxl_vae")})
    assert found is not None
    assert (found.space, found.certainty) == ("sdxl", "certain")
    assert "sdxl_vae" in found.reason


@pytest.mark.parametrize("half", ["encoder", "decoder"])
def test_taef2_is_known_by_header_and_by_its_tensors(half: str, tmp_path: Path) -> None:
    source = SHARED / "data" / "vae" / f"taef2_{half}.pth"
    if not source.exists():
        pytest.skip("TAEF2's weights are not here")
    path = saved(tmp_path / "x.safetensors", torch.load(source, weights_only=True))
    header = read_header(path)
    identity = recognise(header)
    assert (identity.kind, identity.latent_spaces) == ("tiny_vae", ("flux2",))
    found = hash_finding("", tensor_hash(header, "", "tiny"), {})
    assert found is not None
    assert (found.space, found.certainty) == ("flux2", "certain")


def test_a_table_that_names_no_space_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table.json"
    rows = [{"sha256": "0" * 64, "space": "nowhere", "name": "x"}]
    table.write_text(json.dumps({"files": rows, "tensors": []}))
    monkeypatch.setattr(hashes, "TABLE", table)
    known_hashes.cache_clear()
    try:
        with pytest.raises(ValueError, match="nowhere"):
            known_hashes()
    finally:
        known_hashes.cache_clear()
