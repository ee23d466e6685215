"""A LoRA enters a model of its own family and no other, from file headers to the picture."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from graph.check import CheckResult, check
from graph.edits import apply
from graph.events import Produced
from graph.workflow import PlacedNode, Workflow
from nodes.loras import load_lora, load_lora_model_only
from nodes.sockets import Clip, LoraFile, Model
from server.catalogue import Catalogue
from server.settings import Settings
from tests.diffusion.files import Shapes, known_shapes, write_zeros
from tests.helpers.bench import Bench, with_models
from tests.helpers.every_space import definitions, node
from tests.helpers.tiny_families import tiny_family


def both(layer: str, rows: int, columns: int, rank: int = 4) -> Shapes:
    return {f"{layer}.lora_up.weight": (rows, rank), f"{layer}.lora_down.weight": (rank, columns)}


CROSS = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
LORAS: dict[str, Shapes] = {
    "sd15": both(CROSS, 640, 768),
    "sd2": both(CROSS, 640, 1024),
    "sdxl": both(CROSS, 640, 2048),
    "sdxl_refiner": both(CROSS, 768, 1280),
    "sd3": both("lora_unet_joint_blocks_0_x_block_attn_qkv", 4608, 1536),
    "flux1": both("lora_unet_double_blocks_0_img_attn_qkv", 9216, 3072),
    "flux2": both("lora_unet_double_stream_modulation_img_lin", 36864, 6144),
}
"""What a LoRA of each family holds at least."""

MODELS = {
    "sd15": "unet_sd15_ldm",
    "sd2": "unet_sd2_ldm",
    "sdxl": "unet_sdxl_ldm",
    "sdxl_refiner": "unet_sdxl_refiner_ldm",
    "sd3": "sd3_medium_mmdit",
    "flux1": "flux1_dev",
    "flux2": "flux2_dev",
}
"""A published header of each family."""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = tmp_path_factory.mktemp("shelf")
    for family, header in MODELS.items():
        path = folder / "models" / "diffusion_models" / f"{family}.safetensors"
        write_zeros(path, known_shapes(header))
        write_zeros(folder / "models" / "loras" / f"{family}.safetensors", LORAS[family])
    strange = both("layer", 4, 4)
    write_zeros(folder / "models" / "loras" / "strange.safetensors", strange)
    (folder / "input").mkdir()
    return Catalogue((folder / "models",), folder / "input", folder / "models.json")


def with_lora(model: str, lora: str) -> Workflow:
    return Workflow(
        nodes={
            "file": node("load_diffusion_model", {"file": f"{model}.safetensors"}),
            "lora": node(
                "load_lora_model_only", {"file": f"{lora}.safetensors"}, model="file.model"
            ),
            "levels": node("basic_scheduler", model="lora.model"),
        }
    )


def checked(model: str, lora: str, shelf: Catalogue) -> CheckResult:
    return check(with_lora(model, lora), definitions(), shelf, wanted=("levels",))


@pytest.mark.parametrize(("model", "lora"), list(itertools.product(MODELS, LORAS)))
def test_a_lora_enters_a_model_of_its_own_family_and_no_other(
    shelf: Catalogue, model: str, lora: str
) -> None:
    found = checked(model, lora, shelf).blocking
    assert (not [item for item in found if item.code == "space_mismatch"]) == (model == lora)
    assert {item.code for item in found} <= {"space_mismatch"}
    assert {item.node for item in found} <= {"lora"}


def test_a_lora_of_another_family_is_refused_with_a_sentence(shelf: Catalogue) -> None:
    found = list(checked("sdxl", "sd15", shelf).blocking)
    assert {item.code for item in found} == {"space_mismatch"}
    assert any(
        "sdxl.safetensors" in item.message
        and "sd15.safetensors" in item.message
        and "SD 1.x" in item.message
        and "SDXL" in item.message
        for item in found
    )
    assert any(fix.title == "Load sdxl.safetensors in Load LoRA (Model Only)"
               for item in found for fix in item.fixes)  # fmt: skip


def test_every_way_out_of_a_wrong_lora_leads_out(shelf: Catalogue) -> None:
    flow = with_lora("sdxl", "sd15")
    found = check(flow, definitions(), shelf, wanted=("levels",)).blocking
    assert [fix for item in found for fix in item.fixes]
    for fix in (fix for item in found for fix in item.fixes):
        after = check(apply(flow, fix.edits), definitions(), shelf, wanted=("levels",))
        assert after.blocking == (), fix.title


def test_a_lora_that_nobody_knows_is_let_in_with_a_warning(shelf: Catalogue) -> None:
    result = checked("sdxl", "strange", shelf)
    assert result.runnable
    assert [item.code for item in result.problems] == ["unidentified"]


class Facts:
    """Every file is of use."""

    def of(self, file: Any) -> None:
        return None


def test_loras_are_kept_in_order_and_one_of_no_strength_is_left_out() -> None:
    one, other = (LoraFile[Any, Any](name, Path(name), name) for name in ("one", "other"))
    model: Model[Any, Any] = Model(Path("m"), "m")
    clip: Clip[Any] = Clip(Path("m"), "m")
    with_facts: dict[str, Any] = {"facts": Facts()}
    first = load_lora(model, clip, one, 0.5, 0.0, **with_facts)
    second = load_lora_model_only(first.model, other, -1.0, **with_facts)
    assert [(lora.content, lora.strength) for lora in second.loras] == [("one", 0.5), ("other", -1)]
    assert first.clip.loras == ()
    assert model.loras == ()


def test_a_lora_changes_the_picture_and_none_of_it_changes_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    tiny_family(models / "checkpoints" / "tiny.safetensors", "sd2")
    layer = "lora_unet_middle_block_1_transformer_blocks_0_attn2_to_v"
    words = "lora_te_text_model_encoder_layers_0_mlp_fc1"
    generator = torch.Generator().manual_seed(0)
    shapes = {**both(layer, 64, 64), **both(words, 128, 64)}
    tensors = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    (models / "loras").mkdir()
    declared = {"latent_loom.text_space": '{"id": "sd2"}'}
    save_file(tensors, models / "loras" / "style.safetensors", declared)
    bench = Bench(with_models(settings, models))

    def picture(model: float, clip: float) -> bytes:
        lora = node(
            "load_lora",
            {"file": "style.safetensors", "strength_model": model, "strength_clip": clip},
            model="file.model",
            clip="file.clip",
        )
        return drawn(bench, lora if model or clip else None)

    plain = picture(0, 0)
    seen = {plain, picture(1, 0), picture(0, 1), picture(1, 1), picture(-1, 0)}
    assert len(seen) == 5
    off = node(
        "load_lora",
        {"file": "style.safetensors", "strength_model": 0.0, "strength_clip": 0.0},
        model="file.model",
        clip="file.clip",
    )
    assert drawn(bench, off) == plain


def drawn(bench: Bench, lora: PlacedNode | None) -> bytes:
    """The file of the picture that the small model makes, with the LoRA in it."""
    source = "lora" if lora else "file"
    nodes = {
        "file": node("load_checkpoint", {"file": "tiny.safetensors"}),
        **({"lora": lora} if lora else {}),
        "words": node("clip_text_encode", {"text": "a dog"}, clip=f"{source}.clip"),
        "empty": node("empty_latent", {"width": 64, "height": 64}),
        "sampler": node(
            "k_sampler", {"steps": 2, "seed": 5}, model=f"{source}.model", latent="empty.latent",
            positive="words.conditioning", negative="words.conditioning",
        ),
        "decode": node("vae_decode", latent="sampler.latent", vae="file.vae"),
        "show": node("preview_image", image="decode.image"),
    }  # fmt: skip
    before = len(bench.events(Produced))
    ended = bench.run(Workflow(nodes=nodes).to_json())
    assert (ended.status, ended.error) == ("finished", None)
    (made,) = bench.events(Produced)[before:]
    return (bench.settings.temp / made.file).read_bytes()
