"""Every workflow that ships opens, checks with what ships, and does what its title says."""

from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

from diffusion.quality import psnr
from graph.check import check
from graph.events import Produced
from graph.migrations import load_text
from graph.workflow import Workflow
from server.catalogue import Catalogue
from server.settings import ROOT, Settings
from server.workflow_files import templates
from tests.helpers.bench import Bench
from tests.helpers.every_space import definitions

pytestmark = pytest.mark.starter

TEMPLATES = sorted((ROOT / "workflows").glob("*.json"))


def opened(name: str) -> Workflow:
    loaded = load_text((ROOT / "workflows" / f"{name}.json").read_text("utf-8"))
    assert not loaded.read_only
    assert loaded.problems == ()
    return loaded.workflow


@pytest.fixture
def bench(settings: Settings) -> Bench:
    return Bench(Settings.of(data=settings.data, device="cpu", precision="float32"))


def pictures(bench: Bench, flow: Workflow) -> dict[str, torch.Tensor]:
    """The first picture of each node that shows one, (1, height, width, 3) in 0…1."""
    ended = bench.run(flow.to_json())
    assert (ended.status, ended.error) == ("finished", None)
    found = {}
    for made in (event for event in bench.events(Produced) if event.kind == "image"):
        folder = bench.settings.output if made.area == "output" else bench.settings.temp
        with Image.open(folder / made.file) as picture:
            pixels = numpy.asarray(picture.convert("RGB"), dtype=numpy.float32)
        found[made.node] = torch.from_numpy(pixels)[None] / 255
    return found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_has_no_problem_with_the_files_that_ship(path: Path, settings: Settings) -> None:
    files = Catalogue((ROOT / "models",), settings.input, settings.cache / "models.json")
    flow = opened(path.stem)
    result = check(flow, definitions(), files)
    assert result.problems == ()
    assert result.runnable
    assert {*flow.layout.nodes} == {*flow.nodes}, "every node has its place"


def test_every_template_says_what_it_does_and_has_a_picture() -> None:
    shipped = templates(ROOT / "workflows")
    assert next(entry.name for entry in shipped) == "text-to-image", "the place to begin"
    assert all(entry.description and entry.picture for entry in shipped)


RED, GREEN, BLUE = (0.87, 0.13, 0.13), (0.14, 0.62, 0.23), (0.13, 0.3, 0.87)
PURPLE, ORANGE, YELLOW = (0.5, 0.15, 0.65), (1.0, 0.5, 0.1), (0.98, 0.85, 0.15)
WHITE = (1.0, 1.0, 1.0)


def share(picture: torch.Tensor, colour: tuple[float, float, float]) -> float:
    """How much of the picture is near the colour."""
    apart = (picture - torch.tensor(colour)).abs().amax(dim=-1)
    return float((apart < 0.22).float().mean())


SHOWS = {
    "text-to-image": ("7", (128, 128), {RED: 0.3, WHITE: 0.3}),
    "image-to-image": ("8", (128, 128), {GREEN: 0.15, WHITE: 0.3}),
    "inpaint": ("9", (128, 128), {RED: 0.02, GREEN: 0.01, WHITE: 0.7}),
    "outpaint": ("10", (128, 128), {GREEN: 0.7, WHITE: 0.04, PURPLE: 0.02}),
    "hires-fix": ("9", (192, 192), {RED: 0.3, WHITE: 0.3}),
    "two-models-one-picture": ("12", (128, 128), {YELLOW: 0.3, WHITE: 0.3}),
    "vae-compare": ("7", None, {YELLOW: 0.3, WHITE: 0.05}),
    "xy-grid": ("6", None, {ORANGE: 0.06, BLUE: 0.3}),
    "what-the-garbage-looks-like": ("8", (128, 128), {RED: 0.3, WHITE: 0.3}),
}
"""The node that shows the picture, its size, and how much of it at least is of each colour that
the prompt names."""


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_runs_on_the_starter_and_shows_what_its_prompt_says(
    path: Path, bench: Bench
) -> None:
    bench.settings.make_folders()
    node, size, colours = SHOWS[path.stem]
    made = pictures(bench, opened(path.stem))[node][0]
    assert size is None or tuple(made.shape[:2]) == size
    found = {colour: share(made, colour) for colour in colours}
    assert all(found[colour] >= least for colour, least in colours.items()), found


def test_the_garbage_is_garbage_and_the_bridge_is_not(bench: Bench) -> None:
    flow = opened("what-the-garbage-looks-like")
    assert flow.nodes["9"].inputs["latent"].allow == ("starter", "starter-b")
    made = pictures(bench, flow)
    right, wrong, bridged = (made[id_] for id_ in ("8", "10", "13"))
    assert psnr(wrong, right) < 15
    assert psnr(bridged, right) > 24  # two round trips through VAEs of 28 dB and more


def test_without_the_allowance_the_garbage_is_refused(settings: Settings) -> None:
    files = Catalogue((ROOT / "models",), settings.input, settings.cache / "models.json")
    data = opened("what-the-garbage-looks-like").to_json()
    del data["nodes"]["9"]["inputs"]["latent"]["allow"]
    result = check(Workflow.model_validate(data), definitions(), files)
    found = [(item.code, item.node, item.socket) for item in result.blocking]
    assert found == [("space_mismatch", "9", "latent")]


def test_two_models_make_one_picture(bench: Bench) -> None:
    flow = opened("two-models-one-picture")
    made = pictures(bench, flow)["12"]
    middle = made[0, made.shape[1] // 2, made.shape[2] // 2]
    assert middle[0] > 0.6 > 0.4 > middle[2], "the second prompt's yellow"
    assert middle[1] > 0.5
    assert made[0, 4, 4].min() > 0.8, "the first model's white background"
