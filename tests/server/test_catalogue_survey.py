"""Every kind of evidence counts, the answer reaches the checker, and another file is another."""

import json
import os
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from diffusion.header import read_header
from diffusion.identity import hashes
from server import catalogue_evidence, catalogue_survey
from tests.diffusion.test_probe import MODELS, bare
from tests.server.vae_shelf import Shelf, table_with, tiny, trial_of

NAME = "tiny.safetensors"


class Stop(Exception):
    """Somebody wants the survey to end."""


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    tiny(tmp_path / "models" / "vae" / NAME)
    return Shelf(tmp_path)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch):
    """A function that makes a file the only published one."""

    def publish(path: Path, space: str) -> None:
        table = table_with(path, space)
        for module in (hashes, catalogue_survey):
            monkeypatch.setattr(module, "known_hashes", lambda: table)

    return publish


def test_before_and_after_the_survey_an_unknown_file_has_its_candidates(shelf: Shelf) -> None:
    before = shelf.facts(NAME)
    assert (before.spaces, before.rule, before.findings) == ({"latent": ("sd1", "sdxl")}, "", ())
    assert shelf.look()
    after = shelf.facts(NAME)
    assert after.spaces == before.spaces
    assert (after.rule, after.choices) == ("header", ("sd1", "sdxl"))
    assert [item.layer for item in after.findings] == ["header"]
    assert after.content == before.content
    assert not shelf.look()  # nothing new


def test_a_published_file_is_known_by_its_hash(shelf: Shelf, published) -> None:
    published(shelf.models / "vae" / NAME, "sdxl")
    before = shelf.facts(NAME)
    shelf.look()
    facts = shelf.facts(NAME)
    assert facts.spaces == {"latent": ("sdxl",)}
    assert (facts.rule, facts.certainty) == ("hash", "certain")
    assert "published.safetensors" in facts.evidence
    assert facts.content != before.content  # what was computed before is not taken from the cache
    assert shelf.wanted() == []


def test_a_copy_in_half_precision_of_a_published_file_is_known_by_its_tensors(
    shelf: Shelf, published
) -> None:
    published(shelf.models / "vae" / NAME, "sd1")
    tiny(shelf.models / "vae" / "saved-again.safetensors", half=True)
    tiny(shelf.models / "vae" / "another.safetensors", seed=1)
    shelf.look()
    facts = shelf.facts("saved-again.safetensors")
    assert (facts.spaces["latent"], facts.rule, facts.certainty) == (("sd1",), "hash", "certain")
    assert shelf.spaces("another.safetensors") == ("sd1", "sdxl")


def test_metadata_make_it_likely_and_a_trial_is_wanted(shelf: Shelf) -> None:
    told = {"modelspec__architecture": "stable-diffusion-xl-v1-base/vae"}
    tiny(shelf.models / "vae" / "told.safetensors", 1, **told)
    shelf.look()
    facts = shelf.facts("told.safetensors")
    assert (facts.spaces["latent"], facts.rule) == (("sdxl",), "metadata")
    assert facts.certainty == "likely"
    assert shelf.wanted() == [NAME, "told.safetensors"]


def test_a_config_beside_the_file_is_read_at_every_look(shelf: Shelf) -> None:
    folder = shelf.models / "vae" / "xl"
    name = "xl/diffusion_pytorch_model.safetensors"
    tiny(shelf.models / "vae" / name, 1)
    shelf.look()
    assert shelf.spaces(name) == ("sd1", "sdxl")
    config = {"_class_name": "AutoencoderTiny", "scaling_factor": 0.13025, "latent_channels": 4}
    (folder / "config.json").write_text(json.dumps(config))
    assert shelf.look()
    facts = shelf.facts(name)
    assert (facts.spaces["latent"], facts.certainty) == (("sdxl",), "likely")


def test_a_trial_makes_it_certain_and_is_kept(shelf: Shelf) -> None:
    shelf.look()
    assert shelf.wanted() == [NAME]
    shelf.tried(NAME, trial_of("sdxl"))
    facts = shelf.facts(NAME)
    assert (facts.spaces["latent"], facts.rule, facts.certainty) == (("sdxl",), "probe", "certain")
    assert shelf.wanted() == []
    again = Shelf(shelf.root)  # even before its own survey
    assert again.spaces(NAME) == ("sdxl",)
    assert not again.look()
    assert again.wanted() == []


def test_a_vae_that_cannot_be_tried_is_not_tried_again(shelf: Shelf) -> None:
    shelf.look()
    shelf.tried(NAME, None)
    assert shelf.wanted() == []
    assert shelf.spaces(NAME) == ("sd1", "sdxl")


def test_copies_are_tried_once(shelf: Shelf) -> None:
    shutil.copy(shelf.models / "vae" / NAME, shelf.models / "vae" / "copy.safetensors")
    shelf.look()
    assert len(shelf.wanted()) == 1
    shelf.tried(NAME, trial_of("sd1"))
    assert shelf.spaces("copy.safetensors") == shelf.spaces(NAME) == ("sd1",)


def test_a_contradiction_is_told_and_does_not_hide(shelf: Shelf) -> None:
    told = {"modelspec__architecture": "stable-diffusion-v1/vae"}
    tiny(shelf.models / "vae" / "liar.safetensors", 1, **told)
    shelf.look()
    shelf.tried("liar.safetensors", trial_of("sdxl"))
    facts = shelf.facts("liar.safetensors")
    assert (facts.spaces["latent"], facts.rule) == (("sdxl",), "probe")
    assert facts.contradiction.startswith("But its metadata says SD 1.x")


def test_the_users_statement_wins_over_a_trial_which_is_told_as_against_it(shelf: Shelf) -> None:
    shelf.look()
    shelf.tried(NAME, trial_of("sdxl"))
    shelf.say(NAME, "sd1")
    facts = shelf.facts(NAME)
    assert (facts.spaces["latent"], facts.rule, facts.certainty) == (
        ("sd1",), "statement", "certain",
    )  # fmt: skip
    assert "says SDXL" in facts.contradiction
    shelf.say(NAME, None)
    assert shelf.spaces(NAME) == ("sdxl",)
    assert shelf.facts(NAME).contradiction == ""


def test_a_statement_survives_a_start_and_a_new_name(shelf: Shelf) -> None:
    shelf.look()
    shelf.say(NAME, "sdxl")
    again = Shelf(shelf.root)
    assert again.spaces(NAME) == ("sdxl",)
    os.rename(again.models / "vae" / NAME, again.models / "vae" / "renamed.safetensors")
    again.look()
    assert again.spaces("renamed.safetensors") == ("sdxl",)


def test_a_statement_is_dropped_for_other_content_of_the_same_name(shelf: Shelf) -> None:
    shelf.look()
    shelf.say(NAME, "sdxl")
    other = tiny(shelf.root / "other.safetensors", 1)
    os.replace(other, shelf.models / "vae" / NAME)
    assert shelf.spaces(NAME) == ("sd1", "sdxl")  # at once, before anybody looked again
    shelf.look()
    assert shelf.spaces(NAME) == ("sd1", "sdxl")
    assert shelf.wanted() == [NAME]


def test_a_file_that_was_replaced_is_not_what_its_trial_said(shelf: Shelf) -> None:
    shelf.look()
    shelf.tried(NAME, trial_of("sdxl"))
    before = shelf.facts(NAME).content
    other = tiny(shelf.root / "other.safetensors", 1)
    os.replace(other, shelf.models / "vae" / NAME)
    assert shelf.spaces(NAME) == ("sd1", "sdxl")
    assert shelf.facts(NAME).content != before


@pytest.mark.starter
def test_the_starters_vae_is_known_by_its_encoder_and_certain_with_a_trial(tmp_path: Path) -> None:
    starter = MODELS / "checkpoints" / "starter.safetensors"
    (tmp_path / "models" / "checkpoints").mkdir(parents=True)
    (tmp_path / "models" / "vae").mkdir()
    shutil.copy(starter, tmp_path / "models" / "checkpoints" / "starter.safetensors")
    bare(starter, "first_stage_model.", tmp_path / "models" / "vae" / "lone.safetensors")
    bare(MODELS / "vae/starter-b.safetensors", "", tmp_path / "models" / "vae" / "b.safetensors")
    shelf = Shelf(tmp_path)
    shelf.look()
    facts = shelf.facts("lone.safetensors")
    assert (facts.spaces["latent"], facts.rule) == (("starter",), "signature")
    assert facts.certainty == "likely"  # one checkpoint is one witness
    assert "starter.safetensors" in facts.evidence
    assert "starter" in facts.choices
    assert shelf.spaces("b.safetensors") == ()  # another encoder altogether
    # A second model with the same VAE is the second witness.
    tensors = load_file(starter)
    largest = max(
        (name for name in tensors if name.startswith("model.diffusion_model.")),
        key=lambda name: (tensors[name].nbytes, name),
    )
    tensors[largest] = tensors[largest] + 1
    target = tmp_path / "models" / "checkpoints" / "second.safetensors"
    save_file(tensors, target, metadata=dict(read_header(starter).metadata))
    shelf.look()
    assert shelf.facts("lone.safetensors").certainty == "certain"


@pytest.mark.starter
def test_a_checkpoint_with_a_strange_vae_inside_is_told(tmp_path: Path) -> None:
    starter = MODELS / "checkpoints" / "starter.safetensors"
    folder = tmp_path / "models" / "checkpoints"
    folder.mkdir(parents=True)
    metadata = dict(read_header(starter).metadata)
    tensors = load_file(starter)
    first = next(name for name in tensors if name.startswith("model.diffusion_model."))
    for number in range(2):
        witness = {**tensors, first: tensors[first] + number}
        save_file(witness, folder / f"{number}.safetensors", metadata=metadata)
    declared = json.loads(metadata["latent_loom.latent_space"])
    other = json.dumps({**declared, "id": "elsewhere", "title": "Elsewhere"})
    save_file(tensors, folder / "odd.safetensors",
              metadata={**metadata, "latent_loom.latent_space": other})  # fmt: skip
    shelf = Shelf(tmp_path)
    shelf.look()
    facts = shelf.facts("odd.safetensors", "checkpoints")
    assert facts.spaces["latent"] == ("elsewhere",)  # its header is sure
    assert "says Starter" in facts.contradiction


def test_what_is_read_is_told_file_by_file_and_survives_being_stopped(shelf: Shelf) -> None:
    for seed in (1, 2):
        tiny(shelf.models / "vae" / f"{seed}.safetensors", seed)
    shelf.files.refresh()
    looks = 0

    def stop() -> None:
        nonlocal looks
        looks += 1
        if shelf.told == 2:
            raise Stop

    known, spaces = shelf.files.known(), shelf.files.latent_spaces()
    with pytest.raises(Stop):
        shelf.survey.look(known, spaces, stop, shelf._tell)
    assert looks > 2
    again = Shelf(shelf.root)
    assert sum(again.facts(name).rule == "header" for name in again.files.names("vae")) == 2
    assert again.look()


@pytest.mark.parametrize(
    "file", ["contents.json", "evidence.json", "trials.json", "identities.json"]
)
@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 1, "files": 3}'])
def test_a_broken_cache_costs_nothing_but_time(shelf: Shelf, file: str, text: str) -> None:
    shelf.look()
    shelf.say(NAME, "sdxl")
    (shelf.root / "cache" / f"{file}.json").write_text(text)
    again = Shelf(shelf.root)
    again.look()
    assert again.spaces(NAME) == ("sdxl",)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"statements": 3}', '{"statements": {"a": 1}}'])
def test_broken_statements_do_not_count_and_break_nothing(shelf: Shelf, text: str) -> None:
    shelf.look()
    shelf.say(NAME, "sdxl")
    (shelf.root / "statements.json").write_text(text)
    again = Shelf(shelf.root)
    assert again.spaces(NAME) == ("sd1", "sdxl")
    again.look()
    again.say(NAME, "sd1")
    assert Shelf(shelf.root).spaces(NAME) == ("sd1",)


def test_another_process_hears_of_what_is_found_and_said(shelf: Shelf) -> None:
    worker = Shelf(shelf.root)
    assert worker.spaces(NAME) == ("sd1", "sdxl")
    shelf.look()
    assert worker.facts(NAME).rule == "header"
    shelf.say(NAME, "sdxl")
    assert worker.spaces(NAME) == ("sdxl",)


def test_files_that_are_no_vae_are_left_alone(tmp_path: Path) -> None:
    lora = tmp_path / "models" / "loras" / "x.safetensors"
    lora.parent.mkdir(parents=True)
    (tmp_path / "models" / "vae").mkdir()
    (tmp_path / "models" / "vae" / "bad.safetensors").write_bytes(b"no")
    shelf = Shelf(tmp_path)
    assert not shelf.look()
    assert shelf.wanted() == []


def test_a_newer_program_reads_anew_but_hashes_no_file_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.look()
    shelf.say(NAME, "sdxl")
    hashed: list[Path] = []
    monkeypatch.setattr(catalogue_evidence, "file_hash", lambda path, _: hashed.append(path) or "")
    monkeypatch.setattr(catalogue_survey, "evidence_version", lambda: "newer")
    again = Shelf(shelf.root)
    again.look()
    assert again.spaces(NAME) == ("sdxl",)
    assert hashed == []
