"""Nodes that change how a model is sampled, where its file does not say or says otherwise."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from diffusion.model_sampling import DISCRETE, Sampling, flux_shift
from graph.node import node
from graph.widgets import OneOf
from nodes.sockets import Model, S, T

Edge = Annotated[int, Field(ge=16, le=16384)]
Mu = Annotated[float, Field(ge=0, le=100)]


@node(title="Model Sampling Discrete", category="sampling")
def model_sampling_discrete(
    model: Model[T, S],
    prediction: Annotated[str, OneOf(DISCRETE)] = "epsilon",
    zero_snr: bool = False,
) -> Model[T, S]:
    """Say what an SD 1.x, SD 2.x or SDXL model predicts, and whether its last level is all noise.

    For files that were trained with velocity and do not say so, and for consistency models: "lcm".
    """
    return replace(model, sampling=Sampling(prediction=prediction, zero_snr=zero_snr))


@node(title="Model Sampling Shift", category="sampling")
def model_sampling_shift(
    model: Model[T, S], shift: Annotated[float, Field(ge=0.01, le=100)] = 3.0
) -> Model[T, S]:
    """Spend more steps on the noisy end of a flow model the larger the shift.

    SD3's is 3, AuraFlow's 1.73. The time that the network is told stays the model's own.
    """
    return replace(model, sampling=Sampling(shift=shift))


@node(title="Model Sampling Flux", category="sampling")
def model_sampling_flux(
    model: Model[T, S],
    width: Edge = 1024,
    height: Edge = 1024,
    base_shift: Mu = 0.5,
    max_shift: Mu = 1.15,
) -> Model[T, S]:
    """Shift a FLUX.1 model by the size of the picture, as it was trained."""
    shift = flux_shift(width, height, base_shift, max_shift)
    return replace(model, sampling=Sampling(shift=shift))


@node(title="Rescale CFG", category="sampling")
def rescale_cfg(
    model: Model[T, S],
    share: Annotated[float, Field(ge=0, le=1, description="0 changes nothing.")] = 0.7,
) -> Model[T, S]:
    """Keep strong guidance from making pictures too contrasty; for zero-SNR models above all."""
    return replace(model, rescale=share)
