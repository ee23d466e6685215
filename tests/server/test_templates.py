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
    for made in bench.events(Produced):
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
