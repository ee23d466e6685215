"""The UNet has the published names and shapes, and computes what diffusers computes."""

import pytest
import torch

from diffusion.layers import MissingTensor, timestep_embedding
from diffusion.unet import UNet, UNetConfig
from tests.diffusion.files import known_shapes, shapes_of

SMALL = UNetConfig(
    in_channels=4,
    out_channels=4,
    stem_channels=32,
    time_width=128,
    context_width=24,
    channels=(32, 64, 96),
    depths=(1, 1, 0),
    middle_depth=1,
    residual_blocks=2,
    linear_projections=False,
    heads=4,
    norm_groups=8,
)


def small_unet(config: UNetConfig = SMALL) -> UNet:
    torch.manual_seed(0)
    return UNet(config).eval().requires_grad_(False)


def small_inputs(size: tuple[int, int] = (16, 16)) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(2, 4, *size, generator=generator)
    context = torch.randn(2, 7, 24, generator=generator)
    return latents, torch.tensor([3.0, 900.0]), context


@pytest.mark.parametrize("name", ["unet_sd15_ldm", "unet_sd15_inpaint_ldm", "unet_sd2_ldm"])
def test_names_and_shapes_are_those_of_published_checkpoints(name: str) -> None:
    shapes = known_shapes(name)
    with torch.device("meta"):
        unet = UNet(UNetConfig.from_shapes(shapes))
    assert shapes_of(unet) == shapes


def test_the_sizes_of_stable_diffusion_1_are_read_from_its_shapes() -> None:
    config = UNetConfig.from_shapes(known_shapes("unet_sd15_ldm"))
    assert config.channels == (320, 640, 1280, 1280)
    assert config.depths == (1, 1, 1, 0)
    assert (config.residual_blocks, config.context_width, config.time_width) == (2, 768, 1280)
    assert (config.heads, config.norm_groups) == (8, 32)


def test_any_config_is_read_back_from_its_own_shapes() -> None:
    assert UNetConfig.from_shapes(shapes_of(small_unet()), heads=4, norm_groups=8) == SMALL


def test_a_missing_tensor_is_named() -> None:
    shapes = shapes_of(small_unet())
    del shapes["out.2.weight"]
    with pytest.raises(MissingTensor, match=r"out\.2\.weight"):
        UNetConfig.from_shapes(shapes)


def test_a_file_of_another_kind_is_refused_by_the_name_of_a_tensor() -> None:
    with pytest.raises(MissingTensor, match="is missing"):
        UNetConfig.from_shapes({"lm_head.weight": (4, 4)})


@pytest.mark.parametrize("size", [(16, 16), (8, 24), (13, 18)])
def test_a_forward_pass_equals_diffusers_on_the_same_weights(size: tuple[int, int]) -> None:
    ours = small_unet()
    latents, timesteps, context = small_inputs(size)
    theirs = diffusers_unet(ours)
    expected = theirs(latents, timesteps, encoder_hidden_states=context).sample
    # float32 sums in another order, after some sixty layers; outputs are about 1
    assert torch.allclose(ours(latents, timesteps, context), expected, atol=2e-5)
    assert expected.std() > 0.05


def test_linear_projections_equal_diffusers_too() -> None:
    ours = small_unet(UNetConfig(**{**vars(SMALL), "linear_projections": True}))
    latents, timesteps, context = small_inputs()
    expected = diffusers_unet(ours)(latents, timesteps, encoder_hidden_states=context).sample
    assert torch.allclose(ours(latents, timesteps, context), expected, atol=2e-5)


def test_weights_load_onto_a_module_built_without_memory() -> None:
    full = small_unet()
    with torch.device("meta"):
        empty = UNet(SMALL).eval()
    empty.load_state_dict(full.state_dict(), strict=True, assign=True)
    empty.requires_grad_(False)
    inputs = small_inputs()
    assert torch.equal(empty(*inputs), full(*inputs))


def test_a_bfloat16_unet_stays_near_the_float32_one() -> None:
    latents, timesteps, context = small_inputs()
    expected = small_unet()(latents, timesteps, context)
    half = small_unet().bfloat16()
    predicted = half(latents.bfloat16(), timesteps, context.bfloat16())
    assert predicted.dtype == torch.bfloat16
    # bfloat16 keeps 8 bits: a few percent of the output's spread after sixty layers
    assert (predicted.float() - expected).std() < 0.05 * expected.std()


def test_times_are_embedded_as_cosines_then_sines() -> None:
    embedded = timestep_embedding(torch.tensor([0.0, 10.0]), 4)
    expected = torch.tensor([[1, 1, 0, 0], [-0.8390715, 0.9950042, -0.5440211, 0.0998334]])
    assert torch.allclose(embedded, expected, atol=1e-6)  # float32's own rounding


def diffusers_unet(ours: UNet) -> torch.nn.Module:
    """diffusers' model with our weights, renamed by diffusers' own conversion."""
    diffusers = pytest.importorskip("diffusers")
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

    config = ours.config
    cross = [depth > 0 for depth in config.depths]
    model = diffusers.UNet2DConditionModel(
        block_out_channels=config.channels,
        layers_per_block=config.residual_blocks,
        cross_attention_dim=config.context_width,
        attention_head_dim=config.heads,  # its old name for the number of heads
        norm_num_groups=config.norm_groups,
        use_linear_projection=config.linear_projections,
        down_block_types=["CrossAttnDownBlock2D" if level else "DownBlock2D" for level in cross],
        up_block_types=["CrossAttnUpBlock2D" if level else "UpBlock2D" for level in cross[::-1]],
    )
    prefix = "model.diffusion_model."
    weights = {prefix + name: tensor for name, tensor in ours.state_dict().items()}
    model.load_state_dict(convert_ldm_unet_checkpoint(weights, dict(model.config)), strict=True)
    return model.eval().requires_grad_(False)
