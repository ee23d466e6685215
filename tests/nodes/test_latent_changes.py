"""Nodes that change latents keep their space, change the mask alike, and join no two spaces."""

import typing
from typing import Any

import pytest
import torch

from graph.definition import Argument
from nodes.latent_changes import (
    latent_crop,
    latent_flip,
    latent_rotate,
    latent_upscale,
    latent_upscale_by,
    set_latent_noise_mask,
)
from nodes.latent_mixing import (
    latent_batch,
    latent_blend,
    latent_composite,
    latent_composite_masked,
    latent_from_batch,
    latent_interpolate,
    repeat_latent_batch,
)
from nodes.services import WrongSpace
from nodes.sockets import Latent, Mask
from tests.helpers.every_space import definitions
from tests.helpers.services import Spaces

CHANGED = ("latent_upscale", "latent_upscale_by", "latent_crop", "latent_flip", "latent_rotate",
           "set_latent_noise_mask", "latent_blend", "latent_interpolate", "latent_composite",
           "latent_composite_masked", "latent_batch", "repeat_latent_batch",
           "latent_from_batch")  # fmt: skip
WITH: dict[str, Any] = {"spaces": Spaces()}


def latent(
    height: int = 4, width: int = 6, batch: int = 1, space: str = "sd1", **more: Any
) -> Latent[Any]:
    made = torch.randn(batch, 4, height, width, generator=torch.Generator().manual_seed(0))
    return Latent(made, space, **more)


def masked() -> Latent[Any]:
    """A latent whose mask is 1 in the cells that are positive in its first channel."""
    plain = latent(4, 4)
    return Latent(plain.samples, "sd1", Mask((plain.samples[:, 0] > 0).float()))


@pytest.mark.parametrize("type_", CHANGED)
def test_every_such_node_keeps_and_joins_one_space(type_: str) -> None:
    definition = definitions()[type_]
    terms = [item.term for item in (*definition.inputs, *definition.outputs)]
    spaces = {term.arguments for term in terms if term.kind == "Latent"}
    assert spaces == {(Argument(axis="latent", variable="S"),)}
    assert definition.outputs[0].term.kind == "Latent"


def test_every_node_with_two_latents_or_one_in_and_out_names_their_space_alike() -> None:
    """Of all node types there are: a latent is never given in a space that none was taken in.

    Converters take a VAE of the other space.
    """
    for definition in definitions().values():
        given = [item.term for item in definition.outputs if item.term.kind == "Latent"]
        taken = [item.term for item in definition.inputs]
        named = {item.variable for term in taken for item in term.arguments}
        named |= {space.variable for space in definition.spaces}
        named |= {arg.variable for item in definition.widgets if item.term
                  for arg in item.term.arguments}  # fmt: skip
        assert all(argument.variable in named for term in given for argument in term.arguments)


def test_upscaling_takes_pixels_and_keeps_proportions_where_one_is_0() -> None:
    assert latent_upscale(latent(), "bilinear", 96, 64, **WITH).samples.shape[2:] == (8, 12)
    assert latent_upscale(latent(), "bicubic", 96, 0, **WITH).samples.shape[2:] == (8, 12)
    assert latent_upscale(latent(), "area", 0, 16, **WITH).samples.shape[2:] == (2, 3)
    same = latent()
    assert latent_upscale(same, "area", 0, 0, **WITH) is same
    assert latent_upscale_by(latent(), "bislerp", 1.5).samples.shape[2:] == (6, 9)
    assert latent_upscale_by(latent(), "area", 0.01).samples.shape[2:] == (1, 1)


def test_a_cropped_upscale_keeps_the_middle() -> None:
    made = latent_upscale(latent(4, 6), "nearest-exact", 32, 32, "center", **WITH)
    assert torch.equal(made.samples, latent(4, 6).samples[..., 1:5])


def test_a_crop_is_the_piece_and_stays_inside() -> None:
    whole = latent(6, 6)
    assert torch.equal(
        latent_crop(whole, 16, 24, 8, 16, **WITH).samples, whole.samples[..., 2:5, 1:3]
    )
    assert torch.equal(
        latent_crop(whole, 32, 32, 800, 800, **WITH).samples, whole.samples[..., 2:, 2:]
    )
    assert torch.equal(latent_crop(whole, 512, 512, 8, 8, **WITH).samples, whole.samples)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: latent_flip(one, "vertical"),
        lambda one: latent_flip(one, "horizontal"),
        lambda one: latent_rotate(one, "90 degrees"),
        lambda one: latent_rotate(one, "270 degrees"),
        lambda one: latent_crop(one, 16, 16, 8, 8, **WITH),
        lambda one: latent_upscale_by(one, "nearest-exact", 2.0),
    ],
)
def test_the_mask_goes_the_same_way_as_the_picture(change: Any) -> None:
    made = change(masked())
    cells = torch.nn.functional.interpolate(
        made.mask.values[:, None], size=made.samples.shape[2:], mode="area"
    )[:, 0]
    # the mask is softened at the borders of cells, never by more than half
    wanted = (made.samples[:, 0] > 0).float()
    assert ((cells - wanted).abs() < 0.5).all()
    assert set(made.mask.values.shape[1:]) == {edge * 8 for edge in made.samples.shape[2:]}


def test_turning_four_quarters_is_nothing_and_a_quarter_is_clockwise() -> None:
    start = latent(3, 5)
    quarter = latent_rotate(start, "90 degrees")
    assert torch.equal(quarter.samples[..., 0, :], start.samples[..., :, 0].flip(-1))
    half = latent_rotate(quarter, "90 degrees")
    assert torch.equal(half.samples, latent_rotate(start, "180 degrees").samples)
    assert torch.equal(latent_rotate(half, "180 degrees").samples, start.samples)


def test_the_noise_mask_is_what_a_sampler_looks_at() -> None:
    mask = Mask(torch.ones(1, 8, 8))
    assert set_latent_noise_mask(latent(), mask).mask is mask


@pytest.mark.parametrize(
    "join",
    [
        lambda a, b: latent_blend(a, b, 0.5, **WITH),
        lambda a, b: latent_interpolate(a, b, 0.5, **WITH),
        lambda a, b: latent_composite(a, b, **WITH),
        lambda a, b: latent_composite_masked(a, b, **WITH),
        lambda a, b: latent_batch([a, b], **WITH),
    ],
)
def test_two_spaces_never_mix_at_run_time_either(join: Any) -> None:
    with pytest.raises(WrongSpace):
        join(latent(), latent(space="sdxl"))
    assert join(latent(), latent(space="sd1")).space == "sd1"
    assert join(latent(), latent(8, 10)).samples.shape[2:] == (4, 6)


def test_a_composite_lies_at_its_pixels() -> None:
    onto, piece = Latent(torch.zeros(1, 4, 6, 6), "sd1"), Latent(torch.ones(1, 4, 2, 2), "sd1")
    made = latent_composite(onto, piece, 16, 8, **WITH).samples
    assert made[0, 0].nonzero().tolist() == [[1, 2], [1, 3], [2, 2], [2, 3]]
    hole = Mask(torch.tensor([[[1.0, 0.0], [1.0, 0.0]]]))
    made = latent_composite_masked(onto, piece, hole, 16, 8, **WITH).samples
    assert made[0, 0].nonzero().tolist() == [[1, 2], [2, 2]]
    made = latent_composite_masked(onto, piece, resize_piece=True, **WITH).samples
    assert made.min() == 1


def test_a_batch_is_joined_repeated_and_parted() -> None:
    one, other = latent(), latent(batch=2)
    joined = latent_batch([one, masked(), other], **WITH)
    assert joined.samples.shape == (4, 4, 4, 6)
    assert joined.mask is not None
    assert joined.mask.values.shape[0] == 4
    assert joined.mask.values[0].min() == 1, "what had no mask is made anew all over"
    assert latent_batch([one, other], **WITH).mask is None
    assert len(repeat_latent_batch(joined, 3).samples) == 12
    repeated = repeat_latent_batch(joined, 2).mask
    assert repeated is not None
    assert torch.equal(repeated.values[4:], repeated.values[:4])
    part = latent_from_batch(joined, 2, 5)
    assert torch.equal(part.samples, joined.samples[2:])
    assert part.mask is not None
    assert len(part.mask.values) == 2
    assert len(latent_from_batch(one, 7, 1).samples) == 1


def test_the_signatures_hold_what_python_would_look_up() -> None:
    """A batch of latents is variadic in the program's own registry."""
    assert definitions()["latent_batch"].inputs[0].variadic
    assert typing.get_type_hints(latent_batch)
