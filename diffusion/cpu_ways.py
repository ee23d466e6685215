"""Ways of our own to compute on a processor, out of torch's operators; `cpu_speed` says when.

Processors with instructions for bfloat16 multiply matrices in it twice as fast as in float32, and
torch's fused attention makes little use of that: blocks of queries, multiplied as matrices, are
faster there. None of these functions keeps what a gradient would need.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

BLOCK = 2**21
"""Scores of one block of queries: so many stay in the cache."""

LANES = 16
"""Columns that a product computes at once; a head's width is filled up to them."""

SAFE_EXPONENT = 100.0
"""Powers of two up to this one, and down to its negative, can be summed and weighted in bfloat16's
range without leaving it."""


def attention_in_blocks(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    onednn: bool = False,
    block: int = BLOCK,
) -> Tensor:
    """Attention (see `operators.attention`), about `block` scores at a time.

    Scores are rounded to the tensors' own format, where torch's operator keeps them in float32: in
    bfloat16 the answer is off by 0.4 percent instead of 0.2, and by 1 to 2 where scores are large
    and few keys take all the weight.
    `onednn`: float32 is multiplied by oneDNN; bfloat16 is in any case. Where a head's scores are
    small enough (see `_small`) and its width leaves a lane free, the softmax is one pass less: its
    powers are not divided by their sum, which a column of ones finds in the product with the
    values; the narrow answer is divided by it.
    """
    onednn = onednn and query.dtype == torch.float32
    batch, heads, queries, _ = query.shape
    keys, width = key.shape[2], value.shape[3]
    rows = max(1, min(queries, block // keys))
    scores = query.new_empty(rows, keys)
    columns = value.new_zeros(-(-width // LANES) * LANES, keys)  # of one head's values
    columns[width:] = 1  # whose product is the sum of a row
    free = len(columns) > width and query.dtype == torch.bfloat16 and mask is None
    small = _small(query, key) if free else [[False] * heads] * batch
    # as the caller joins the heads again, nothing has to be copied there
    out = query.new_empty(batch, queries, heads, width).transpose(1, 2)
    if mask is not None:
        mask = mask.expand(batch, heads, queries, keys)
    for item in range(batch):
        for number in range(heads):
            columns[:width] = value[item, number].t()
            for start in range(0, queries, rows):
                part = slice(start, start + rows)
                asked = query[item, number, part]
                room = scores[: len(asked)]
                if small[item][number]:
                    mixed = _by_powers(asked, key[item, number], columns, room)
                else:
                    found = _scores(asked, key[item, number], room, onednn)
                    if mask is not None:
                        _hide(found, mask[item, number, part])
                    torch.softmax(found, -1, out=found)
                    mixed = linear(found, columns) if onednn else found @ columns.t()
                out[item, number, part] = mixed[:, :width]
    return out


def _small(query: Tensor, key: Tensor) -> list[list[bool]]:
    """For every head of every item: can no score leave the exponents that are safe?

    No score is larger than the longest query's length times the longest key's.
    """
    longest = [vectors.float().norm(dim=-1).amax(dim=-1) for vectors in (query, key)]
    scale = query.shape[-1] ** -0.5 * math.log2(math.e)
    small: list[list[bool]] = (longest[0] * longest[1] * scale <= SAFE_EXPONENT).tolist()
    return small


def _by_powers(query: Tensor, key: Tensor, columns: Tensor, room: Tensor) -> Tensor:
    """Softmax of one head's scores times its values (lanes, keys), the last lane being ones."""
    scale = query.shape[-1] ** -0.5 * math.log2(math.e)
    powers = torch.addmm(room, query, key.t(), beta=0, alpha=scale, out=room).exp2_()
    mixed = powers @ columns.t()
    return mixed / mixed[:, -1:]


def _scores(query: Tensor, key: Tensor, room: Tensor, onednn: bool) -> Tensor:
    """query · keyᵀ / √head, (queries, keys); in `room` where the product can be put anywhere."""
    scale = query.shape[-1] ** -0.5
    if onednn:
        return linear(query, key).mul_(scale)
    return torch.addmm(room, query, key.t(), beta=0, alpha=scale, out=room)


def _hide(scores: Tensor, mask: Tensor) -> None:
    if mask.dtype == torch.bool:
        scores.masked_fill_(~mask, float("-inf"))
    else:
        scores += mask


def linear(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, activation: str = "none"
) -> Tensor:
    """x · weightᵀ + bias by oneDNN; with `activation` "gelu", its exact GELU in the same go.

    torch has this operator for its compiler.
    """
    # of a weight with gaps it makes a product without any of the processor's instructions
    weight = weight.contiguous()
    found: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, activation, [], "none")
    return found


def gated_gelu(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """GEGLU (see `operators.gated_gelu`): two maps, one of which ends with its GELU."""
    values, gates = weight.chunk(2)
    value_bias, gate_bias = bias.chunk(2)
    return linear(x, gates, gate_bias, "gelu").mul_(linear(x, values, value_bias))


def doubled_conv(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The 3x3 convolution (padding 1) of `x` with each pixel repeated to two by two.

    The copies of a pixel meet several taps of one output: these are summed beforehand. What is left
    is a transposed convolution of stride 2 with 4x4 taps over the pixels that there are, and four
    ninths of the products.
    """
    taps = _summed(_summed(weight, 2), 3).transpose(0, 1)
    return functional.conv_transpose2d(x, taps, bias, stride=2, padding=1)


def _summed(weight: Tensor, dim: int) -> Tensor:
    """Three taps of a convolution as four of a transposed one, which lie the other way round."""
    first, second, third = weight.unbind(dim)
    return torch.stack([third, second + third, first + second, first], dim)
