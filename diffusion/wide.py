"""Keep a network's weights as narrow as their file has them, and compute in float32 all the same.

A float16 weight is exact in float32: the numbers are those of a network that was loaded in float32,
at half its memory and the time of one conversion a call.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from torch import Tensor, nn
from torch.nn import functional

M = TypeVar("M", bound=nn.Module)


def widened(module: M) -> M:
    """The module, whose linear maps, normalisations and embeddings now compute in float32."""
    for part in module.modules():
        forward = _FORWARD.get(type(part))
        if forward is not None:
            part.forward = partial(forward, part)
    return module


def _linear(part: Any, x: Tensor) -> Tensor:
    bias = None if part.bias is None else part.bias.float()
    return functional.linear(x, part.weight.float(), bias)


def _embedding(part: Any, ids: Tensor) -> Tensor:
    return functional.embedding(ids, part.weight).float()


def _layer_norm(part: Any, x: Tensor) -> Tensor:
    shape = part.normalized_shape
    return functional.layer_norm(x, shape, part.weight.float(), part.bias.float(), part.eps)


_FORWARD: dict[type[nn.Module], Callable[..., Tensor]] = {
    nn.Linear: _linear,
    nn.Embedding: _embedding,
    nn.LayerNorm: _layer_norm,
}
