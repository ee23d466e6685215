"""Which files there are, and what they are."""

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from graph.files import Files
from server import catalogue_known as module
from tests.diffusion.files import known_shapes, write_zeros
from tests.server.shelf import SMALL, models_below, of

OWN = {"id": "own", "title": "Our own", "channels": 4, "downscale": 8, "scale": 0.5}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return models_below(tmp_path)


def test_it_answers_what_the_checker_asks(root: Path) -> None:
    files: Files = of(root)
    facts = files.facts("checkpoints", "photo.safetensors")
    assert facts is not None
    assert (facts.kind, facts.family, facts.parts) == (
        "checkpoint", "sd15", ("model", "clip", "vae"),
    )  # fmt: skip
    assert facts.spaces == {"latent": ("sd1",), "text": ("sd1",)}
    assert (facts.certainty, facts.trouble) == ("certain", None)
    assert "SD 1.x" in facts.evidence
    assert files.names("checkpoints") == ["photo.safetensors", "sub/xl.safetensors"]
    assert files.space_title("latent", "sd1") == "SD 1.x"
    assert files.space_title("text", "nobody_knows") == "nobody_knows"


def test_an_ambiguous_vae_has_both_candidates_and_says_so(root: Path) -> None:
    facts = of(root).facts("vae", "mse.safetensors")
    assert facts is not None
    assert facts.spaces == {"latent": ("sd1", "sdxl")}
    assert facts.evidence == "its 248 tensors fit SD 1.x and SDXL alike"
    assert facts.trouble is None


def test_pictures_of_the_input_folder_are_files_too(root: Path) -> None:
    files = of(root)
    assert files.names("input") == ["cat.png"]
    facts = files.facts("input", "cat.png")
    assert facts is not None
    assert facts.kind == "image"
    assert facts.content


def test_a_declared_space_is_known_by_its_title(root: Path) -> None:
    vae = known_shapes("vae_kl_f8_z4_ldm")
    write_zeros(root / "vae" / "own.safetensors", vae, latent_loom__latent_space=json.dumps(OWN))
    files = of(root)
    files.refresh()
    space = files.latent_space("own")
    assert space is not None
    assert (space.title, space.scale) == ("Our own", 0.5)
    assert files.space_title("latent", "own") == "Our own"
    facts = files.facts("vae", "own.safetensors")
    assert facts is not None
    assert facts.spaces == {"latent": ("own",)}
    assert "declared" in facts.evidence
    again = of(root)  # from what the first one kept
    again.refresh()
    assert again.latent_space("own") == space


def test_two_files_that_declare_one_id_differently_are_told(root: Path) -> None:
    vae = known_shapes("vae_kl_f8_z4_ldm")
    for name, scale in (("a", 0.5), ("b", 0.6)):
        text = json.dumps({**OWN, "scale": scale})
        write_zeros(root / "vae" / f"{name}.safetensors", vae, latent_loom__latent_space=text)
    files = of(root)
    files.refresh()
    first, second = (files.facts("vae", f"{name}.safetensors") for name in "ab")
    assert first is not None
    assert second is not None
    assert first.trouble is None
    assert "other numbers" in (second.trouble or "")


def test_a_family_that_cannot_run_yet_is_typed_all_the_same(root: Path) -> None:
    facts = of(root).facts("checkpoints", "sub/xl.safetensors")
    assert facts is not None
    assert facts.spaces == {"latent": ("sdxl",), "text": ("sdxl",)}
    assert facts.trouble is None


def test_trouble_is_a_sentence_that_says_what_to_do(root: Path) -> None:
    write_zeros(root / "checkpoints" / "lora.safetensors", SMALL)
    write_zeros(root / "checkpoints" / "odd.safetensors", {"weight": (3, 3)})
    (root / "checkpoints" / "old.ckpt").write_bytes(b"\x80\x02}q\x00.")
    with (root / "checkpoints" / "photo.safetensors").open("rb") as whole:
        (root / "checkpoints" / "cut.safetensors").write_bytes(whole.read(5000))
    files = of(root)

    def trouble(name: str) -> str:
        facts = files.facts("checkpoints", name)
        assert facts is not None
        return facts.trouble or ""

    assert "move it to models/loras" in trouble("lora.safetensors")
    assert "not recognised" in trouble("odd.safetensors")
    assert "convert it" in trouble("old.ckpt")
    assert "not complete" in trouble("cut.safetensors")


def test_the_pieces_of_a_model_become_one_model_when_the_last_arrives(root: Path) -> None:
    shapes = list(known_shapes("flux1_schnell").items())
    names = [f"m-0000{number}-of-00002.safetensors" for number in (1, 2)]
    folder = root / "diffusion_models"
    write_zeros(folder / names[0], dict(shapes[:400]))
    files = of(root)
    facts = files.facts("diffusion_models", names[0])
    assert facts is not None
    assert facts.trouble is not None
    assert names[1] in facts.trouble
    write_zeros(folder / names[1], dict(shapes[400:]))
    files.refresh()
    whole, other = (files.facts("diffusion_models", name) for name in names)
    assert whole is not None
    assert (whole.kind, whole.family, whole.trouble) == ("diffusion_model", "flux1", None)
    assert other is not None
    assert other.trouble is not None
    assert f"choose {names[0]}" in other.trouble


def test_a_replaced_file_has_other_content_and_other_facts(root: Path) -> None:
    files = of(root)
    path = root / "vae" / "mse.safetensors"
    before = files.facts("vae", "mse.safetensors")
    write_zeros(path.with_suffix(".new"), known_shapes("vae_z16_ldm_flux1_or_sd3"))
    os.replace(path.with_suffix(".new"), path)
    after = files.facts("vae", "mse.safetensors")
    assert before is not None
    assert after is not None
    assert before.content != after.content
    assert after.spaces == {"latent": ("flux1", "sd3")}


def test_refresh_sees_what_came_and_what_went(root: Path) -> None:
    files = of(root)
    assert files.refresh()
    assert not files.refresh()
    write_zeros(root / "loras" / "new.safetensors", SMALL)
    assert files.refresh()
    assert files.names("loras") == ["new.safetensors"]
    (root / "loras" / "new.safetensors").unlink()
    assert files.refresh()
    assert list(files.names("loras")) == []


def test_no_file_is_opened_twice_even_by_the_next_start(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    read = module.read_header

    def counted(path: Path) -> object:
        opened.append(path)
        return read(path)

    monkeypatch.setattr(module, "read_header", counted)
    files = of(root)
    files.refresh()
    files.facts("vae", "mse.safetensors")
    assert len(opened) == len(set(opened)) == 5
    again = of(root)
    again.refresh()
    assert again.facts("vae", "mse.safetensors") == files.facts("vae", "mse.safetensors")
    assert len(opened) == 5


@pytest.mark.parametrize("text", ["", "{", '{"version": 1}', "[]", '{"version": "x", "files": 3}'])
def test_a_broken_cache_file_costs_nothing_but_time(root: Path, text: str) -> None:
    cache = root.parent / "cache" / "models.json"
    cache.parent.mkdir()
    cache.write_text(text)
    files = of(root)
    assert files.refresh()
    assert files.facts("vae", "mse.safetensors") is not None
    assert json.loads(cache.read_text())["files"]


def test_a_cache_file_of_other_rules_is_not_believed(root: Path) -> None:
    files = of(root)
    files.refresh()
    cache = root.parent / "cache" / "models.json"
    cache.write_text(
        cache.read_text().replace('"sd15"', '"sd99"').replace('"version": "', '"version": "0')
    )
    facts = of(root).facts("checkpoints", "photo.safetensors")
    assert facts is not None
    assert facts.family == "sd15"


def test_the_listing_holds_every_file_with_a_title(root: Path) -> None:
    listing = of(root).listing()
    entry = listing["checkpoints"][1]
    assert (entry["name"], entry["title"], entry["family"]) == ("sub/xl.safetensors", "xl", "sdxl")
    assert listing["loras"] == []
    json.dumps(listing)


def test_thousands_of_files_are_listed_quickly_from_the_second_start_on(tmp_path: Path) -> None:
    first = write_zeros(tmp_path / "models" / "loras" / "0.safetensors", SMALL)
    data = first.read_bytes()
    for number in range(1, 3_000):
        folder = first.parent / str(number % 10)
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.safetensors").write_bytes(data)
    of(tmp_path / "models").refresh()
    began = time.perf_counter()
    files = of(tmp_path / "models")
    files.refresh()
    names = files.names("loras")
    assert len(names) == 3_000
    assert all(files.facts("loras", name) for name in names[:100])
    # about 0.3 s on one slow core; the limit leaves room for a busy machine
    assert time.perf_counter() - began < 3


def test_many_threads_may_ask_while_it_refreshes(root: Path) -> None:
    files = of(root)

    def ask() -> None:
        for _ in range(20):
            assert files.facts("checkpoints", "photo.safetensors") is not None
            files.listing()

    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(ask) for _ in range(4)]
        for _ in range(5):
            files.refresh()
    for each in asked:
        each.result()  # raises what was raised in the thread
    assert files.listing()["vae"]


def test_nobody_waits_for_files_that_are_being_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = of(root)
    files.facts("vae", "mse.safetensors")
    reading, listed = threading.Event(), threading.Event()
    read = module.read_header

    def slow(path: Path) -> object:
        reading.set()
        assert listed.wait(30)
        return read(path)

    monkeypatch.setattr(module, "read_header", slow)
    told: list[int] = []
    looking = files.refresh_in_background(lambda: told.append(1))
    assert reading.wait(30)
    known = files.listing()
    listed.set()
    looking.join(30)
    assert [item["name"] for item in known["vae"]] == ["mse.safetensors"]
    assert known["checkpoints"] == []
    assert told == [1], "what was left out is told of"
    assert len(files.listing()["checkpoints"]) == 2


def test_a_refresh_in_the_background_tells_only_of_changes(root: Path) -> None:
    files = of(root)
    told: list[int] = []
    files.refresh_in_background(lambda: told.append(1)).join(30)
    files.refresh_in_background(lambda: told.append(2)).join(30)
    assert told == [1]


def test_a_person_may_insist_only_where_shapes_agree(root: Path) -> None:
    write_zeros(
        root / "vae" / "own.safetensors",
        known_shapes("vae_kl_f8_z4_ldm"),
        latent_loom__latent_space=json.dumps(OWN),
    )
    files = of(root)
    files.refresh()
    assert files.fits("latent", "sd1", "sdxl")
    assert files.fits("latent", "own", "sd1")
    assert not files.fits("latent", "sd1", "flux1")
    assert not files.fits("latent", "sd1", "nobody_knows")
    assert files.fits("text", "sd1", "sd1")
    assert not files.fits("text", "sd1", "sd2")
