"""Denoisers that diffusers saved: recognised, read without its help, and equal to it in answer."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

pytest.importorskip("diffusers")

from diffusion.checkpoint import CheckpointTrouble, adopt
from diffusion.engine import Engine
from diffusion.header import read_header
from diffusion.identity.rules import recognise
from diffusion.layers import MissingTensor
from diffusion.networks import DENOISERS
from diffusion.opened import Opened
from tests.diffusion.small_diffusers import CASES, Case, saved

ATOL = 5e-5
"""float32 sums in another order, after up to some sixty layers; outputs are about 1."""

RUNNABLE = {name: case for name, case in CASES.items() if not name.startswith("flux2")}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def loaded(path: Path, dtype: torch.dtype = torch.float32) -> nn.Module:
    """The denoiser of the file, as the engine builds and fills it."""
    file = Opened.at(path)
    assert file.family is not None
    kind = file.family.network
    built = DENOISERS[kind.kind](file.shapes(""), kind, file.architecture)
    adopt(built.module, file.header, built.names, dtype=dtype, device=torch.device("cpu"))
    return built.module


@every_case
def test_the_answer_is_diffusers_own(case: Case, tmp_path: Path) -> None:
    theirs = saved(case, tmp_path / "model.safetensors")
    ours = loaded(tmp_path / "model.safetensors")
    expected = case.answer(theirs, case.inputs)
    torch.testing.assert_close(ours(**case.inputs), expected, atol=ATOL, rtol=0)
    assert expected.std() > 0.1


@every_case
def test_both_layouts_give_the_same_bits(case: Case, tmp_path: Path) -> None:
    saved(case, tmp_path / "diffusers.safetensors", torch.float16)
    first = loaded(tmp_path / "diffusers.safetensors")
    own = tmp_path / "original.safetensors"
    halves = {name: tensor.half() for name, tensor in first.state_dict().items()}
    save_file(halves, own, case.metadata)
    found = recognise(read_header(own))
    assert (found.family, found.layout) == (case.family, "original")
    assert torch.equal(loaded(own)(**case.inputs), first(**case.inputs))


@every_case
def test_the_family_is_recognised_as_in_the_original_layout(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    saved(case, path)
    found = recognise(read_header(path))
    assert (found.kind, found.family, found.layout) == ("diffusion_model", case.family, "diffusers")
    original = tmp_path / "original.safetensors"
    save_file(dict(loaded(path).state_dict()), original, case.metadata)
    same = recognise(read_header(original))
    for field in ("variant", "latent_spaces", "text_spaces", "conditioning", "prediction", "noise"):
        assert getattr(found, field) == getattr(same, field), field
    assert found.runnable == same.runnable


@pytest.mark.parametrize("case", RUNNABLE.values(), ids=RUNNABLE)
def test_the_engine_runs_it(case: Case, tmp_path: Path) -> None:
    saved(case, tmp_path / "model.safetensors", torch.bfloat16)
    denoiser = Engine("cpu", "float32").denoiser(tmp_path / "model.safetensors")
    assert torch.isfinite(denoiser.module(**case.inputs)).all()


@pytest.mark.parametrize(
    ("name", "lost", "told"),
    [
        ("sd2", "mid_block.attentions.0.norm.weight", "1 tensor missing: middle_block.1.norm"),
        ("sd3", "transformer_blocks.1.attn.to_v.bias", r"x_block\.attn\.qkv\.bias \(part 3 of 3\)"),
        (
            "flux1-dev",
            "single_transformer_blocks.1.proj_mlp.weight",
            r"linear1\.weight \(part 4 of",
        ),
    ],
)
def test_what_is_missing_is_named(name: str, lost: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    weights = saved(CASES[name], path).state_dict()
    del weights[lost]
    save_file(weights, path, CASES[name].metadata)
    with pytest.raises((CheckpointTrouble, MissingTensor), match=told):
        loaded(path)


def test_what_no_place_is_for_is_named_as_the_file_names_it(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    weights = saved(CASES["sd3"], path).state_dict()
    save_file({**weights, "transformer_blocks.0.attn.to_x.weight": torch.zeros(1)}, path)
    with pytest.raises(CheckpointTrouble, match=r"no place .*: transformer_blocks\.0\.attn\.to_x"):
        loaded(path)


def test_the_wrong_shape_of_one_of_three_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    weights = saved(CASES["sd3"], path).state_dict()
    save_file({**weights, "transformer_blocks.1.attn.to_k.weight": torch.zeros(128, 64)}, path)
    with pytest.raises(CheckpointTrouble, match=r"qkv\.weight is 128 x 128 and 128 x 64 and 128"):
        loaded(path)


@pytest.mark.parametrize(("spread", "prediction"), [(0.02, "epsilon"), (0.2, "velocity")])
def test_what_sd2_predicts_is_read_from_the_same_tensor(
    spread: float, prediction: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    case = CASES["sd2"]
    weights = saved(case, path).state_dict()
    # two levels here, where published files have four: their numbers are given to the last one
    weights = {name.replace("up_blocks.1.", "up_blocks.3."): weights[name] for name in weights}
    bias = "up_blocks.3.attentions.2.transformer_blocks.0.norm1.bias"
    weights[bias] = torch.tensor([spread, -spread]).repeat(len(weights[bias]) // 2)
    save_file(weights, path, case.metadata)
    assert Opened.at(path).prediction("") == prediction
