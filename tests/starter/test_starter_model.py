"""The shipped starter model does what its prompts say; the short form of `starter.proof`."""

from pathlib import Path

import pytest
from safetensors import safe_open

from diffusion.engine import Engine
from diffusion.opened import Opened
from starter.export import CHECKPOINT, SECOND_VAE
from starter.measure import unseen_scenes
from starter.proof import Shown, round_trip, show, wrong_vae

MEBIBYTE = 2**20

pytestmark = pytest.mark.starter


def shipped(path: Path) -> Path:
    assert path.exists(), f"{path.name} is not there, though it ships with the program"
    return path


@pytest.fixture(scope="module")
def engine() -> Engine:
    shipped(CHECKPOINT)
    return Engine(device="cpu")


@pytest.fixture(scope="module")
def shown(engine: Engine) -> list[Shown]:
    return list(show(engine, unseen_scenes(20)))


def test_the_files_are_small_enough_to_ship() -> None:
    assert shipped(CHECKPOINT).stat().st_size <= 48 * MEBIBYTE
    assert shipped(SECOND_VAE).stat().st_size <= 8 * MEBIBYTE


def test_the_checkpoint_is_stable_diffusion_1_with_spaces_of_its_own() -> None:
    opened = Opened.at(shipped(CHECKPOINT))
    assert opened.space is not None
    assert opened.space.id == "starter"
    assert {"model", "vae", "clip"} <= set(opened.identity.parts)
    second = Opened.at(shipped(SECOND_VAE))
    assert second.space is not None
    assert second.space.id == "starter-b"


def test_all_weights_are_finite_and_in_half_precision() -> None:
    for path in (shipped(CHECKPOINT), shipped(SECOND_VAE)):
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118  # not a dict
                tensor = file.get_tensor(name)
                assert str(tensor.dtype) == "torch.float16", name
                assert tensor.isfinite().all(), name


def test_unseen_prompts_get_their_colours(shown: list[Shown]) -> None:
    # 90 of 100 are promised; of the first 20, 18
    assert sum(item.verdict.colours for item in shown) >= 18


def test_two_things_stand_in_the_asked_order(shown: list[Shown]) -> None:
    orders = [item.verdict.order for item in shown if item.verdict.order is not None]
    assert len(orders) == 10
    assert sum(orders) >= 8  # 80 of 100 are promised


def test_shapes_can_be_told_by_their_outlines(shown: list[Shown]) -> None:
    shapes = [right for item in shown for right in item.verdict.shapes]
    assert len(shapes) == 30
    # of nine shapes a guess is right in 3 of 30; drawn pictures themselves reach 29
    assert sum(shapes) >= 25


def test_a_picture_survives_its_own_vae(engine: Engine) -> None:
    assert round_trip(engine, 32) >= 28


def test_the_other_vae_makes_garbage_of_starter_latents(engine: Engine) -> None:
    shipped(SECOND_VAE)
    assert wrong_vae(engine, 32) < 15


def test_the_other_vae_is_good_for_its_own_latents(engine: Engine) -> None:
    assert round_trip(engine, 32, shipped(SECOND_VAE)) >= 28
