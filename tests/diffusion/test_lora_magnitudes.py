"""LoRAs that keep magnitudes beside directions give each vector of a weight its length."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from diffusion.lora import Target, apply_loras
from tests.diffusion.test_lora import RANK, Net, close, noise, pair, written


@pytest.mark.parametrize("name", ["dora_scale", "lora_magnitude_vector"])
def test_magnitudes_set_the_length_of_what_enters_each_output(tmp_path: Path, name: str) -> None:
    """Liu et al. 2024, eq. 5; at half strength the way is gone half."""
    up, down = pair(4, 6)
    lengths = torch.tensor([1.0, 2.0, 0.5, 3.0])
    told = lengths[:, None] if name == "dora_scale" else lengths
    tensors = {"m.line.lora_up.weight": up, "m.line.lora_down.weight": down, f"m.line.{name}": told}
    before = noise(4, 6, seed=9)

    def changed(strength: float) -> Tensor:
        net = Net()
        with torch.no_grad():
            net.line.weight.copy_(before)
        lora = written(tmp_path / "dora.safetensors", tensors, strength)
        apply_loras(Target(net, "text", ("m.",)), [lora])
        return net.line.weight.detach()

    close(changed(1.0).norm(dim=1), lengths)
    whole = before + up @ down
    close(changed(1.0), whole * (lengths / whole.norm(dim=1))[:, None])
    close(changed(0.5), (before + changed(1.0)) / 2)


def test_magnitudes_of_inputs_set_the_length_of_what_leaves_them(tmp_path: Path) -> None:
    up, down = noise(4, RANK, 1, 1), noise(RANK, 3, 3, 3)
    lengths = torch.tensor([1.0, 2.0, 0.5]).reshape(1, 3, 1, 1)
    names = {"m.conv.lora_up.weight": up, "m.conv.lora_down.weight": down,
             "m.conv.dora_scale": lengths}  # fmt: skip
    net = Net()
    apply_loras(Target(net, "text", ("m.",)), [written(tmp_path / "dora.safetensors", names)])
    found = net.conv.weight.detach()
    close(found.transpose(0, 1).flatten(1).norm(dim=1), lengths.flatten())
