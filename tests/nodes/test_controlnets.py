"""A ControlNet is typed by its family, told from models of others, and steers its own."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from diffusion.checkpoint import CheckpointTrouble
from diffusion.controlnet import ControlNet as Network
from diffusion.denoiser import Denoiser
from diffusion.levels import ddpm_levels
from diffusion.memory import Memory
from diffusion.prediction import PREDICTIONS
from diffusion.spaces import LATENT_SPACES
from diffusion.unet import UNetConfig
from graph.cancel import Cancel
from graph.check import CheckResult, check
from graph.files import FileFacts
from graph.workflow import Workflow
from nodes.controlnet import apply_controlnet, load_controlnet
from nodes.model_sampling import rescale_cfg
from nodes.sockets import BadValue, ControlNet, ControlNetFile, Image, Model, size_in_bytes
from server.catalogue import Catalogue
from server.worker_services import RunModels
from tests.diffusion.files import Shapes, known_shapes, write_zeros
from tests.diffusion.test_controlnet import steering_net
from tests.diffusion.test_unet_families import SD2, SDXL, small
from tests.helpers.every_space import definitions, node

HINT: Shapes = {"input_hint_block.0.weight": (16, 3, 3, 3)}
CONDITION: Shapes = {"controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3)}
ATTENTION = "transformer_blocks.0.attn2.to_k.weight"
CONTROLNETS: dict[str, tuple[str, Shapes]] = {
    "sd15": ("sd15", {**HINT, f"input_blocks.1.1.{ATTENTION}": (320, 768)}),
    "sd2": ("sd2", {**HINT, f"input_blocks.1.1.{ATTENTION}": (320, 1024)}),
    "sdxl": ("sdxl", {**HINT, f"input_blocks.4.1.{ATTENTION}": (640, 2048)}),
    "sd15-diffusers": (
        "sd15", {**CONDITION, f"down_blocks.1.attentions.0.{ATTENTION}": (640, 768)}
    ),
    "sdxl-diffusers": (
        "sdxl", {**CONDITION, f"down_blocks.1.attentions.0.{ATTENTION}": (640, 2048)}
    ),
    "flux-xlabs": (
        "flux1",
        {"controlnet_blocks.0.weight": (3072, 3072),
         "double_blocks.0.img_attn.qkv.weight": (9216, 3072)},
    ),
    "flux-instantx": ("flux1", {"controlnet_x_embedder.weight": (3072, 64)}),
    "sd3": (
        "sd3",
        {"controlnet_blocks.0.weight": (1536, 1536),
         "pos_embed_input.proj.weight": (1536, 16, 2, 2)},
    ),
}  # fmt: skip
"""What the files of published ControlNets hold at least, and the family that they steer."""

MODELS = {
    "sd15": "unet_sd15_ldm",
    "sd2": "unet_sd2_ldm",
    "sdxl": "unet_sdxl_ldm",
    "sdxl_refiner": "unet_sdxl_refiner_ldm",
    "sd3": "sd3_medium_mmdit",
    "flux1": "flux1_dev",
    "flux2": "flux2_dev",
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = tmp_path_factory.mktemp("shelf")
    for family, header in MODELS.items():
        path = folder / "models" / "diffusion_models" / f"{family}.safetensors"
        write_zeros(path, known_shapes(header))
    for name, (_, shapes) in CONTROLNETS.items():
        write_zeros(folder / "models" / "controlnet" / f"{name}.safetensors", shapes)
    (folder / "input").mkdir()
    return Catalogue((folder / "models",), folder / "input", folder / "models.json")


def checked(model: str, control: str, shelf: Catalogue) -> CheckResult:
    flow = Workflow(
        nodes={
            "file": node("load_diffusion_model", {"file": f"{model}.safetensors"}),
            "control": node("load_controlnet", {"file": f"{control}.safetensors"}),
            "apply": node("apply_controlnet", model="file.model", control="control.controlnet"),
        }
    )
    return check(flow, definitions(), shelf, wanted=("apply",))


@pytest.mark.parametrize(("model", "control"), list(itertools.product(MODELS, CONTROLNETS)))
def test_a_controlnet_meets_a_model_of_its_own_family_and_no_other(
    shelf: Catalogue, model: str, control: str
) -> None:
    result = checked(model, control, shelf)
    told = [item for item in result.blocking if item.code == "space_mismatch"]
    assert (not told) == (CONTROLNETS[control][0] == model)
    assert {item.node for item in told} <= {"apply"}


RUNNABLE = {"sd15", "sd2", "sdxl", "sd15-diffusers", "sdxl-diffusers"}


@pytest.mark.parametrize("control", CONTROLNETS)
def test_one_that_cannot_run_is_said_so_before_anything_runs(
    shelf: Catalogue, control: str
) -> None:
    result = checked(CONTROLNETS[control][0], control, shelf)
    told = [item for item in result.blocking if item.code == "not_runnable"]
    assert (not told) == (control in RUNNABLE)
    for flaw in told:
        assert flaw.node == "control"
        assert f"cannot run {control}.safetensors: It is a ControlNet" in flaw.message
        assert "recognised and" in flaw.message


def test_applying_adds_to_what_steers_the_model_already() -> None:
    class Facts:
        def of(self, file: Any) -> FileFacts:
            return FileFacts(name=file.name, kind="controlnet", spaces={"latent": ("sd1",)})

    file: ControlNetFile[Any, Any] = ControlNetFile("canny.safetensors", Path("canny"), "content")
    control = load_controlnet(file, facts=Facts())  # type: ignore[arg-type]
    assert (control.path, control.latent_space) == (Path("canny"), "sd1")
    model: Model[Any, Any] = Model(Path("x"), "content")
    image = Image(torch.rand(1, 8, 8, 3))
    once = apply_controlnet(model, control, image, 0.5)
    twice = apply_controlnet(once, control, image, 1.0, 0.2, 0.8)
    assert model.steering == ()
    assert [(one.strength, one.begin, one.end) for one in twice.steering] == [
        (0.5, 0.0, 1.0), (1.0, 0.2, 0.8)
    ]  # fmt: skip
    assert all(one.pictures is image.pixels for one in twice.steering)
    assert size_in_bytes(twice) is not None  # so that a cache can hold it
    with pytest.raises(BadValue, match=r"its start, 0\.9, is not before its end, 0\.4"):
        apply_controlnet(model, control, image, 1.0, 0.9, 0.4)


def models_with(unet: UNetConfig, steering: UNetConfig) -> RunModels:
    network, net = small(unet), steering_net(steering)

    class Engine:
        memory = Memory(None)

        def denoiser(self, *args: Any, **options: Any) -> Denoiser:
            levels, space = ddpm_levels(), LATENT_SPACES["sd1"]
            return Denoiser(network, PREDICTIONS["epsilon"], levels, space)

        def controlnet(self, path: Path, check: Any) -> Any:
            assert path == Path("canny.safetensors")
            return net

    return RunModels(Engine(), Cancel())  # type: ignore[arg-type]


PLAIN: Model[Any, Any] = Model(Path("model.safetensors"), "content")
CANNY: ControlNet[Any, Any] = ControlNet(Path("canny.safetensors"), "content")


def test_a_workers_denoiser_is_steered_by_the_loaded_networks() -> None:
    models = models_with(SD2, SD2)
    image = Image(torch.rand(1, 8, 8, 3))
    made = models.denoiser(apply_controlnet(PLAIN, CANNY, image, 0.5, 0.1, 0.9))
    (one,) = made.controls
    assert isinstance(one.module, Network)
    assert (one.strength, one.begin, one.end) == (0.5, 0.1, 0.9)
    assert models.denoiser(PLAIN).controls == ()
    assert models.denoiser(rescale_cfg(PLAIN, 0.4)).rescale == 0.4


@pytest.mark.parametrize(
    "other",
    [replace(SD2, residual_blocks=1), replace(SD2, channels=(32, 64), depths=(1, 1)), SDXL],
    ids=["fewer blocks", "fewer levels", "sizes beside the prompt"],
)
def test_a_model_with_other_blocks_than_its_family_has_is_not_steered_into_an_error_of_shapes(
    other: UNetConfig,
) -> None:
    steered = apply_controlnet(PLAIN, CANNY, Image(torch.rand(1, 8, 8, 3)))
    with pytest.raises(CheckpointTrouble, match=r"canny\.safetensors cannot steer model\.safeten"):
        models_with(other, SD2).denoiser(steered)
