"""The MMDiT has the published names and shapes, and computes what diffusers computes."""

from dataclasses import replace

import pytest
import torch

from diffusion.layers import MissingTensor
from diffusion.mmdit import Mmdit, MmditConfig
from tests.diffusion.files import known_shapes, shapes_of

PUBLISHED = ["sd3_medium_mmdit", "sd35_medium_mmdit", "sd35_large_mmdit"]

PLAIN = MmditConfig(
    in_channels=16,
    out_channels=16,
    patch=2,
    side=12,
    width=64,
    depth=3,
    heads=4,
    inner_width=256,
    time_width=256,
    vector_width=20,
    context_width=24,
    normed_heads=False,
    dual_blocks=(),
)
NORMED = replace(PLAIN, normed_heads=True)
DUAL = replace(NORMED, dual_blocks=(0, 1))

CONFIGS = pytest.mark.parametrize(
    "config", [PLAIN, NORMED, DUAL], ids=["sd3", "sd35-large", "sd35-medium"]
)


def small(config: MmditConfig = PLAIN) -> Mmdit:
    """A model whose every tensor matters: none is all zeros or all ones."""
    module = Mmdit(config).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for name, tensor in module.state_dict().items():
        noise = torch.randn(tensor.shape, generator=generator)
        if ".ln_" in name:
            tensor.copy_(1 + 0.3 * noise)
        elif tensor.ndim > 1 and name != "pos_embed":
            tensor.copy_(noise / tensor[0].numel() ** 0.5)  # keeps activations near 1
        else:
            tensor.copy_(0.3 * noise)
    return module


def inputs(size: tuple[int, int] = (16, 16)) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(2, 16, *size, generator=generator)
    context = torch.randn(2, 7, 24, generator=generator)
    vector = torch.randn(2, 20, generator=generator)
    return latents, torch.tensor([3.0, 900.0]), context, vector


def diffusers_mmdit(ours: Mmdit) -> torch.nn.Module:
    """diffusers' model with our weights, renamed by diffusers' own conversion."""
    diffusers = pytest.importorskip("diffusers")
    from diffusers.loaders.single_file_utils import convert_sd3_transformer_checkpoint_to_diffusers

    config = ours.config
    model = diffusers.SD3Transformer2DModel(
        sample_size=2 * config.side,
        patch_size=config.patch,
        in_channels=config.in_channels,
        num_layers=config.depth,
        attention_head_dim=config.width // config.heads,
        num_attention_heads=config.heads,
        joint_attention_dim=config.context_width,
        caption_projection_dim=config.width,
        pooled_projection_dim=config.vector_width,
        out_channels=config.out_channels,
        pos_embed_max_size=config.side,
        dual_attention_layers=config.dual_blocks,
        qk_norm="rms_norm" if config.normed_heads else None,
    )
    weights = convert_sd3_transformer_checkpoint_to_diffusers(dict(ours.state_dict()))
    model.load_state_dict(weights, strict=True)
    return model.eval().requires_grad_(False)


@pytest.mark.parametrize("name", PUBLISHED)
def test_names_and_shapes_are_those_of_published_checkpoints(name: str) -> None:
    shapes = known_shapes(name)
    with torch.device("meta"):
        module = Mmdit(MmditConfig.from_shapes(shapes))
    assert shapes_of(module) == shapes


@pytest.mark.parametrize(
    ("name", "depth", "side", "normed", "dual"),
    [
        ("sd3_medium_mmdit", 24, 192, False, ()),
        ("sd35_medium_mmdit", 24, 384, True, tuple(range(13))),
        ("sd35_large_mmdit", 38, 192, True, ()),
    ],
)
def test_the_sizes_of_published_models_are_read_from_their_shapes(
    name: str, depth: int, side: int, normed: bool, dual: tuple[int, ...]
) -> None:
    config = MmditConfig.from_shapes(known_shapes(name))
    assert (config.depth, config.side) == (depth, side)
    assert (config.width, config.heads) == (64 * depth, depth)
    assert (config.normed_heads, config.dual_blocks) == (normed, dual)
    assert (config.patch, config.in_channels, config.out_channels) == (2, 16, 16)
    assert (config.context_width, config.vector_width, config.time_width) == (4096, 2048, 256)


@CONFIGS
def test_any_config_is_read_back_from_its_own_shapes(config: MmditConfig) -> None:
    assert MmditConfig.from_shapes(shapes_of(Mmdit(config)), heads=4) == config


def test_the_number_of_heads_shows_in_their_normalisation() -> None:
    assert MmditConfig.from_shapes(shapes_of(Mmdit(NORMED))).heads == 4


def test_a_missing_tensor_is_named() -> None:
    shapes = shapes_of(Mmdit(PLAIN))
    del shapes["context_embedder.weight"]
    with pytest.raises(MissingTensor, match=r"context_embedder\.weight"):
        MmditConfig.from_shapes(shapes)


def test_positions_that_are_no_square_are_refused() -> None:
    shapes = shapes_of(Mmdit(PLAIN)) | {"pos_embed": (1, 145, 64)}
    with pytest.raises(ValueError, match="145 positions"):
        MmditConfig.from_shapes(shapes)


@CONFIGS
@pytest.mark.parametrize("size", [(16, 16), (24, 6), (2, 24)])
def test_a_forward_pass_equals_diffusers_on_the_same_weights(
    config: MmditConfig, size: tuple[int, int]
) -> None:
    ours = small(config)
    latents, timesteps, context, vector = inputs(size)
    expected = diffusers_mmdit(ours)(latents, context, vector, timesteps).sample
    # float32 sums in another order (text before picture), after three blocks; outputs are about 1
    assert torch.allclose(ours(latents, timesteps, context, vector), expected, atol=2e-5, rtol=0)
    assert expected.std() > 0.05


def test_positions_are_taken_from_the_middle_of_the_table() -> None:
    module = small()
    table = module.pos_embed.unflatten(1, (12, 12))
    latents, timesteps, context, vector = inputs((8, 12))
    outside = module(latents, timesteps, context, vector)
    table[:, :4] = table[:, 8:] = table[:, :, :3] = table[:, :, 9:] = 7.0
    assert torch.equal(module(latents, timesteps, context, vector), outside)
    table[:, 4, 3] = 7.0
    assert not torch.allclose(module(latents, timesteps, context, vector), outside, atol=1e-3)


def test_an_odd_size_keeps_its_size_and_continues_from_the_other_edge() -> None:
    module = small()
    latents, timesteps, context, vector = inputs((7, 9))
    wider = torch.cat([latents, latents[..., :1]], dim=3)
    wider = torch.cat([wider, wider[..., :1, :]], dim=2)
    expected = module(wider, timesteps, context, vector)[..., :7, :9]
    assert torch.equal(module(latents, timesteps, context, vector), expected)


def test_a_picture_beyond_the_positions_is_refused_with_the_limit() -> None:
    module = small()
    latents, timesteps, context, vector = inputs((16, 26))
    with pytest.raises(ValueError, match=r"26 x 16 .* at most 24"):
        module(latents, timesteps, context, vector)


def test_weights_load_onto_a_module_built_without_memory() -> None:
    full = small(DUAL)
    with torch.device("meta"):
        empty = Mmdit(DUAL).eval()
    empty.load_state_dict(full.state_dict(), strict=True, assign=True)
    empty.requires_grad_(False)
    assert torch.equal(empty(*inputs()), full(*inputs()))


@CONFIGS
def test_a_bfloat16_model_stays_near_the_float32_one(config: MmditConfig) -> None:
    latents, timesteps, context, vector = inputs()
    expected = small(config)(latents, timesteps, context, vector)
    half = small(config).bfloat16()
    predicted = half(latents.bfloat16(), timesteps, context.bfloat16(), vector.bfloat16())
    assert predicted.dtype == torch.bfloat16
    # bfloat16 keeps 8 bits: a few percent of the output's spread after three blocks
    assert (predicted.float() - expected).std() < 0.05 * expected.std()
