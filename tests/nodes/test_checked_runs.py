"""What the checker lets through runs: never a torch error about shapes, whatever is wired."""

import random
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file

from diffusion.families.text import PROTOCOLS
from graph.check import check
from graph.events import Produced
from graph.workflow import Workflow
from server.catalogue import Catalogue
from server.settings import Settings
from tests.diffusion.small_flux import flux_config, write_flux
from tests.diffusion.small_flux2 import LAST, write_checkpoint
from tests.diffusion.small_sd3 import write_sd3
from tests.diffusion.test_upscaler import compact
from tests.helpers.bench import Bench, with_models
from tests.helpers.every_space import definitions, node
from tests.helpers.random_workflows import Grower
from tests.helpers.tiny_families import tiny_controlnet, tiny_family
from tests.helpers.tiny_model import tiny_checkpoint, tiny_vae

SHAPES = re.compile(
    r"shape|size of tensor|mat1|dimension|channels|sizes of tensors|broadcast|expected input"
    r"|would be garbage|cannot steer",
    re.IGNORECASE,
)
"""Words of errors about shapes and spaces of tensors, in torch's sentences and in ours."""

FROM_FILES = {
    "load_clip", "load_two_clips", "load_three_clips", "load_diffusion_model", "load_tiny_vae",
    "load_latent",
}  # fmt: skip
"""What loads files that are not on the bench; its other loaders stand for these."""

NEWEST = tuple(
    sorted(
        name
        for name, one in definitions().items()
        if one.category in ("conditioning", "utilities")
        or name in ("dual_cfg_guider", "rescale_cfg", "k_sampler", "sampler_custom_advanced",
                    "canny_edges", "image_batch", "blend_images", "composite_images")
    )
)  # fmt: skip
"""What steers a model, and what mixes pictures to steer it by."""


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
    tiny_family(files / "sd1-steered.safetensors", "sd1")
    tiny_controlnet(folder / "models" / "controlnet" / "lines.safetensors")
    tiny_vae(folder / "models" / "vae" / "tiny-b.safetensors")
    layer = "lora_unet_input_blocks_1_1_transformer_blocks_0_attn2_to_k"
    beside = {
        "upscale_models": compact(2),
        "embeddings": {"emb_params": torch.ones(2, 768)},
        "loras": {
            f"{layer}.lora_down.weight": torch.ones(2, 768),
            f"{layer}.lora_up.weight": torch.ones(320, 2),
        },
    }
    for kind, tensors in beside.items():
        path = folder / "models" / kind / "word.safetensors"
        path.parent.mkdir()
        save_file(tensors, path)
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


OFTEN = settings(
    deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
SEEDS = st.integers(0, 2**32)


@settings(OFTEN, max_examples=30)
@given(seed=SEEDS, size=st.integers(2, 12))
def test_a_workflow_that_checks_never_fails_over_shapes(bench: Bench, seed: int, size: int) -> None:
    never_fails_over_shapes(bench, grown(bench, seed, size))


@settings(OFTEN, max_examples=15)
@given(seed=SEEDS, size=st.integers(4, 14))
def test_nor_does_one_of_prompts_put_together_and_of_what_steers(
    bench: Bench, seed: int, size: int
) -> None:
    grower = Grower(definitions(), files_of(bench), random.Random(seed))
    grower.start(first=("sd1-steered.safetensors",))
    never_fails_over_shapes(bench, grower.grow(size, NEWEST))


def never_fails_over_shapes(bench: Bench, flow: Workflow) -> None:
    for id_ in flow.nodes:
        if check(flow, definitions(), files_of(bench), wanted=(id_,)).blocking:
            continue  # an Empty Latent whose model disagrees with what came later
        ended = bench.run(flow.to_json(), id_)
        told = ended.error or ""
        assert ended.status == "finished" or not SHAPES.search(told), (id_, told)


def test_the_random_workflows_hold_every_node_there_is(bench: Bench) -> None:
    files = files_of(bench)
    left = set(definitions()) - FROM_FILES
    for seed in range(40):
        grower = Grower(definitions(), files, random.Random(seed))
        grower.start(3)
        left -= {node.type for node in grower.grow(len(left), sorted(left)).nodes.values()}
        if not left:
            break
    assert left == set()


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
