"""Filling modules from files: strictly, in any number format, with no more memory than needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from diffusion.checkpoint import CheckpointTrouble, adopt, bytes_of

CPU = torch.device("cpu")


class Two(nn.Module):
    """A convolution and a linear map."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 1)
        self.lin = nn.Linear(4, 5)


def weights(**changes: torch.Tensor) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {
        "conv.weight": (3, 2, 1, 1),
        "conv.bias": (3,),
        "lin.weight": (5, 4),
        "lin.bias": (5,),
    }
    made = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    return {**made, **{name.replace("__", "."): tensor for name, tensor in changes.items()}}


def filled(path: Path, tensors: dict[str, torch.Tensor], dtype: torch.dtype = torch.float32) -> Two:
    save_file({f"p.{name}": tensor for name, tensor in tensors.items()}, path)
    with torch.device("meta"):
        module = Two()
    adopt(module, path, {name: f"p.{name}" for name in tensors}, dtype=dtype, device=CPU)
    return module


@pytest.mark.parametrize("stored", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("wanted", [torch.float32, torch.bfloat16])
def test_every_tensor_is_the_files_converted_once(
    tmp_path: Path, stored: torch.dtype, wanted: torch.dtype
) -> None:
    tensors = {name: tensor.to(stored) for name, tensor in weights().items()}
    module = filled(tmp_path / "a.safetensors", tensors, wanted)
    for name, tensor in module.state_dict().items():
        assert tensor.dtype == wanted
        assert torch.equal(tensor, tensors[name].to(wanted))  # bit by bit
    assert not module.training
    assert not any(parameter.requires_grad for parameter in module.parameters())


def test_the_module_lives_on_after_its_file_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    tensors = weights()
    module = filled(path, tensors)
    path.write_bytes(bytes(path.stat().st_size))
    path.unlink()
    assert torch.equal(module.lin.weight, tensors["lin.weight"])


def test_a_tensor_may_begin_at_any_byte(tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    values = torch.tensor([1.5, -2.0, 3.25])
    entries = {
        "pad": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
        "x": {"dtype": "F32", "shape": [3], "data_offsets": [1, 13]},
    }
    text = json.dumps(entries).encode()
    data = len(text).to_bytes(8, "little") + text + b"\0" + values.numpy().tobytes()
    path.write_bytes(data)
    module = nn.Module()
    module.register_buffer("x", torch.empty(3, device="meta"))
    adopt(module, path, {"x": "x"}, dtype=torch.float32, device=CPU)
    assert torch.equal(module.state_dict()["x"], values)


def test_a_1x1_convolution_may_be_stored_as_a_matrix(tmp_path: Path) -> None:
    matrix = torch.randn(3, 2)
    module = filled(tmp_path / "a.safetensors", weights(conv__weight=matrix))
    assert torch.equal(module.conv.weight[:, :, 0, 0], matrix)


def trouble(path: Path, tensors: dict[str, torch.Tensor]) -> str:
    with pytest.raises(CheckpointTrouble, match=path.name) as caught:
        filled(path, tensors)
    return str(caught.value)


def test_missing_tensors_are_named_and_counted(tmp_path: Path) -> None:
    tensors = {"lin.weight": weights()["lin.weight"]}
    message = trouble(tmp_path / "a.safetensors", tensors)
    assert "3 tensors missing: conv.weight, conv.bias, lin.bias" in message


def test_tensors_of_no_place_are_named(tmp_path: Path) -> None:
    message = trouble(tmp_path / "a.safetensors", weights(more=torch.zeros(1)))
    assert "1 tensor of no place in the model: more" in message


def test_wrong_shapes_are_named_with_both_sizes(tmp_path: Path) -> None:
    message = trouble(tmp_path / "a.safetensors", weights(lin__weight=torch.zeros(4, 5)))
    assert "lin.weight is 4 x 5, not 5 x 4" in message


def test_scaled_8_bit_weights_are_refused_rather_than_misread(tmp_path: Path) -> None:
    tensors = weights(lin__weight=torch.zeros(5, 4).to(torch.float8_e4m3fn))
    filled(tmp_path / "plain.safetensors", tensors)
    path = tmp_path / "scaled.safetensors"
    save_file({**tensors, "lin.scale_weight": torch.ones(1)}, path)
    with torch.device("meta"):
        module = Two()
    with pytest.raises(CheckpointTrouble, match="scales"):
        adopt(module, path, {n: n for n in tensors}, dtype=torch.float32, device=CPU)


def test_nothing_is_read_of_a_file_that_does_not_fit(tmp_path: Path) -> None:
    with torch.device("meta"):
        module = Two()
    path = tmp_path / "a.safetensors"
    save_file({"conv.weight": torch.zeros(3, 2, 1, 1)}, path)
    checks: list[int] = []
    with pytest.raises(CheckpointTrouble):
        adopt(
            module, path, {"conv.weight": "conv.weight"},
            dtype=torch.float32, device=CPU, check_cancel=lambda: checks.append(1),
        )  # fmt: skip
    assert not checks
    assert module.conv.weight.is_meta


def test_a_load_can_be_cancelled_between_tensors(tmp_path: Path) -> None:
    class Stop(BaseException):
        pass

    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Stop

    path = tmp_path / "a.safetensors"
    save_file(weights(), path)
    with torch.device("meta"):
        module = Two()
    with pytest.raises(Stop):
        adopt(
            module, path, {name: name for name in weights()},
            dtype=torch.float32, device=CPU, check_cancel=check,
        )  # fmt: skip
    assert all(parameter.is_meta for parameter in module.parameters())


def test_the_bytes_of_a_module_follow_the_format() -> None:
    with torch.device("meta"):
        module = nn.Linear(10, 20)
    assert bytes_of(module, torch.float32) == 880
    assert bytes_of(module, torch.bfloat16) == 440


PEAK = """
import re, sys, torch
from pathlib import Path
from torch import nn
from diffusion.checkpoint import adopt

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

layers, width, dtype = int(sys.argv[2]), int(sys.argv[3]), getattr(torch, sys.argv[4])
with torch.device("meta"):
    module = nn.Sequential(*(nn.Linear(width, width, bias=False) for _ in range(layers)))
names = {name: name for name in module.state_dict()}
torch.zeros(1024, 1024).half().to(torch.bfloat16)  # what torch itself needs at first use
before = peak()
adopt(module, Path(sys.argv[1]), names, dtype=dtype, device=torch.device("cpu"))
assert not any(p.is_meta for p in module.parameters())
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/status")
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_the_peak_is_one_copy_and_the_largest_tensor(tmp_path: Path, dtype: str) -> None:
    layers, width = 24, 2048  # 24 tensors of 8 MiB in 16 bits: 192 MiB
    largest, copy = 8, 192
    from tests.diffusion.files import write_zeros

    shapes = {f"{layer}.weight": (width, width) for layer in range(layers)}
    path = write_zeros(tmp_path / "big.safetensors", shapes)
    root = Path(__file__).parents[2]
    arguments = [sys.executable, "-c", PEAK, str(path), str(layers), str(width), dtype]
    done = subprocess.run(arguments, cwd=root, capture_output=True, text=True, check=True)
    # 16 MiB for allocator and interpreter; holding the file as well would take 192 more
    assert copy * 0.9 < float(done.stdout) < copy + 2 * largest + 16
