"""Published models that diffusers saved have the original's tensors, and are what these are."""

import pytest

pytest.importorskip("diffusers")

from diffusion.denoiser_names import LAYOUTS, denoiser_names
from diffusion.families import FAMILIES
from diffusion.families.signature import holds
from diffusion.identity.rules import LOOKS, recognise
from diffusion.origins import shapes_at
from tests.diffusion.files import header_of, known_shapes
from tests.diffusion.published_diffusers import MODELS, published


@pytest.mark.parametrize("name", MODELS)
def test_names_and_shapes_become_the_originals(name: str) -> None:
    shapes = published(name)
    found = recognise(header_of(shapes))
    assert found.family is not None
    kind = FAMILIES[found.family].network.kind
    assert LAYOUTS[kind].marker in shapes
    assert shapes_at(denoiser_names(kind, shapes), shapes) == known_shapes(name)


@pytest.mark.parametrize("name", MODELS)
def test_they_are_recognised_as_the_original_files_are(name: str) -> None:
    found = recognise(header_of(published(name)))
    original = recognise(header_of(known_shapes(name)))
    assert (found.layout, original.layout) == ("diffusers", "original")
    assert (found.kind, found.certainty) == ("diffusion_model", "certain")
    same = ("family", "variant", "latent_spaces", "text_spaces", "prediction", "noise", "runnable")
    for field in (*same, "conditioning", "title"):
        assert getattr(found, field) == getattr(original, field), field


@pytest.mark.parametrize("name", MODELS)
def test_they_fit_exactly_one_signature(name: str) -> None:
    shapes = published(name)
    looks = [look.id for look in LOOKS if holds(look.signature, shapes)]
    layouts = [
        (family.id, layout)
        for family in FAMILIES.values()
        for layout, signature in family.layouts.items()
        if holds(signature, shapes)
    ]
    assert len(looks) + len(layouts) == 1, (looks, layouts)
