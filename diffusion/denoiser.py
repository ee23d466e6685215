"""Join a network with its prediction, its noise levels and its latent space."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor, nn

from diffusion.conditioning import Conditioning, Inputs, Scene, prepared
from diffusion.controlnet import Control, steering
from diffusion.levels import NoiseLevels
from diffusion.prediction import Prediction
from diffusion.shortage import NO_RELIEF, Relief


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


NOTHING: Mapping[str, Tensor] = MappingProxyType({})

ADVICE = (
    "a step of this size, even with every other model freed: make the picture or the batch "
    "smaller, or close other programs. On a graphics card, starting with a lower --memory leaves "
    "more room beside the weights."
)


@dataclass(frozen=True)
class Denoiser:
    """A diffusion model, ready to be sampled from.

    `module(x, timesteps, context, **extras)` takes latents (batch, channels, height, width),
    float32 timesteps (batch,), token conditioning (batch, tokens, width) and what the rows of
    `conditioning` (see `diffusion.conditioning`) give, batch first; it answers in the shape of `x`.
    `joint`: picture and tokens share one attention, so that the number of tokens matters.
    `relief`: what is done where memory runs out. `compiled`: what is called in the module's place.
    `controls` steer it. `rescale`: how much guidance is kept from making it too contrasty, 0…1 (see
    `guidance.rescaled`).
    """

    module: nn.Module
    prediction: Prediction
    levels: NoiseLevels
    space: LatentSpace
    conditioning: tuple[str, ...] = ()
    joint: bool = False
    relief: Relief = NO_RELIEF
    compiled: Callable[..., Tensor] | None = None
    controls: tuple[Control, ...] = ()
    rescale: float = 0.0

    @property
    def device(self) -> torch.device:
        """Where the module's weights are."""
        return self._example().device

    @property
    def dtype(self) -> torch.dtype:
        """What the module computes in."""
        return self._example().dtype

    def inputs(
        self, conditioning: Conditioning, shape: torch.Size, *, negative: bool = False
    ) -> Inputs:
        """What the network is told of a prompt, for latents of this shape."""
        return prepared(self.conditioning, conditioning, Scene(shape, self.space, negative))

    def denoise(
        self, x: Tensor, sigma: float, context: Tensor, extras: Mapping[str, Tensor] = NOTHING
    ) -> Tensor:
        """The network's estimate of the clean latent: float32, in the model's own scale.

        `x`: noisy latent at level σ. `extras`: the network's other arguments, batch first. The
        network computes in its own dtype; all around it is float32, because differences of nearly
        equal latents are taken there. Raises `NotEnoughMemory`.
        """
        like = self._example()
        entry = self.prediction.network_input(x, sigma).to(like)
        timesteps = torch.full((len(x),), self.levels.timestep(sigma), device=like.device)
        others = {name: tensor.to(like) for name, tensor in extras.items()}
        tokens, network = context.to(like), self.compiled or self.module
        active = [control for control in self.controls if control.holds(sigma, self.levels)]

        def answer() -> Tensor:
            with torch.no_grad():
                control = steering(active, entry, timesteps, tokens, others.get("vector"))
                out: Tensor = network(entry, timesteps, tokens, **others, **control)
            return out

        output = self.relief.tried(answer, "the model was computing", ADVICE)
        return self.prediction.denoised(x, output.to(x), sigma)

    def _example(self) -> Tensor:
        """Any weight of the module: they all share its device and dtype."""
        return next(self.module.parameters(), torch.zeros(0))
