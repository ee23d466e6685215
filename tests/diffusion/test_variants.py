"""Members of the UNet families that are told more: recognised in both layouts, run or said why."""

import pytest
import torch
from torch import nn

from diffusion.conditioning import DEPTH, Scene, prepared
from diffusion.header import Header
from diffusion.identity.flaws import flaws_of
from diffusion.identity.identity import Identity
from diffusion.identity.rules import recognise
from diffusion.spaces import LATENT_SPACES
from diffusion.text import TextConditioning
from tests.diffusion.files import Shapes, header_of, known_shapes

STEM = "input_blocks.0.0.weight"
SIGMA = "edm_vpred.sigma_max"


def original(name: str, channels: int, **beside: tuple[int, ...]) -> Header:
    """A published UNet whose stem takes so many channels, in a checkpoint with tensors beside."""
    shapes = known_shapes(name)
    shapes[STEM] = (*shapes[STEM][:1], channels, 3, 3)
    under = {f"model.diffusion_model.{key}": shape for key, shape in shapes.items()}
    return header_of({**under, **{key.replace("__", "."): s for key, s in beside.items()}})


def from_diffusers(name: str, channels: int, **beside: tuple[int, ...]) -> Header:
    """The same as diffusers saves it."""
    pytest.importorskip("diffusers")
    from tests.diffusion.published_diffusers import published

    shapes = published(name)
    shapes["conv_in.weight"] = (*shapes["conv_in.weight"][:1], channels, 3, 3)
    return header_of({**shapes, **{key.replace("__", "."): s for key, s in beside.items()}})


def unclip(width: int) -> Identity:
    name = "model__diffusion_model__label_emb__0__0__weight"
    return recognise(original("unet_sd2_ldm", 4, **{name: (1280, width)}))


@pytest.mark.parametrize("header", [original, from_diffusers])
@pytest.mark.parametrize(
    ("name", "channels", "variant", "rows"),
    [
        ("unet_sd15_ldm", 8, "instruct_pix2pix", ("edit",)),
        ("unet_sd15_ldm", 9, "sd15_inpaint", ("inpaint",)),
        ("unet_sd2_ldm", 5, "sd2_depth", ("depth",)),
        ("unet_sd2_ldm", 9, "sd2_inpaint", ("inpaint",)),
        ("unet_sdxl_ldm", 8, "sdxl_edit", ("sizes", "edit")),
        ("unet_sdxl_ldm", 9, "sdxl_inpaint", ("sizes", "inpaint")),
    ],
)
def test_the_channels_of_the_stem_tell_the_variant(
    header: type[Header], name: str, channels: int, variant: str, rows: tuple[str, ...]
) -> None:
    found = recognise(header(name, channels))
    assert (found.variant, found.conditioning) == (variant, rows)
    assert found.prediction == "epsilon"
    assert found.certainty == "certain"
    assert found.runnable


def test_cosxls_editing_model_sees_the_scaled_picture_and_predicts_velocity() -> None:
    found = recognise(
        original("unet_sdxl_ldm", 8, edm_vpred__sigma_max=(), edm_vpred__sigma_min=())
    )
    assert (found.variant, found.prediction) == ("sdxl_edm_edit", "velocity")
    assert found.conditioning == ("sizes", "scaled_edit")


@pytest.mark.parametrize(("width", "variant"), [(1536, "unclip_l"), (2048, "unclip_h")])
def test_unclip_is_typed_and_says_what_is_lacking(width: int, variant: str) -> None:
    found = unclip(width)
    assert (found.family, found.variant) == ("sd2", variant)
    assert (found.latent_spaces, found.text_spaces) == (("sd1",), ("sd2",))
    assert not found.runnable
    assert any("CLIP's eye" in line for line in found.evidence)


def test_zero123_is_told_from_instruct_pix2pix_by_its_projection_of_the_camera() -> None:
    found = recognise(original("unet_sd15_ldm", 8, cc_projection__weight=(768, 772)))
    assert (found.family, found.variant, found.runnable) == ("sd15", "zero123", False)
    assert found.latent_spaces == ("sd1",)
    assert any("camera" in line for line in found.evidence)
    (flaw,) = flaws_of(original("unet_sd15_ldm", 8, cc_projection__weight=(768, 772)), found)
    assert "cannot run yet, since it reads a picture by CLIP's eye" in flaw.message


def test_the_consistency_decoder_is_a_vae_of_sd1s_space_that_cannot_be_run_yet() -> None:
    diffusers = pytest.importorskip("diffusers")
    with torch.device("meta"):
        model: nn.Module = diffusers.ConsistencyDecoderVAE()
    shapes: Shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = recognise(header_of(shapes))
    assert (found.kind, found.variant) == ("vae", "consistency_decoder")
    assert (found.latent_spaces, found.runnable) == (("sd1",), False)


def seen(depth: torch.Tensor) -> torch.Tensor:
    prompt = TextConditioning(torch.zeros(1, 3, 8), None, {DEPTH: depth})
    scene = Scene(torch.Size((2, 4, 8, 8)), LATENT_SPACES["sd1"])
    return prepared(["depth"], prompt, scene).extras["concat"]


def test_each_depth_picture_spans_all_of_the_range() -> None:
    slope = torch.linspace(0, 5, 64).expand(64, 64)
    concat = seen(torch.stack([slope, 0.5 - slope.mT / 100]))
    assert concat.shape == (2, 1, 8, 8)
    assert torch.equal(concat.amin((1, 2, 3)), -torch.ones(2))
    assert torch.equal(concat.amax((1, 2, 3)), torch.ones(2))
    assert concat[0, 0, 3, 0] < concat[0, 0, 3, 7]  # nearer on the right
    assert concat[1, 0, 0, 3] > concat[1, 0, 7, 3]


def test_an_even_depth_is_all_far_and_no_division_by_zero() -> None:
    assert torch.equal(seen(torch.full((1, 64, 64), 0.7)), -torch.ones(1, 1, 8, 8))
