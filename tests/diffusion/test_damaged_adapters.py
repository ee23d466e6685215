"""A ControlNet, upscaler or tiny VAE that is not whole is known by its header, and no other."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from diffusion.controlnet import controlnet_of
from diffusion.families import FAMILIES
from diffusion.identity.flaws import Flaw, flaws_of
from diffusion.identity.rules import recognise
from tests.diffusion.adapters import (
    UNETS,
    combined,
    compact_upscaler,
    controlnet,
    esrgan,
    numbered,
    tiny_half,
    tiny_vae,
)
from tests.diffusion.files import Shapes, header_of, shapes_of
from tests.diffusion.test_controlnet import SD1, steering_net

TAEF2 = Path(__file__).parents[3] / "shared" / "data" / "vae"


def flaws(shapes: Shapes) -> tuple[Flaw, ...]:
    header = header_of(shapes)
    return flaws_of(header, recognise(header))


WHOLE: dict[str, Callable[[], Shapes]] = {
    **{f"ControlNet of {name}": lambda name=name: controlnet(name) for name in UNETS},
    "ControlNet under a prefix": lambda: {
        f"control_model.{name}": shape for name, shape in controlnet("sd15").items()
    },
    "tiny VAE": lambda: combined(tiny_vae()),
    "tiny VAE of FLUX.2": lambda: combined(tiny_vae(32, pooled=True, scaled=True)),
    "tiny encoder": lambda: tiny_half("encoder"),
    "tiny decoder": lambda: tiny_half("decoder"),
    **{f"ESRGAN {k}": lambda k=k: esrgan(k) for k in range(1, 4)},
    **{f"ESRGAN numbered {k}": lambda k=k: numbered(esrgan(k), k) for k in range(4)},
    "ESRGAN of squares": lambda: esrgan(2, 2),
    "compact": compact_upscaler,
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_has_no_flaw(name: str) -> None:
    assert flaws(WHOLE[name]()) == ()


@pytest.mark.parametrize("name", WHOLE)
def test_without_any_one_of_its_tensors_it_is_damaged_or_not_known_at_all(name: str) -> None:
    whole = WHOLE[name]()
    silent = [
        gone
        for gone in list(whole)[:: max(1, len(whole) // 60)]
        if not _told({key: shape for key, shape in whole.items() if key != gone})
    ]
    assert silent == []


def _told(shapes: Shapes) -> bool:
    header = header_of(shapes)
    found = recognise(header)
    if found.kind == "unknown":
        return True
    return any(flaw.reason == "missing" for flaw in flaws_of(header, found))


@pytest.mark.parametrize("name", WHOLE)
def test_a_tensor_too_many_or_of_another_shape_is_told(name: str) -> None:
    whole = WHOLE[name]()
    prefix = "control_model." if "prefix" in name else ""
    (flaw,) = flaws({**whole, f"{prefix}adapter.weight": (4, 4)})
    assert (flaw.code, flaw.reason) == ("damaged_model", "extra")
    last = next(key for key in reversed(whole) if key.endswith(".bias"))
    (flaw,) = flaws({**whole, last: (5,)})
    assert (flaw.code, flaw.reason) == ("damaged_model", "wrong")
    assert "is 5, not " in flaw.message


def test_the_sentence_names_the_family_and_counts() -> None:
    whole = controlnet("sd15")
    assert len(whole) == 340  # as the published files of SD 1.5 hold
    (flaw,) = flaws({key: shape for key, shape in whole.items() if "zero_convs.3." not in key})
    assert flaw.message == (
        "2 tensors are missing of the 340 of ControlNet for SD 1.x (zero_convs.3.0.weight, "
        "zero_convs.3.0.bias). It is probably a ControlNet for SD 1.x that was pruned or not saved "
        "whole. Download it again, or get another version."
    )


@pytest.mark.parametrize("family", UNETS)
def test_what_is_wanted_of_a_controlnet_is_what_the_program_builds(family: str) -> None:
    wanted = controlnet(family)
    module, names = controlnet_of(wanted, FAMILIES[family].network)
    assert names.keys() == wanted.keys()
    built = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    assert built.keys() == wanted.keys()
    # A 1x1 convolution may be stored as a matrix.
    assert all(built[name][:2] == shape[:2] for name, shape in wanted.items())


@pytest.mark.parametrize(
    ("family", "sizes"),
    [
        ("sd15", {"cross_attention_dim": 768}),
        ("sd2", {"cross_attention_dim": 1024, "use_linear_projection": True}),
        (
            "sdxl",
            {
                "cross_attention_dim": 2048, "use_linear_projection": True,
                "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
                "block_out_channels": (320, 640, 1280), "transformer_layers_per_block": (1, 2, 10),
                "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
                "projection_class_embeddings_input_dim": 2816,
            },
        ),
    ],
)  # fmt: skip
def test_a_controlnet_that_diffusers_makes_is_whole(family: str, sizes: dict[str, object]) -> None:
    diffusers = pytest.importorskip("diffusers")
    with torch.device("meta"):
        shapes = shapes_of(diffusers.ControlNetModel(**sizes))
    assert recognise(header_of(shapes)).family == family
    assert flaws(shapes) == ()
    odd = "controlnet_cond_embedding.blocks.x.weight"
    (flaw,) = flaws({**shapes, odd: (16, 16, 3, 3)})
    assert f"1 tensor has no place in ControlNet for {FAMILIES[family].title} ({odd})" in (
        flaw.message
    )
    last = "controlnet_mid_block.bias"
    (flaw,) = flaws({name: shape for name, shape in shapes.items() if name != last})
    assert (flaw.code, flaw.reason) == ("damaged_model", "missing")


def test_a_small_controlnet_is_not_held_against_the_published_one() -> None:
    assert flaws(shapes_of(steering_net(SD1))) == ()


@pytest.mark.skipif(not TAEF2.exists(), reason="the trained tiny VAE is not here")
@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_the_trained_tiny_vae_is_whole(part: str) -> None:
    state = torch.load(TAEF2 / f"taef2_{part}.pth", map_location="meta", weights_only=True)
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    assert recognise(header_of(shapes)).kind == "tiny_vae"
    assert flaws(shapes) == ()


SIZES = 0, 1, 3, 4, 64, 320, 768


@pytest.mark.parametrize("name", WHOLE)
def test_whatever_a_header_says_it_is_judged_without_an_error(name: str) -> None:
    chance = random.Random(name)
    whole = WHOLE[name]()
    for _ in range(40):
        shapes = dict(whole)
        for key in chance.choices(list(whole), k=chance.choice((1, 3, 20, len(whole)))):
            if chance.random() < 0.5:
                shapes[key] = tuple(chance.choices(SIZES, k=chance.randrange(5)))
            elif chance.random() < 0.5:
                shapes.pop(key, None)
            else:
                shapes[key + chance.choice((".x", ".0.weight", ""))] = (1,)
        assert all(flaw.message for flaw in flaws(shapes))
