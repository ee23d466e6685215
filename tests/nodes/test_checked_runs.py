"""What the checker lets through runs: never a torch error about shapes, whatever is wired."""

import random
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from diffusion.families.text import PROTOCOLS
from graph.check import check
from graph.events import Produced
from graph.workflow import Workflow
from server.catalogue import Catalogue
from server.settings import Settings
from tests.diffusion.small_flux import flux_config, write_flux
from tests.diffusion.small_flux2 import LAST, write_checkpoint
from tests.diffusion.small_sd3 import write_sd3
from tests.helpers.bench import Bench, with_models
from tests.helpers.every_space import definitions, node
from tests.helpers.random_workflows import Grower
from tests.helpers.tiny_families import tiny_family
from tests.helpers.tiny_model import tiny_checkpoint, tiny_vae

SHAPES = re.compile(
    r"shape|size of tensor|mat1|dimension|channels|sizes of tensors|broadcast|expected input",
    re.IGNORECASE,
)
"""Words of errors about the shapes of tensors, in torch's sentences and in ours."""


@pytest.fixture(scope="module")
def short_language_model() -> Iterator[None]:
    """FLUX.2 dev reads the layers 1, 2 and 3: 30 layers of 5120 numbers are no small file."""
    (part,) = PROTOCOLS["flux2_dev"].parts
    assert part.reading is not None
    reading = replace(part.reading, layers=(1, 2, LAST["flux2_dev"]))
    with pytest.MonkeyPatch.context() as patch:
        short = replace(PROTOCOLS["flux2_dev"], parts=(replace(part, reading=reading),))
        patch.setitem(PROTOCOLS, "flux2_dev", short)
        yield


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, short_language_model: None) -> Bench:
    """A worker with a small model of every architecture that runs."""
    folder = tmp_path_factory.mktemp("every")
    files = folder / "models" / "checkpoints"
    tiny_checkpoint(files / "sd1.safetensors")
    for name in ("sd2", "sd2_inpaint", "sdxl", "sdxl_edit", "sdxl_refiner"):
        tiny_family(files / f"{name}.safetensors", name)
    write_sd3(files / "sd3.safetensors")
    write_flux(files / "flux1.safetensors", flux_config())
    write_flux(files / "flux1-fill.safetensors", flux_config(beside=80))
    write_checkpoint(files / "flux2.safetensors", "flux2_dev", "mistral3_24b")
    tiny_vae(folder / "models" / "vae" / "tiny-b.safetensors")
    own = Settings.of(data=folder / "data")
    own.make_folders()
    Image.effect_noise((72, 88), 50).convert("RGBA").save(own.input / "noise.png")
    return Bench(with_models(own, folder / "models"))


def files_of(bench: Bench) -> Catalogue:
    settings = bench.settings
    return Catalogue(settings.models, settings.input, settings.cache / "test.json")


def grown(bench: Bench, seed: int, size: int) -> Workflow:
    grower = Grower(definitions(), files_of(bench), random.Random(seed))
    grower.start()
    return grower.grow(size)


@settings(
    max_examples=40, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(seed=st.integers(0, 2**32), size=st.integers(2, 12))
def test_a_workflow_that_checks_never_fails_over_shapes(bench: Bench, seed: int, size: int) -> None:
    flow = grown(bench, seed, size)
    for id_ in flow.nodes:
        if check(flow, definitions(), files_of(bench), wanted=(id_,)).blocking:
            continue  # an Empty Latent whose model disagrees with what came later
        ended = bench.run(flow.to_json(), id_)
        told = ended.error or ""
        assert ended.status == "finished" or not SHAPES.search(told), (id_, told)


def test_the_random_workflows_are_of_every_architecture_and_mostly_run(bench: Bench) -> None:
    used, ran, asked = set(), 0, 0
    for seed in range(12):
        flow = grown(bench, seed, 6)
        used |= {str(one.values["file"]) for one in flow.nodes.values() if "file" in one.values}
        last = list(flow.nodes)[-1]
        asked += 1
        ran += bench.run(flow.to_json(), last).status == "finished"
    assert {path.name for path in (bench.settings.models[0] / "checkpoints").iterdir()} <= used
    assert ran >= asked / 2


def test_what_a_node_tells_reaches_the_page(bench: Bench) -> None:
    flow = {
        "picture": node("load_image", {"file": "noise.png"}),
        "check": node("output_check", image="picture.image"),
    }
    before = len(bench.events(Produced))
    ended = bench.run(Workflow(nodes=flow).to_json(), "check")
    assert (ended.status, ended.error) == ("finished", None)
    (told,) = bench.events(Produced)[before:]
    assert (told.node, told.kind) == ("check", "text")
    assert told.data == "The picture looks like noise. No node before this one explains it."
