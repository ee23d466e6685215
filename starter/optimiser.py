"""The starter's optimiser: orthogonalised momentum for matrices, AdamW for the rest."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

# Jordan et al. 2024 (Muon): p(s) = a s + b s^3 + c s^5 drives singular values towards 1
QUINTIC = (3.4445, -4.7750, 2.0315)


class Muon:
    """Muon (Jordan et al. 2024) for hidden weights of two or more axes, AdamW for the others.

    Updates of both kinds have about the same size per weight (Liu et al. 2025, equation 4), so
    that one learning rate serves both. Convolutions count as (out, in * height * width) matrices.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        others: Iterable[str] = (),
        momentum: float = 0.95,
        weight_decay: float = 0.01,
    ) -> None:
        """`others` are the beginnings of names that AdamW takes although they are matrices."""
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.matrices: list[Tensor] = []
        rest: list[Tensor] = []
        for name, weight in module.named_parameters():
            small = weight.ndim < 2 or weight.flatten(1).shape[0] < 16
            (rest if small or name.startswith(tuple(others)) else self.matrices).append(weight)
        self.momenta = [torch.zeros_like(weight) for weight in self.matrices]
        self.adam = torch.optim.AdamW(rest, betas=(0.9, 0.99), weight_decay=0.0)

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Moves the weights by their gradients, at this learning rate, and clears the gradients."""
        for weight, momentum in zip(self.matrices, self.momenta, strict=True):
            if weight.grad is None:
                continue
            momentum.lerp_(weight.grad, 1 - self.momentum)
            ahead = weight.grad.lerp_(momentum, self.momentum)  # Nesterov
            update = orthogonalise(ahead.flatten(1))
            size = 0.2 * math.sqrt(max(update.shape))
            weight.mul_(1 - rate * self.weight_decay)
            weight.add_(update.view_as(weight), alpha=-rate * size)
            weight.grad = None
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, object]:
        return {"momenta": self.momenta, "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict[str, object]) -> None:
        for own, saved in zip(self.momenta, state["momenta"], strict=True):  # type: ignore[call-overload]
            own.copy_(saved)
        self.adam.load_state_dict(state["adam"])  # type: ignore[arg-type]


def orthogonalise(matrix: Tensor, iterations: int = 4) -> Tensor:
    """The matrix with its singular values brought near 1, float32 (rows, columns).

    The quintic iteration runs on the small Gram matrix; all its factors commute, so their product
    is applied to the wide matrix once.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if tall else matrix
    wide = (wide / (wide.norm() + 1e-7)).bfloat16()  # the two large products cost most
    gram = (wide @ wide.T).float()  # (rows, rows)
    identity = torch.eye(gram.shape[0], dtype=gram.dtype, device=gram.device)
    product = identity
    a, b, c = QUINTIC
    for iteration in range(iterations):
        factor = a * identity + b * gram + c * (gram @ gram)
        product = factor @ product if iteration else factor
        if iteration < iterations - 1:
            gram = factor @ gram @ factor
    wide = (product.bfloat16() @ wide).float()
    return wide.T if tall else wide
