"""Between starter and starter-b: the bridge keeps the picture, a wrong VAE does not."""

from functools import cache
from typing import Any

import pytest
import torch

from diffusion.engine import Engine
from diffusion.opened import Opened
from diffusion.quality import psnr
from graph.cancel import Cancel
from graph.definition import Argument
from nodes.bridge import compare_vaes, convert_latent, side_by_side, vae_round_trip
from nodes.services import WrongSpace
from nodes.sockets import Image, Latent, Mask, Vae
from nodes.vae import vae_decode, vae_encode
from server.worker_services import RunModels
from starter.export import CHECKPOINT, SECOND_VAE
from starter.proof import unseen_pictures
from tests.helpers.every_space import definitions
from tests.helpers.services import Interrupt, Outputs, Spaces

pytestmark = pytest.mark.starter

STARTER: Vae[Any] = Vae(CHECKPOINT, "content", latent_space="starter")
STARTER_B: Vae[Any] = Vae(SECOND_VAE, "content", latent_space="starter-b")


@cache
def services() -> dict[str, Any]:
    models = RunModels(Engine("cpu", "float32"), Cancel())
    return {"models": models, "interrupt": Interrupt()}


@cache
def spaces() -> Spaces:
    found = [Opened.at(path).space for path in (CHECKPOINT, SECOND_VAE)]
    return Spaces(*(space for space in found if space is not None))


def picture() -> Image:
    """Four pictures that the starter model never saw, in 0…1."""
    made = unseen_pictures(4)
    return Image(made.float().contiguous())


def latent() -> Latent[Any]:
    return vae_encode(picture(), STARTER, **services())


def decoded(latent: Latent[Any], vae: Vae[Any]) -> torch.Tensor:
    return vae_decode(latent, vae, spaces=spaces(), **services()).pixels


def test_the_bridge_brings_a_latent_over_where_a_wire_alone_makes_garbage() -> None:
    moved = convert_latent(latent(), STARTER, STARTER_B, spaces=spaces(), **services())
    assert moved.space == "starter-b"
    # two round trips through VAEs of 28 dB and more
    assert psnr(decoded(moved, STARTER_B), picture().pixels) > 24
    relabelled = Latent[Any](latent().samples, "starter-b")
    assert psnr(decoded(relabelled, STARTER_B), picture().pixels) < 15


def test_the_bridge_keeps_the_mask_and_refuses_a_latent_of_another_space() -> None:
    mask = Mask(torch.ones(1, 8, 8))
    masked = Latent[Any](latent().samples, "starter", mask)
    with_services = {"spaces": spaces(), **services()}
    assert convert_latent(masked, STARTER, STARTER_B, **with_services).mask is mask
    with pytest.raises(WrongSpace):
        convert_latent(masked, STARTER_B, STARTER, **with_services)


def test_the_bridge_is_typed_by_both_spaces() -> None:
    definition = definitions()["convert_latent"]
    spaces = [item.term.arguments for item in definition.inputs]
    one, other = (Argument(axis="latent", variable=name) for name in ("S", "R"))
    assert spaces == [(one,), (one,), (other,)]
    assert definition.outputs[0].term.arguments == (other,)


def test_a_round_trip_says_what_is_lost() -> None:
    outputs = Outputs()
    made = vae_round_trip(picture(), STARTER, outputs=outputs, **services())
    assert made.psnr == pytest.approx(psnr(made.image.pixels, picture().pixels))
    assert made.psnr > 28
    assert 0.8 < made.ssim < 1
    assert made.latent.space == "starter"
    grey = (made.difference.pixels - 0.5) / 4
    lost = (made.image.pixels - picture().pixels).clamp(-1 / 8, 1 / 8)
    torch.testing.assert_close(grey, lost, atol=1e-5, rtol=0)
    (text,) = outputs.texts
    assert text.startswith(f"starter.safetensors: PSNR {made.psnr:.1f} dB, SSIM {made.ssim:.3f}.")
    height, width = picture().pixels.shape[1:3]
    assert outputs.pictures[0].pixels.shape == (4, height, 3 * width + 2 * 8, 3)


def test_a_round_trip_compares_what_the_vae_took_of_an_odd_picture() -> None:
    odd = Image(torch.nn.functional.pad(picture().pixels, (0, 0, 3, 2, 1, 4), value=0.5))
    made = vae_round_trip(odd, STARTER, outputs=Outputs(), **services())
    assert made.psnr > 20


def test_vaes_are_compared_side_by_side() -> None:
    outputs = Outputs()
    vaes = [STARTER, STARTER]
    made = compare_vaes(latent(), vaes, spaces=spaces(), outputs=outputs, **services())
    width = picture().pixels.shape[2]
    assert torch.equal(made.pixels[:, :, :width], made.pixels[:, :, width + 8 :])
    assert outputs.texts == [
        "1. starter.safetensors\n2. starter.safetensors: PSNR 100.0 dB against the first"
    ]
    assert outputs.pictures == [made]
    wrong = {"spaces": spaces(), "outputs": outputs, **services()}
    with pytest.raises(WrongSpace):
        compare_vaes(latent(), [STARTER, STARTER_B], **wrong)


def test_pictures_lie_side_by_side_with_white_between() -> None:
    made = side_by_side([torch.zeros(2, 3, 4, 3)] * 3)
    assert made.shape == (2, 3, 3 * 4 + 2 * 8, 3)
    assert made[:, :, 4:12].min() == 1
    assert made[:, :, 12:16].max() == 0
