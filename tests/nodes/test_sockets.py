"""Values on wires have the form that they promise, and a known size."""

from pathlib import Path
from typing import Any

import pytest
import torch

from nodes.sockets import (
    BadValue,
    Conditioning,
    Image,
    Latent,
    Mask,
    Model,
    id_of,
    size_in_bytes,
)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Image(torch.zeros(4, 4, 3)), "4 dimensions"),
        (lambda: Image(torch.zeros(1, 3, 4, 4)), "3 colour channels"),
        (lambda: Image(torch.zeros(1, 4, 4, 3, dtype=torch.uint8)), "float32"),
        (lambda: Image([[0.0]]), "is a list, not a torch.Tensor"),  # type: ignore[arg-type]
        (lambda: Latent(torch.zeros(1, 4, 2, 2, device="meta")), "on the CPU"),
        (lambda: Mask(torch.zeros(4, 4)), "Mask.values"),
        (lambda: Conditioning(torch.zeros(1, 2, 3), torch.zeros(3)), "Conditioning.pooled"),
    ],
)
def test_a_value_of_the_wrong_form_is_refused_where_it_is_made(make: Any, complaint: str) -> None:
    with pytest.raises(BadValue, match=complaint):
        make()


def test_values_cannot_be_changed() -> None:
    image = Image(torch.zeros(1, 2, 2, 3))
    with pytest.raises(AttributeError):
        image.pixels = torch.ones(1, 2, 2, 3)  # type: ignore[misc]


def test_sizes_count_tensors_wherever_they_are() -> None:
    image = Image(torch.zeros(2, 8, 8, 3))
    assert size_in_bytes(image) == 2 * 8 * 8 * 3 * 4
    mask = Mask(torch.zeros(1, 8, 8))
    latent = Latent(torch.zeros(1, 4, 8, 8), "sd1", mask)
    size = size_in_bytes(latent)
    assert size is not None
    assert 0 < size - 5 * 64 * 4 < 200  # what is left is the space's id
    assert size_in_bytes([image, image]) == 2 * (2 * 8 * 8 * 3 * 4)


def test_a_view_counts_what_it_keeps_alive() -> None:
    assert size_in_bytes(torch.zeros(1000)[:1]) == 4000


def test_recipes_are_small_and_plain_values_have_sizes() -> None:
    recipe: Model[Any, Any] = Model(Path("models/x.safetensors"), "0" * 64, "sd1", "sd1")
    size = size_in_bytes(recipe)
    assert size is not None
    assert size < 2000
    assert size_in_bytes(3) == size_in_bytes(4)


@pytest.mark.parametrize(
    "value", [torch.nn.Linear(2, 2), [object()], torch.zeros(2, device="meta")]
)
def test_weights_and_strangers_are_not_kept(value: object) -> None:
    assert size_in_bytes(value) is None


def test_a_space_is_known_by_its_id_or_its_class() -> None:
    from graph.types import LatentSpace

    class Sdxl(LatentSpace, id="sdxl"):
        pass

    assert id_of(Sdxl) == "sdxl"
    assert id_of("sd1") == "sd1"  # type: ignore[arg-type]  # as the executor does
