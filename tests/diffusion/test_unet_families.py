"""The UNets of SD 2.x, SDXL and its refiner: published names, and what diffusers computes."""

from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion.architecture import Architecture
from diffusion.conditioning import Extras, Scene, prepared
from diffusion.families import FAMILIES
from diffusion.layers import Shapes
from diffusion.networks import DENOISERS, Built
from diffusion.spaces import LATENT_SPACES
from diffusion.text import TextConditioning
from diffusion.unet import UNet, UNetConfig
from tests.diffusion.files import known_shapes

ATOL = 3e-5
"""float32 sums in another order, after some eighty layers; outputs are about 1."""

SD2 = UNetConfig(
    in_channels=4,
    out_channels=4,
    stem_channels=32,
    time_width=128,
    context_width=24,
    channels=(32, 64, 64),
    depths=(1, 1, 0),
    middle_depth=1,
    residual_blocks=2,
    linear_projections=True,
    norm_groups=8,
    head_width=16,
)
SDXL = UNetConfig(**{**vars(SD2), "depths": (0, 2, 3), "middle_depth": 3, "vector_width": 1556})
REFINER = UNetConfig(
    **{
        **vars(SD2),
        "channels": (32, 64, 64, 64),
        "depths": (0, 2, 2, 0),
        "middle_depth": 2,
        "vector_width": 1300,
    }
)
POOLED = 20


def built(name: str) -> tuple[Built, Shapes]:
    shapes = known_shapes(name)
    family = FAMILIES[{"sd2": "sd2", "sd15": "sd15"}.get(name.split("_")[1], "sdxl")]
    return DENOISERS["unet"](shapes, family.network, Architecture()), shapes


@pytest.mark.parametrize(
    "name", ["unet_sd15_inpaint_ldm", "unet_sd2_ldm", "unet_sdxl_ldm", "unet_sdxl_refiner_ldm"]
)
def test_names_and_shapes_are_those_of_published_files(name: str) -> None:
    made, shapes = built(name)
    assert {key: tuple(value.shape) for key, value in made.module.state_dict().items()} == shapes
    assert made.names == {key: key for key in shapes}


def test_the_sizes_of_sdxl_are_read_from_its_shapes() -> None:
    config: Any = built("unet_sdxl_ldm")[0].module.config
    assert (config.channels, config.depths) == ((320, 640, 1280), (0, 2, 10))
    assert (config.middle_depth, config.vector_width, config.context_width) == (10, 2816, 2048)
    assert [config.heads_of(width) for width in (640, 1280)] == [10, 20]  # heads 64 wide
    assert config.up_depths is None


@pytest.mark.parametrize("config", [SD2, SDXL, REFINER], ids=["sd2", "sdxl", "refiner"])
def test_a_forward_pass_equals_diffusers_on_the_same_weights(config: UNetConfig) -> None:
    ours = small(config)
    x, timesteps, context = inputs()
    pooled = torch.randn(2, POOLED, generator=torch.Generator().manual_seed(3))
    sizes = {"width": 72.0, "height": 96.0, "crop_width": 3.0, "crop_height": 5.0}
    extras: dict[str, Any] = {}
    if config.vector_width == 1556:
        sizes |= {"target_width": 64.0, "target_height": 80.0}
        extras = {"ids": (96.0, 72.0, 5.0, 3.0, 80.0, 64.0), "row": "sizes"}
    elif config.vector_width:
        sizes |= {"aesthetic_score": 6.5}
        extras = {"ids": (96.0, 72.0, 5.0, 3.0, 6.5), "row": "refiner_sizes"}
    told, added = {}, {}
    if extras:
        prompt = TextConditioning(context, pooled, sizes)
        told = dict(prepared([extras["row"]], prompt, Scene(x.shape, LATENT_SPACES["sdxl"])).extras)
        added = {"text_embeds": pooled, "time_ids": torch.tensor([extras["ids"]] * 2)}
    expected = diffusers_unet(ours)(
        x, timesteps, encoder_hidden_states=context, added_cond_kwargs=added
    ).sample
    torch.testing.assert_close(ours(x, timesteps, context, **told), expected, atol=ATOL, rtol=0)
    assert expected.std() > 0.05


def test_the_vector_changes_the_answer_and_must_be_there() -> None:
    ours = small(SDXL)
    one, other = (ours(*inputs(), vector=torch.full((2, 1556), value)) for value in (0.0, 1.0))
    assert not torch.allclose(one, other, atol=1e-3)
    with pytest.raises(ValueError, match="vector"):
        ours(*inputs())


def test_what_is_seen_beside_the_latent_enters_the_first_convolution() -> None:
    ours = small(UNetConfig(**{**vars(SD2), "in_channels": 9}))
    x, timesteps, context = inputs()
    beside = torch.randn(2, 5, 16, 16)
    apart = ours(x, timesteps, context, concat=beside)
    assert torch.equal(apart, ours(torch.cat([x, beside], dim=1), timesteps, context))
    assert not torch.allclose(apart, ours(x, timesteps, context, concat=-beside), atol=1e-3)


@pytest.mark.parametrize(("middle", "depth"), [(2, 3), (1, 0), (0, 0)])
def test_distilled_models_are_read_back_from_their_shapes(middle: int, depth: int) -> None:
    # SSD-1B has no transformer in the middle, KOALA no middle at all; both go up unevenly
    config = UNetConfig(
        **{
            **vars(SDXL),
            "middle_blocks": middle,
            "middle_depth": depth,
            "up_depths": (2, 2, 3, 2, 1, 1, 0, 0, 0),
        }
    )
    ours = small(config)
    shapes = {name: tuple(tensor.shape) for name, tensor in ours.state_dict().items()}
    assert UNetConfig.from_shapes(shapes, norm_groups=8, head_width=16) == config
    assert ours(*inputs(), vector=torch.zeros(2, 1556)).shape == (2, 4, 16, 16)


def extras_of(row: str, extras: Extras = {}, negative: bool = False) -> Tensor:  # noqa: B006
    prompt = TextConditioning(torch.zeros(1, 3, 8), torch.zeros(1, POOLED), extras)
    scene = Scene(torch.Size((1, 4, 128, 96)), LATENT_SPACES["sdxl"], negative)
    [(_, tensor)] = prepared([row], prompt, scene).extras.items()
    return tensor


def test_sdxl_is_told_the_latents_own_size_where_a_prompt_says_none() -> None:
    stated = {"height": 1024, "width": 768, "target_height": 1024, "target_width": 768}
    assert torch.equal(extras_of("sizes"), extras_of("sizes", stated))
    assert not torch.equal(extras_of("sizes"), extras_of("sizes", {"crop_width": 8}))
    # a prompt that states only its size is shown at that size
    larger = {"height": 2048, "width": 1536}
    same = {**larger, "target_height": 2048, "target_width": 1536}
    assert torch.equal(extras_of("sizes", larger), extras_of("sizes", same))


def test_the_refiner_is_told_a_good_score_and_led_away_from_a_bad_one() -> None:
    good = extras_of("refiner_sizes", {"aesthetic_score": 6.0})
    bad = extras_of("refiner_sizes", {"aesthetic_score": 2.5})
    assert torch.equal(extras_of("refiner_sizes"), good)
    assert torch.equal(extras_of("refiner_sizes", negative=True), bad)
    assert good.shape == (1, POOLED + 5 * 256)


def test_an_inpainting_model_sees_the_mask_and_then_the_scaled_picture() -> None:
    latent = torch.randn(1, 4, 128, 96)
    mask = torch.zeros(1, 1024, 768)
    mask[:, :512] = 0.9
    seen = extras_of("inpaint", {"concat_latent": latent, "concat_mask": mask})
    assert seen.shape == (1, 5, 128, 96)
    assert (seen[:, 0, :64] == 1).all()  # rounded
    assert (seen[:, 0, 64:] == 0).all()
    assert torch.equal(seen[:, 1:], latent * 0.13025)


def test_an_inpainting_model_without_a_picture_sees_grey_to_be_made_anew() -> None:
    seen = extras_of("inpaint")
    assert (seen[:, 0] == 1).all()
    # numbers in shared use by other programs; see `conditioning.GREY`
    assert seen[0, 1:, 0, 0].tolist() == pytest.approx([0.8223, -0.6876, 0.6364, 0.1380])


def test_an_editing_model_sees_the_picture_unscaled_and_cut_to_its_middle() -> None:
    latent = torch.randn(1, 4, 128, 100)
    seen = extras_of("edit", {"concat_latent": latent})
    assert torch.equal(seen, latent[..., 2:-2])
    assert (extras_of("edit") == 0).all()


def small(config: UNetConfig) -> UNet:
    torch.manual_seed(0)
    return UNet(config).eval().requires_grad_(False)


def inputs() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, 4, 16, 16, generator=generator)
    context = torch.randn(2, 7, 24, generator=generator)
    return x, torch.tensor([3.0, 900.0]), context


def diffusers_unet(ours: UNet) -> torch.nn.Module:
    """diffusers' model with our weights, renamed by diffusers' own conversion."""
    diffusers = pytest.importorskip("diffusers")
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

    config = ours.config
    cross = [depth > 0 for depth in config.depths]
    vector = {}
    if config.vector_width:
        vector = {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": config.vector_width,
        }
    depths = [max(1, depth) for depth in config.depths]
    depths[-1] = config.middle_depth  # diffusers takes the middle's from the last level
    model = diffusers.UNet2DConditionModel(
        block_out_channels=config.channels,
        layers_per_block=config.residual_blocks,
        cross_attention_dim=config.context_width,
        attention_head_dim=[config.heads_of(width) for width in config.channels],
        transformer_layers_per_block=depths,
        norm_num_groups=config.norm_groups,
        use_linear_projection=config.linear_projections,
        down_block_types=["CrossAttnDownBlock2D" if level else "DownBlock2D" for level in cross],
        up_block_types=["CrossAttnUpBlock2D" if level else "UpBlock2D" for level in cross[::-1]],
        **vector,
    )
    prefix = "model.diffusion_model."
    weights = {prefix + name: tensor for name, tensor in ours.state_dict().items()}
    model.load_state_dict(convert_ldm_unet_checkpoint(weights, dict(model.config)), strict=True)
    return model.eval().requires_grad_(False)
