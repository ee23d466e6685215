"""An encoder is known by a few of its weights, fine-tuned or not, and no stranger is."""

import shutil
from pathlib import Path

import pytest
import torch

from diffusion.header import read_header
from diffusion.identity.signatures import (
    Teacher,
    likeness,
    model_print,
    signature_finding,
    signature_of,
)
from diffusion.identity.tensors import Unreadable
from tests.diffusion.small_vaes import disturbed, saved, small_vae


def test_eight_bit_tensors_are_said_to_be_unreadable(tmp_path: Path) -> None:
    vae = small_vae(0) | {"encoder.conv_in.weight": torch.zeros(4, 3, 3, 3).to(torch.float8_e4m3fn)}
    header = read_header(saved(tmp_path / "a.safetensors", vae))
    with pytest.raises(Unreadable, match="F8_E4M3"):
        signature_of(header, "")


def test_bfloat16_is_read_as_what_it_says(tmp_path: Path) -> None:
    vae = {name: tensor.bfloat16() for name, tensor in small_vae(0).items()}
    one = signature_of(read_header(saved(tmp_path / "a.safetensors", vae)), "")
    other = signature_of(read_header(saved(tmp_path / "b.safetensors", small_vae(0))), "")
    assert likeness(one, other) > 0.9999  # three digits are left


def test_a_fine_tuned_encoder_is_known_and_an_unrelated_one_is_not(tmp_path: Path) -> None:
    parent = signature_of(read_header(saved(tmp_path / "p.safetensors", small_vae(0))), "")
    related, strange = [], []
    for seed in range(1, 11):
        for share in (0.01, 0.03, 0.1):
            child = saved(tmp_path / "c.safetensors", disturbed(small_vae(0), share, seed))
            related.append(likeness(parent, signature_of(read_header(child), "")))
        other = saved(tmp_path / "o.safetensors", small_vae(seed))
        strange.append(likeness(parent, signature_of(read_header(other), "")))
    # 10 % of noise leaves 1/√1.01 = 0.995; of unrelated ones each tensor gives 0 ± 0.09.
    assert min(related) > 0.98
    assert max(map(abs, strange)) < 0.3
    teacher = Teacher("sdxl", "xl.safetensors", parent)
    assert signature_finding(parent, [teacher]) is not None
    sign = signature_of(read_header(saved(tmp_path / "o.safetensors", small_vae(3))), "")
    assert signature_finding(sign, [teacher]) is None


def test_scaled_down_weights_are_the_same_encoder(tmp_path: Path) -> None:
    smaller = {name: tensor * 0.5 for name, tensor in small_vae(0).items()}
    one, other = (
        signature_of(read_header(saved(tmp_path / "a.safetensors", each)), "")
        for each in (small_vae(0), smaller)
    )
    assert likeness(one, other) == pytest.approx(1.0, abs=1e-4)


def test_one_checkpoint_makes_it_likely_and_two_models_certain(tmp_path: Path) -> None:
    sign = signature_of(read_header(saved(tmp_path / "p.safetensors", small_vae(0))), "")
    first, copy = (Teacher("sd1", f"{n}.safetensors", sign, "model-1") for n in ("a", "b"))
    second = Teacher("sd1", "c.safetensors", sign, "model-2")
    proven = Teacher("sd1", "vae.safetensors", sign, proven=True)
    for teachers, certainty in (
        ([first], "likely"),
        ([first, copy], "likely"),  # the same model twice is one witness
        ([first, second], "certain"),
        ([proven], "certain"),
    ):
        found = signature_finding(sign, teachers)
        assert found is not None
        assert (found.spaces, found.certainty) == (("sd1",), certainty)
        assert teachers[0].name in found.reason


def test_teachers_that_disagree_are_reported_and_teach_nothing(tmp_path: Path) -> None:
    sign = signature_of(read_header(saved(tmp_path / "p.safetensors", small_vae(0))), "")
    found = signature_finding(
        sign, [Teacher("sd1", "a", sign, "1"), Teacher("sdxl", "b", sign, "2")]
    )
    assert found is not None
    assert (found.spaces, found.certainty) == (("sd1", "sdxl"), "unknown")
    assert "do not speak the same space" in found.reason


def test_networks_of_other_sizes_are_nothing_alike(tmp_path: Path) -> None:
    one = {"encoder.conv_in.weight [8, 3, 3, 3]": [1.0, 0.0]}
    assert likeness(one, {"encoder.conv_in.weight [4, 3, 3, 3]": [1.0, 0.0]}) == 0
    assert likeness({}, {}) == 0


def test_a_models_print_tells_models_apart_and_copies_together(tmp_path: Path) -> None:
    def model(seed: int) -> Path:
        torch.manual_seed(seed)
        return saved(tmp_path / f"{seed}.safetensors", {"net.a": torch.randn(99, 9)})

    first, second = model(0), model(1)
    copied = Path(shutil.copy(first, tmp_path / "copy.safetensors"))
    prints = [model_print(read_header(path), "net.") for path in (first, second, copied)]
    assert prints[0] == prints[2] != prints[1]
