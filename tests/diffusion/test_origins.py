"""Where tensors come from: joined and cut ones become what the module has, in any format."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from diffusion.checkpoint import CheckpointTrouble, adopt
from diffusion.layers import MissingTensor
from diffusion.origins import Joined, Names, Taken, prefixed, shape_at, swapped_halves
from tests.diffusion.files import write_zeros

QKV = Joined((Taken("q"), Taken("k"), Taken("v")))
PARTS = {
    "q": torch.randn(2, 4),
    "k": torch.randn(3, 4),
    "v": torch.randn(1, 4),
    "ends": torch.arange(24.0).reshape(6, 4),
}


def filled(path: Path, names: Names, dtype: torch.dtype = torch.float32) -> Tensor:
    with torch.device("meta"):
        module = nn.Linear(4, 6, bias=False)
    adopt(module, path, names, dtype=dtype, device=torch.device("cpu"))
    return module.weight


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_file(PARTS, tmp_path / "parts.safetensors")
    return tmp_path / "parts.safetensors"


def test_joined_tensors_lie_under_each_other_in_order(path: Path) -> None:
    whole = torch.cat([PARTS["q"], PARTS["k"], PARTS["v"]])
    assert torch.equal(filled(path, {"weight": QKV}), whole)
    half = filled(path, {"weight": QKV}, torch.bfloat16)
    assert torch.equal(half, whole.bfloat16())


@pytest.mark.parametrize("stored", [torch.float8_e4m3fn, torch.float8_e5m2, torch.bfloat16])
def test_joined_tensors_are_converted_as_whole_ones_are(
    tmp_path: Path, stored: torch.dtype
) -> None:
    small = {name: tensor.to(stored) for name, tensor in PARTS.items()}
    small["v"] = PARTS["v"].half()  # files keep single tensors in other formats
    path = tmp_path / "small.safetensors"
    save_file(small, path)
    made = filled(path, {"weight": QKV})
    assert torch.equal(made, torch.cat([small[name].float() for name in "qkv"]))


def test_swapped_halves_change_places(path: Path) -> None:
    made = filled(path, {"weight": swapped_halves("ends")})
    assert torch.equal(made, PARTS["ends"].roll(3, dims=0))


def test_a_prefix_stands_before_every_piece() -> None:
    assert prefixed({"a": QKV, "b": "c"}, "p.") == {
        "a": Joined((Taken("p.q"), Taken("p.k"), Taken("p.v"))),
        "b": Taken("p.c"),
    }


def test_the_shape_of_pieces_is_known_without_reading_them() -> None:
    shapes = {"q": (2, 4), "k": (3, 4), "v": (1, 4)}
    assert shape_at(QKV, shapes) == (6, 4)
    assert shape_at(swapped_halves("k"), {"k": (8,)}) == (8,)
    with pytest.raises(MissingTensor, match="The tensor v is missing"):
        shape_at(QKV, {"q": (2, 4), "k": (3, 4)})


def test_a_missing_piece_is_named(path: Path) -> None:
    names = {"weight": Joined((Taken("q"), Taken("k"), Taken("value")))}
    with pytest.raises(CheckpointTrouble, match="1 tensor missing: value"):
        filled(path, names)


@pytest.mark.parametrize("odd", [torch.zeros(2, 4), torch.zeros(1, 3)])
def test_pieces_that_do_not_fit_are_told_with_their_sizes(tmp_path: Path, odd: Tensor) -> None:
    path = tmp_path / "odd.safetensors"
    save_file({**PARTS, "v": odd}, path)
    sizes = " x ".join(map(str, odd.shape))
    with pytest.raises(CheckpointTrouble, match=f"weight is 2 x 4 and 3 x 4 and {sizes}, not 6 x"):
        filled(path, {"weight": QKV})


PEAK = """
import re, sys, torch
import subprocess
import sys
from pathlib import Path
from torch import nn
from diffusion.checkpoint import adopt
from diffusion.origins import Joined, Taken

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

layers, width = int(sys.argv[2]), int(sys.argv[3])
with torch.device("meta"):
    module = nn.Sequential(*(nn.Linear(width, 3 * width, bias=False) for _ in range(layers)))
names = {f"{n}.weight": Joined(tuple(Taken(f"{n}.{p}") for p in "qkv")) for n in range(layers)}
torch.zeros(1024, 1024).half().to(torch.bfloat16)  # what torch itself needs at first use
before = peak()
adopt(module, Path(sys.argv[1]), names, dtype=torch.bfloat16, device=torch.device("cpu"))
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/status")
def test_joining_takes_no_second_copy(tmp_path: Path) -> None:
    layers, width = 8, 2048  # 24 tensors of 8 MiB: 192 MiB
    largest, copy = 8, 192
    shapes = {f"{n}.{part}": (width, width) for n in range(layers) for part in "qkv"}
    path = write_zeros(tmp_path / "apart.safetensors", shapes)
    root = Path(__file__).parents[2]
    arguments = [sys.executable, "-c", PEAK, str(path), str(layers), str(width)]
    done = subprocess.run(arguments, cwd=root, capture_output=True, text=True, check=True)
    # 16 MiB for allocator and interpreter; a joined copy of each beside it would take 24 more
    assert copy * 0.9 < float(done.stdout) < copy + 2 * largest + 16
