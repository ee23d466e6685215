"""Latents know their space, and only their own VAE turns them into pictures."""

import dataclasses

import pytest
import torch

from diffusion.loaded_vae import LoadedVae, VaeNotFinite, WrongShape
from diffusion.spaces import LatentSpace
from diffusion.vae import AutoencoderKL
from graph.cancel import Cancelled
from nodes.latents import empty_latent
from nodes.services import WrongSpace
from nodes.sockets import Image, Latent
from nodes.vae import vae_decode, vae_encode
from tests.helpers.services import Interrupt, Models, Spaces, recipe
from tests.helpers.tiny_model import vae_module

SHIFTED = LatentSpace("shifted", "Shifted", "S", 6, 4, scale=2.0, shift=0.5)


@pytest.fixture(scope="module")
def module() -> LoadedVae:
    torch.manual_seed(0)
    return loaded(vae_module())


def loaded(module: AutoencoderKL) -> LoadedVae:
    return LoadedVae(module, None, exact=lambda check: module)


def test_an_empty_latent_has_the_shape_and_id_of_its_space() -> None:
    latent = empty_latent("shifted", 64, 32, 3, spaces=Spaces(SHIFTED))  # type: ignore[arg-type]
    assert latent.samples.shape == (3, 6, 8, 16)
    assert latent.space == "shifted"


def test_an_empty_latent_is_what_the_model_sees_as_zero() -> None:
    latent = empty_latent("shifted", 64, 64, spaces=Spaces(SHIFTED))  # type: ignore[arg-type]
    assert SHIFTED.normalise(latent.samples).abs().max() == 0


def test_decoding_gives_pictures_in_0_to_1(module: LoadedVae) -> None:
    latent: Latent = Latent(torch.randn(2, 4, 4, 6, generator=torch.manual_seed(1)), "sd1")
    image = vae_decode(
        latent, recipe(), models=Models(vae=module), spaces=Spaces(), interrupt=Interrupt()
    )
    assert image.pixels.shape == (2, 32, 48, 3)
    assert image.pixels.min() >= 0
    assert image.pixels.max() <= 1


def test_a_latent_of_another_space_is_refused_at_run_time(module: LoadedVae) -> None:
    latent: Latent = Latent(torch.zeros(1, 4, 4, 4), "sdxl")
    with pytest.raises(WrongSpace):
        vae_decode(
            latent, recipe(), models=Models(vae=module), spaces=Spaces(), interrupt=Interrupt()
        )


def test_a_latent_with_other_channels_is_refused_even_if_its_space_is_unknown(
    module: LoadedVae,
) -> None:
    latent: Latent = Latent(torch.zeros(1, 16, 4, 4))
    with pytest.raises(WrongShape, match="16 channels"):
        vae_decode(
            latent, recipe(), models=Models(vae=module), spaces=Spaces(), interrupt=Interrupt()
        )


def test_decoding_can_be_cancelled_in_the_middle(module: LoadedVae) -> None:
    latent: Latent = Latent(torch.zeros(3, 4, 2, 2), "sd1")
    interrupt = Interrupt(at=5)
    with pytest.raises(Cancelled):
        vae_decode(
            latent, recipe(), models=Models(vae=module), spaces=Spaces(), interrupt=interrupt
        )
    assert interrupt.looks == 5


def test_a_vae_that_answers_with_nan_is_told(module: LoadedVae) -> None:
    latent: Latent = Latent(torch.full((1, 4, 2, 2), float("nan")), "sd1")
    with pytest.raises(VaeNotFinite, match="NaN"):
        vae_decode(
            latent, recipe(), models=Models(vae=module), spaces=Spaces(), interrupt=Interrupt()
        )


def test_encoding_cuts_the_middle_to_whole_cells_and_says_its_space(module: LoadedVae) -> None:
    pixels = torch.zeros(1, 37, 26, 3)
    pixels[:, 2:34, 1:25] = 1
    latent = vae_encode(
        Image(pixels), recipe("sdxl"), models=Models(vae=module), interrupt=Interrupt()
    )
    assert latent.samples.shape == (1, 4, 4, 3)
    assert latent.space == "sdxl"
    inside = vae_encode(
        Image(torch.ones(1, 32, 24, 3)), recipe(), models=Models(vae=module), interrupt=Interrupt()
    )
    assert torch.equal(latent.samples, inside.samples)


def test_a_picture_smaller_than_a_cell_is_refused_in_words(module: LoadedVae) -> None:
    with pytest.raises(WrongShape, match="8 x 8 is the least"):
        vae_encode(
            Image(torch.zeros(1, 7, 20, 3)),
            recipe(),
            models=Models(vae=module),
            interrupt=Interrupt(),
        )


def test_latents_of_half_precision_vaes_are_float32_on_the_wire(module: LoadedVae) -> None:
    half = loaded(vae_module().to(torch.bfloat16))
    latent = vae_encode(
        Image(torch.rand(1, 16, 16, 3)), recipe(), models=Models(vae=half), interrupt=Interrupt()
    )
    assert dataclasses.replace(latent, space="sd1").samples.dtype == torch.float32
