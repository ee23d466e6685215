"""Small KL VAEs with random weights, and the forms in which people save such files."""

from pathlib import Path

import torch
from safetensors.torch import save_file

from diffusion.vae import AutoencoderKL, VaeConfig

Tensors = dict[str, torch.Tensor]


def small_vae(seed: int) -> Tensors:
    """The tensors of a small KL VAE in the original naming, float32."""
    torch.manual_seed(seed)
    config = VaeConfig(3, 8, (8, 8, 16, 16), 1, 1, 4, 4, norm_groups=4)
    return {name: tensor.clone() for name, tensor in AutoencoderKL(config).state_dict().items()}


def saved(path: Path, tensors: Tensors, **metadata: str) -> Path:
    save_file({k: v.contiguous() for k, v in tensors.items()}, path, metadata=metadata or None)
    return path


def disturbed(tensors: Tensors, share: float, seed: int) -> Tensors:
    """As a fine-tune leaves it: noise of that share of each tensor's deviation on every weight."""
    torch.manual_seed(seed)
    return {
        name: tensor + share * tensor.std(correction=0) * torch.randn_like(tensor)
        for name, tensor in tensors.items()
    }


def as_diffusers(tensors: Tensors) -> Tensors:
    """The encoder under diffusers' names, its attention as matrices; enough to be compared."""
    names = {
        "encoder.conv_in": "encoder.conv_in", "encoder.conv_out": "encoder.conv_out",
        "encoder.norm_out": "encoder.conv_norm_out", "quant_conv": "quant_conv",
        "encoder.mid.block_1": "encoder.mid_block.resnets.0",
        "encoder.mid.block_2": "encoder.mid_block.resnets.1",
        "encoder.mid.attn_1.norm": "encoder.mid_block.attentions.0.group_norm",
        "encoder.mid.attn_1.q": "encoder.mid_block.attentions.0.to_q",
        "encoder.mid.attn_1.k": "encoder.mid_block.attentions.0.to_k",
        "encoder.mid.attn_1.v": "encoder.mid_block.attentions.0.to_v",
        "encoder.mid.attn_1.proj_out": "encoder.mid_block.attentions.0.to_out.0",
    }  # fmt: skip
    for level in range(4):
        names[f"encoder.down.{level}.block"] = f"encoder.down_blocks.{level}.resnets"
        names[f"encoder.down.{level}.downsample"] = f"encoder.down_blocks.{level}.downsamplers.0"
    found: Tensors = {"decoder.mid_block.resnets.0.norm1.weight": torch.ones(4)}
    for name, tensor in tensors.items():
        for ours, theirs in names.items():
            if name.startswith(ours + "."):
                renamed = (theirs + name[len(ours) :]).replace("nin_shortcut", "conv_shortcut")
                matrix = ".attentions." in renamed and tensor.ndim == 4
                found[renamed] = tensor[:, :, 0, 0] if matrix else tensor
    return found
