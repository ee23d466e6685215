"""Normalise latents by statistics that lie in the VAE's own file, as FLUX.2 does."""

import torch
from torch import Tensor, nn
from torch.nn import functional

PATCH = 2
"""Elements along each edge of a patch: every place in it has statistics of its own."""


class PatchStatistics(nn.BatchNorm2d):
    """Mean and variance of each channel at each place of a patch, named as a batch norm's.

    Channel c at row i and column j of a patch has the number 4·c + 2·i + j.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__(channels * PATCH**2, eps=1e-4, affine=False)

    def normalise(self, raw: Tensor) -> Tensor:
        """The latent (batch, channels, height, width) with mean 0 and variance 1."""
        return (raw - self._over(self.running_mean, raw)) / self._over(self._deviation(), raw)

    def denormalise(self, latent: Tensor) -> Tensor:
        """The inverse of `normalise`."""
        return latent * self._over(self._deviation(), latent) + self._over(
            self.running_mean, latent
        )

    def _deviation(self) -> Tensor:
        return torch.sqrt(self.running_var + self.eps)

    def _over(self, numbers: Tensor, latent: Tensor) -> Tensor:
        """The numbers at their places, repeated over a latent of any size."""
        patch = functional.pixel_shuffle(numbers.to(latent)[None, :, None, None], PATCH)
        height, width = latent.shape[-2:]
        repeats = (1, 1, -(-height // PATCH), -(-width // PATCH))
        return patch.repeat(repeats)[..., :height, :width]
