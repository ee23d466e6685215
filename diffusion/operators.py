"""Attention, linear maps and doubled convolutions, each by the fastest way where it runs."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from diffusion import cpu_ways
from diffusion.cpu_speed import ways

FEW = 128
"""Keys up to which torch's fused attention does as well: one of its own blocks holds them all."""

TRIED = (torch.float32, torch.bfloat16)
"""The number formats in which there is more than one way."""


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(query · keyᵀ / √head + mask) · value (Vaswani et al. 2017, eq. 1).

    `query`: (batch, heads, queries, head); `key`, `value`: (batch, heads, keys, head). `mask`:
    broadcast to (batch, heads, queries, keys) and added, or boolean with False where nothing is to
    be seen; every query must see a key. The answer is as `query`.
    """
    if key.shape[2] > FEW and _free(query, key, value) and ways(query.dtype).attention:
        onednn = ways(query.dtype).linear
        return cpu_ways.attention_in_blocks(query, key, value, mask, onednn=onednn)
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)


class Linear(nn.Linear):
    """A linear map, (…, entering) to (…, leaving)."""

    def forward(self, x: Tensor) -> Tensor:
        if _free(x, self.weight) and ways(x.dtype).linear:
            return cpu_ways.linear(x, self.weight, self.bias)
        return functional.linear(x, self.weight, self.bias)


def gated_gelu(x: Tensor, both: nn.Linear) -> Tensor:
    """GEGLU (Shazeer 2020): the linear map's first half times the GELU of its second half."""
    if _free(x, both.weight) and ways(x.dtype).gated:
        return cpu_ways.gated_gelu(x, both.weight, both.bias)
    value, gate = both(x).chunk(2, dim=-1)
    gated: Tensor = value * functional.gelu(gate)
    return gated


def doubled_conv(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """The convolution (3x3, padding 1) of `x` at twice its height and width, pixels repeated."""
    # Below, summing the taps takes longer than what it saves.
    large = x.shape[0] * x.shape[2] * x.shape[3] >= x.shape[1]
    if large and _free(x, conv.weight) and ways(x.dtype).doubling:
        return cpu_ways.doubled_conv(x, conv.weight, conv.bias)
    out: Tensor = conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
    return out


def _free(*tensors: Tensor) -> bool:
    """Whether there is a choice: numbers on the CPU of one format in which several ways were tried,
    with no gradient to keep and no compiler that looks on and has ways of its own."""
    first = tensors[0]
    if first.device.type != "cpu" or first.dtype not in TRIED or torch.compiler.is_compiling():
        return False
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        return False
    return first.numel() > 0 and all(tensor.dtype == first.dtype for tensor in tensors)
