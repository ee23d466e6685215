"""Say what a network's output means: from a noisy picture and the output to the denoised picture.

σ is the noise level: the standard deviation of the noise beside a picture whose own scale is 1.
Samplers work in the form x = x₀ + σ·noise ("variance exploding"); a flow model works in
x = (1-σ)·x₀ + σ·noise instead.
"""

import math
from collections.abc import Callable
from typing import Protocol

from torch import Tensor


class Prediction(Protocol):
    """What one kind of network is fed, and how its output and the noise are read.

    `x`, `output`, `latent` and `noise` share one shape, (batch, channels, height, width); σ is a
    plain number, the same for the whole batch. `flow` says which of the two mixtures above is
    meant.
    """

    flow: bool

    def network_input(self, x: Tensor, sigma: float) -> Tensor:
        """`x` scaled to what the network was trained on."""
        ...

    def denoised(self, x: Tensor, output: Tensor, sigma: float) -> Tensor:
        """The network's estimate of the clean latent."""
        ...

    def noised(self, latent: Tensor, noise: Tensor, sigma: float, *, pure: bool = False) -> Tensor:
        """`latent` with noise of level σ. `pure`: σ is the training's last level or above it."""
        ...

    def finished(self, x: Tensor, sigma: float) -> Tensor:
        """The latent of a run that stopped at σ, as a later run's `noised` takes it up."""
        ...


class VarianceExploding:
    """What the predictions of DDPM (Ho et al. 2020) share: inputs of unit variance."""

    flow = False

    def network_input(self, x: Tensor, sigma: float) -> Tensor:
        # Karras et al. 2022, table 1, column VP: c_in = 1/√(σ²+1).
        return x / math.sqrt(sigma**2 + 1)

    def noised(self, latent: Tensor, noise: Tensor, sigma: float, *, pure: bool = False) -> Tensor:
        # At the last level training saw data and noise together, of variance σ²+1, never noise
        # alone: starting from σ·noise would begin a little too quiet.
        scale = math.sqrt(sigma**2 + 1) if pure else sigma
        return latent + noise * scale

    def finished(self, x: Tensor, sigma: float) -> Tensor:
        return x


class Epsilon(VarianceExploding):
    """The network predicts the noise (Ho et al. 2020): D = x - σ·output."""

    def denoised(self, x: Tensor, output: Tensor, sigma: float) -> Tensor:
        return x - output * sigma


class Velocity(VarianceExploding):
    """The network predicts v = α·noise - σ̄·x₀ (Salimans and Ho 2022, appendix D).

    With α = 1/√(σ²+1) and σ̄ = σ·α that is D = x/(σ²+1) - output·σ/√(σ²+1).
    """

    def denoised(self, x: Tensor, output: Tensor, sigma: float) -> Tensor:
        variance = sigma**2 + 1
        return x / variance - output * (sigma / math.sqrt(variance))


class Picture(VarianceExploding):
    """The network predicts the picture itself: D = output."""

    def denoised(self, x: Tensor, output: Tensor, sigma: float) -> Tensor:
        return output


class PictureToPicture(Picture):
    """The network turns one picture into another and is fed the latent as it is."""

    def network_input(self, x: Tensor, sigma: float) -> Tensor:
        return x


class Consistency(Epsilon):
    """A latent consistency model: its estimate is the end of the path, not a mean.

    Luo et al. 2023, eq. 9: D = c_skip·x + c_out·(x - σ·output) with the boundary conditions of Song
    et al. 2023 (appendix C, σ_data = 1/2) in ten times the timestep.
    """

    data = 0.5

    def __init__(self, timestep: Callable[[float], float]) -> None:
        """`timestep`: from a level to the time that the network is told."""
        self._timestep = timestep

    def denoised(self, x: Tensor, output: Tensor, sigma: float) -> Tensor:
        time = 10 * self._timestep(sigma)
        spread = time**2 + self.data**2
        picture = super().denoised(x, output, sigma)
        return picture * (time / math.sqrt(spread)) + x * (self.data**2 / spread)


class Edm(VarianceExploding):
    """The network predicts a mixture of both (Karras et al. 2022, table 1, column "Ours").

    Its input has unit variance for data of standard deviation 1/2.
    """

    data = 0.5

    def network_input(self, x: Tensor, sigma: float) -> Tensor:
        return x / math.sqrt(sigma**2 + self.data**2)

    def denoised(self, x: Tensor, output: Tensor, sigma: float) -> Tensor:
        variance = sigma**2 + self.data**2
        return x * (self.data**2 / variance) + output * (sigma * self.data / math.sqrt(variance))


class Flow:
    """The network predicts noise - x₀ on straight paths (Lipman et al. 2023; Liu et al. 2023)."""

    flow = True

    def network_input(self, x: Tensor, sigma: float) -> Tensor:
        return x

    def denoised(self, x: Tensor, output: Tensor, sigma: float) -> Tensor:
        return x - output * sigma

    def noised(self, latent: Tensor, noise: Tensor, sigma: float, *, pure: bool = False) -> Tensor:
        return latent * (1 - sigma) + noise * sigma

    def finished(self, x: Tensor, sigma: float) -> Tensor:
        return x / (1 - sigma)


PREDICTIONS: dict[str, Prediction] = {
    "epsilon": Epsilon(),
    "velocity": Velocity(),
    "flow": Flow(),
    "edm": Edm(),
    "x0": Picture(),
    "img_to_img": PictureToPicture(),
}
"""The predictions by the name that a family, a file's metadata or a person gives them."""
