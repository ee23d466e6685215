"""One model in every form that files have it in: number formats, prefixes, what lies beside."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from diffusion.engine import Engine
from diffusion.header import CONVERT, FileTrouble, read_header
from diffusion.identity.flaws import flaws_of
from diffusion.identity.rules import recognise
from tests.diffusion.files import header_of, known_shapes
from tests.diffusion.small import SPACE, UNET, write_checkpoint
from tests.diffusion.small_flux import flux_config, write_flux
from tests.diffusion.small_sd3 import write_sd3

Tensors = dict[str, Tensor]
MODEL = "model.diffusion_model."

FORMATS = {
    "fp8_e4m3": torch.float8_e4m3fn,
    "fp8_e5m2": torch.float8_e5m2,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


def metadata_of(path: Path) -> dict[str, str]:
    with safe_open(path, "pt") as file:
        return dict(file.metadata())


def stored(path: Path, as_: torch.dtype, back: torch.dtype | None = None) -> Path:
    """The same file with its numbers in that format, or brought `back` to another after it."""
    made = {}
    for name, tensor in load_file(path).items():
        rounded = tensor.to(as_) if tensor.is_floating_point() else tensor
        made[name] = rounded.to(back) if back and tensor.is_floating_point() else rounded
    target = path.with_name(f"{path.stem}-{as_}-{back}.safetensors")
    save_file(made, target, metadata_of(path))
    return target


def answer(engine: Engine, path: Path) -> Tensor:
    """What the denoiser says of some latent."""
    denoiser = engine.denoiser(path)
    x = torch.randn(1, denoiser.space.channels, 8, 8, generator=torch.Generator().manual_seed(0))
    words = engine.text_encoder(path).encode("a b")
    return denoiser.denoise(x, 0.7, *denoiser.inputs(words, x.shape))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu", "float32")


@pytest.mark.parametrize("stored_as", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("family", ["sd15", "sd3", "flux1"])
def test_numbers_of_any_format_are_computed_in_the_devices(
    stored_as: torch.dtype, family: str, engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / f"{family}.safetensors"
    {"sd15": write_checkpoint, "sd3": write_sd3}.get(
        family, lambda path: write_flux(path, flux_config())
    )(path)
    narrow = stored(path, stored_as)
    wide = stored(path, stored_as, torch.float32)
    header = read_header(narrow)
    assert "not_runnable" not in {flaw.code for flaw in flaws_of(header, recognise(header))}
    first, second = answer(engine, narrow), answer(engine, wide)
    assert {tensor.dtype for tensor in engine.denoiser(narrow).module.parameters()} == {
        torch.float32
    }
    # A text encoder that is all of one 16-bit format is widened as it computes: the same numbers.
    assert torch.equal(first, second)
    assert first.std() > 0.01


@pytest.mark.parametrize("stored_as", FORMATS.values(), ids=FORMATS)
def test_the_parts_take_the_devices_format_whatever_the_file_has(
    stored_as: torch.dtype, tmp_path: Path
) -> None:
    path = tmp_path / "small.safetensors"
    write_checkpoint(path)
    half = Engine("cpu", "bfloat16")
    narrow = stored(path, stored_as)
    module = half.denoiser(narrow).module
    assert {tensor.dtype for tensor in module.parameters()} == {torch.bfloat16}
    like = half.precision.vae
    assert {tensor.dtype for tensor in half.vae(narrow).module.parameters()} == {like}


Change = Callable[[Tensors], Tensors]


def ema_and_not(tensors: Tensors) -> Tensors:
    """As `v1-5-pruned`: averages of the weights under names without dots, and training's own."""
    averages = {
        "model_ema." + name.removeprefix("model.").replace(".", ""): torch.randn_like(tensor)
        for name, tensor in tensors.items()
        if name.startswith(MODEL)
    }
    beside = {
        "model_ema.decay": torch.tensor(0.9999),
        "model_ema.num_updates": torch.tensor(470000, dtype=torch.int32),
        "alphas_cumprod": torch.rand(1000),
        "betas": torch.rand(1000),
        "first_stage_model.loss.logvar": torch.tensor(0.0),
    }
    return {**tensors, **averages, **beside}


def renamed(prefix: str) -> Change:
    def change(tensors: Tensors) -> Tensors:
        return {
            prefix + name.removeprefix(MODEL): tensor
            for name, tensor in tensors.items()
            if name.startswith(MODEL)
        }

    return change


BESIDE: dict[str, Change] = {
    "ema only": dict,
    "ema and not": ema_and_not,
    "old merge": lambda tensors: {
        name.replace("transformer.text_model.", "transformer."): t for name, t in tensors.items()
    },
}


@pytest.mark.parametrize("change", BESIDE.values(), ids=BESIDE)
def test_what_training_leaves_beside_a_model_changes_nothing(
    change: Change, engine: Engine, tmp_path: Path
) -> None:
    path, other = tmp_path / "plain.safetensors", tmp_path / "other.safetensors"
    write_checkpoint(path)
    save_file(change(load_file(path)), other, metadata_of(path))
    assert recognise(read_header(other)).parts == ("model", "clip", "vae")
    assert torch.equal(answer(engine, path), answer(engine, other))
    latent = torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(1))
    pictures = [engine.vae(one).decode(latent) for one in (path, other)]
    assert torch.equal(*pictures)


@pytest.mark.parametrize("prefix", [MODEL, "model.model.", "net.", "diffusion_model.",
                                    "transformer.", "unet.", "model.", ""])  # fmt: skip
def test_a_denoiser_alone_may_have_any_prefix(prefix: str, engine: Engine, tmp_path: Path) -> None:
    path, other = tmp_path / "plain.safetensors", tmp_path / "other.safetensors"
    write_checkpoint(path)
    space = {"latent_loom.latent_space": json.dumps(SPACE)}
    metadata = {**space, "latent_loom.architecture": metadata_of(path)["latent_loom.architecture"]}
    save_file(renamed(prefix)(load_file(path)), other, metadata)
    found = recognise(read_header(other))
    assert (found.kind, found.family) == ("diffusion_model", "sd15")
    assert found.prefixes == {"model": prefix}
    first, second = engine.denoiser(path).module, engine.denoiser(other).module
    assert first.config == second.config == UNET
    for one, same in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, same)


@pytest.mark.parametrize("name", ["flux1_dev", "sd35_medium_mmdit", "unet_sdxl_ldm"])
@pytest.mark.parametrize("prefix", [MODEL, "diffusion_model.", "transformer.", "model.", ""])
def test_published_denoisers_are_recognised_under_every_prefix(name: str, prefix: str) -> None:
    shapes = {prefix + key: shape for key, shape in known_shapes(name).items()}
    found = recognise(header_of(shapes))
    plain = recognise(header_of(known_shapes(name)))
    assert (found.family, found.variant) == (plain.family, plain.variant)
    assert found.prefixes == {"model": prefix}
    assert not flaws_of(header_of(shapes), found)


def test_a_lora_for_such_names_stays_a_lora() -> None:
    name = "diffusion_model.double_blocks.{}.img_attn.qkv.lora_{}.weight"
    shapes = {name.format(n, ab): (16, 3072) for n in range(19) for ab in "AB"}
    assert recognise(header_of(shapes)).kind == "lora"


@pytest.mark.parametrize("name", ["flux1_dev", "sd3_medium_mmdit"])
def test_an_all_in_one_file_holds_all_of_its_text_encoders(name: str) -> None:
    encoders = {"clip_l": "clip_l_hf", "t5xxl": "t5xxl_encoder"}
    if name.startswith("sd3"):
        encoders["clip_g"] = "clip_g_hf"
    vae = {"flux1_dev": "vae.", "sd3_medium_mmdit": "first_stage_model."}[name]
    shapes = {MODEL + key: shape for key, shape in known_shapes(name).items()}
    shapes |= {vae + key: s for key, s in known_shapes("vae_z16_ldm_flux1_or_sd3").items()}
    for encoder, header in encoders.items():
        start = f"text_encoders.{encoder}."
        shapes |= {f"{start}transformer.{key}": s for key, s in known_shapes(header).items()}
        shapes[start + "logit_scale"] = ()
    found = recognise(header_of(shapes))
    assert (found.kind, found.parts) == ("checkpoint", ("model", "clip", "vae"))
    assert found.family == recognise(header_of(known_shapes(name))).family
    assert not flaws_of(header_of(shapes), found)


@pytest.mark.parametrize("name", ["model.ckpt", "model.safetensors"])
def test_a_pickle_is_refused_with_the_way_out_whatever_its_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    torch.save({"state_dict": {"a": torch.zeros(2)}}, path)
    with pytest.raises(FileTrouble, match="convert it: python -c") as caught:
        read_header(path)
    assert "pickle" in caught.value.sentence


def test_the_command_that_the_refusal_names_makes_a_file_that_is_read(tmp_path: Path) -> None:
    lightning = {"state_dict": {"a.weight": torch.ones(2, 3), "step": 7}, "epoch": 2}
    torch.save(lightning, tmp_path / "OLD")
    command = CONVERT.replace("python", f'"{sys.executable}"', 1)
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    assert read_header(tmp_path / "NEW.safetensors").shapes == {"a.weight": (2, 3)}
