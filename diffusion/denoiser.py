"""Join a network with its prediction, its noise levels and its latent space."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from diffusion.levels import NoiseLevels
from diffusion.prediction import Prediction


class LatentSpace(Protocol):
    """The latents that a model speaks: raw VAE output on wires, normalised inside the model."""

    @property
    def channels(self) -> int:
        """Channels of a latent."""
        ...

    @property
    def downscale(self) -> int:
        """Pixels along one edge of a latent's element."""
        ...

    def normalise(self, raw: Tensor) -> Tensor:
        """From raw VAE output to the model's own scale."""
        ...

    def denormalise(self, z: Tensor) -> Tensor:
        """The inverse of `normalise`."""
        ...


@dataclass(frozen=True)
class Denoiser:
    """A diffusion model, ready to be sampled from.

    `module(x, timesteps, context)` takes latents (batch, channels, height, width), float32
    timesteps (batch,) and token conditioning (batch, tokens, width), and answers in the shape of
    `x`.
    """

    module: nn.Module
    prediction: Prediction
    levels: NoiseLevels
    space: LatentSpace

    @property
    def device(self) -> torch.device:
        """Where the module's weights are."""
        return self._example().device

    @property
    def dtype(self) -> torch.dtype:
        """What the module computes in."""
        return self._example().dtype

    def denoise(self, x: Tensor, sigma: float, context: Tensor) -> Tensor:
        """The network's estimate of the clean latent: float32, in the model's own scale.

        `x`: noisy latent at level σ. The network computes in its own dtype; all around it is
        float32, because differences of nearly equal latents are taken there.
        """
        like = self._example()
        entry = self.prediction.network_input(x, sigma).to(like)
        timesteps = torch.full((len(x),), self.levels.timestep(sigma), device=like.device)
        with torch.no_grad():
            output = self.module(entry, timesteps, context.to(like))
        return self.prediction.denoised(x, output.to(x), sigma)

    def _example(self) -> Tensor:
        """Any weight of the module: they all share its device and dtype."""
        return next(self.module.parameters(), torch.zeros(0))
