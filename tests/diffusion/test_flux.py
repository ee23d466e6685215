"""FLUX.1 has the published names and shapes, and computes what diffusers computes."""

import pytest
import torch
from torch import Tensor, nn

from diffusion.flux import Flux, FluxConfig
from diffusion.flux_layers import latent_of, tokens_of
from diffusion.layers import MissingTensor
from tests.diffusion.files import known_shapes

SMALL = FluxConfig(
    channels=4,
    beside=0,
    width=96,
    heads=3,
    feed_forward=160,
    double_blocks=2,
    single_blocks=3,
    context_width=24,
    pooled_width=20,
    time_width=256,
    guided=True,
    axes=(4, 14, 14),
)


def shapes_of(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def small_flux(**changed: object) -> Flux:
    torch.manual_seed(0)
    model = Flux(FluxConfig(**{**vars(SMALL), **changed})).eval().requires_grad_(False)
    for name, tensor in model.named_parameters():
        if name.endswith("scale"):
            tensor.uniform_(0.5, 1.5)  # they begin as ones, which would hide a mistake
    return model


def small_inputs(height: int = 12, width: int = 8, channels: int = 4) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)

    def randn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    return {
        "x": randn(2, channels, height, width),
        "timesteps": torch.tensor([0.9, 0.25]),
        "context": randn(2, 7, 24),
        "vector": randn(2, 20),
        "guidance": torch.tensor([3.5, 1.0]),
    }


@pytest.mark.parametrize("name", ["flux1_dev", "flux1_schnell", "flux1_fill", "flux1_canny_depth"])
def test_names_and_shapes_are_those_of_published_files(name: str) -> None:
    shapes = known_shapes(name)
    with torch.device("meta"):
        model = Flux(FluxConfig.from_shapes(shapes))
    assert shapes_of(model) == shapes


@pytest.mark.parametrize(
    ("name", "beside", "guided"),
    [
        ("flux1_dev", 0, True),
        ("flux1_schnell", 0, False),
        ("flux1_fill", 80, True),
        ("flux1_canny_depth", 16, True),
    ],
)
def test_the_variants_are_read_from_their_shapes(name: str, beside: int, guided: bool) -> None:
    config = FluxConfig.from_shapes(known_shapes(name))
    assert (config.channels, config.beside, config.guided) == (16, beside, guided)
    assert (config.width, config.heads, config.axes) == (3072, 24, (16, 56, 56))
    assert (config.double_blocks, config.single_blocks) == (19, 38)


def test_any_config_is_read_back_from_its_own_shapes() -> None:
    assert FluxConfig.from_shapes(shapes_of(small_flux())) == SMALL
    schnell = small_flux(guided=False, beside=12)
    assert FluxConfig.from_shapes(shapes_of(schnell)) == schnell.config


def test_a_missing_tensor_is_named() -> None:
    shapes = shapes_of(small_flux())
    del shapes["final_layer.linear.weight"]
    with pytest.raises(MissingTensor, match=r"final_layer\.linear\.weight"):
        FluxConfig.from_shapes(shapes)


@pytest.mark.parametrize("size", [(12, 8), (4, 16)])
def test_a_forward_pass_equals_diffusers_on_the_same_weights(size: tuple[int, int]) -> None:
    ours, inputs = small_flux(), small_inputs(*size)
    expected = diffusers_forward(ours, inputs)
    # float32 sums in another order, after five blocks; outputs are about 1
    assert torch.allclose(ours(**inputs), expected, atol=1e-5)
    assert expected.std() > 0.1


def test_schnell_equals_diffusers_without_guidance() -> None:
    ours, inputs = small_flux(guided=False), small_inputs()
    del inputs["guidance"]
    assert torch.allclose(ours(**inputs), diffusers_forward(ours, inputs), atol=1e-5)


def test_what_lies_beside_the_latent_is_joined_before_the_tokens_are_made() -> None:
    ours, inputs = small_flux(beside=8), small_inputs()
    beside = torch.randn(2, 8, 12, 8, generator=torch.Generator().manual_seed(2))
    expected = diffusers_forward(ours, {**inputs, "concat": beside})
    assert torch.allclose(ours(**inputs, concat=beside), expected, atol=1e-5)


def test_a_model_that_lacks_what_lies_beside_says_so() -> None:
    with pytest.raises(ValueError, match="8 channels beside the latent, and was given 0"):
        small_flux(beside=8)(**small_inputs())


def test_without_a_pooled_vector_there_are_zeros() -> None:
    ours, inputs = small_flux(), small_inputs()
    expected = ours(**{**inputs, "vector": torch.zeros(2, 20)})
    del inputs["vector"]
    assert torch.equal(ours(**inputs), expected)


def test_guidance_changes_what_a_guided_model_says() -> None:
    ours, inputs = small_flux(), small_inputs()
    other = ours(**{**inputs, "guidance": torch.tensor([7.0, 7.0])})
    assert (ours(**inputs) - other).abs().max() > 1e-3


def test_odd_sizes_are_made_whole_and_cut_again() -> None:
    ours, inputs = small_flux(), small_inputs(11, 7)
    x = inputs["x"]
    wrapped = torch.cat(
        [torch.cat([x, x[..., :1]], -1), torch.cat([x, x[..., :1]], -1)[..., :1, :]], -2
    )
    expected = ours(**{**inputs, "x": wrapped})[..., :11, :7]
    assert torch.equal(ours(**inputs), expected)


def test_tokens_are_two_by_two_elements_in_the_order_channel_row_column() -> None:
    x = torch.arange(2 * 4 * 4).reshape(1, 2, 4, 4)
    tokens = tokens_of(x)
    assert tokens.shape == (1, 4, 8)
    assert tokens[0, 1].tolist() == [2, 3, 6, 7, 18, 19, 22, 23]
    assert torch.equal(latent_of(tokens, 4, 4), x)


def test_bfloat16_stays_near_float32() -> None:
    inputs = small_inputs()
    expected = small_flux()(**inputs)
    half = {k: v.bfloat16() if k in ("x", "context", "vector") else v for k, v in inputs.items()}
    made = small_flux().bfloat16()(**half)
    assert made.dtype == torch.bfloat16
    # bfloat16 keeps 8 bits: a few percent of the output's spread after five blocks
    assert (made.float() - expected).std() < 0.05 * expected.std()


def test_weights_load_onto_a_module_built_without_memory() -> None:
    full = small_flux()
    with torch.device("meta"):
        empty = Flux(SMALL).eval()
    empty.load_state_dict(full.state_dict(), strict=True, assign=True)
    empty.requires_grad_(False)
    assert torch.equal(empty(**small_inputs()), full(**small_inputs()))


def diffusers_forward(ours: Flux, inputs: dict[str, Tensor]) -> Tensor:
    """diffusers' answer with our weights, renamed by a table of this test."""
    diffusers = pytest.importorskip("diffusers")
    config = ours.config
    model = diffusers.FluxTransformer2DModel(
        in_channels=(config.channels + config.beside) * 4,
        out_channels=config.channels * 4,
        patch_size=1,
        num_layers=config.double_blocks,
        num_single_layers=config.single_blocks,
        attention_head_dim=config.width // config.heads,
        num_attention_heads=config.heads,
        joint_attention_dim=config.context_width,
        pooled_projection_dim=config.pooled_width,
        guidance_embeds=config.guided,
        axes_dims_rope=config.axes,
    )
    for blocks in (model.transformer_blocks, model.single_transformer_blocks):
        for block in blocks:
            _narrow(block, config)
    model.load_state_dict(_renamed(ours), strict=True)
    model.eval().requires_grad_(False)
    x = inputs["x"]
    height, width = x.shape[2] // 2, x.shape[3] // 2
    places = torch.zeros(height, width, 3)
    places[..., 1] = torch.arange(height)[:, None]
    places[..., 2] = torch.arange(width)[None]
    entry = torch.cat([x, inputs["concat"]], 1) if "concat" in inputs else x
    answer = model(
        hidden_states=_packed(entry),
        encoder_hidden_states=inputs["context"],
        pooled_projections=inputs["vector"],
        timestep=inputs["timesteps"],
        guidance=inputs.get("guidance"),
        img_ids=places.reshape(-1, 3),
        txt_ids=torch.zeros(inputs["context"].shape[1], 3),
    ).sample
    folded = answer.reshape(len(x), height, width, config.channels, 2, 2)
    return folded.permute(0, 3, 1, 4, 2, 5).reshape(x.shape)


def _packed(x: Tensor) -> Tensor:
    """Tokens as the pipelines of diffusers pack them."""
    batch, channels, height, width = x.shape
    folded = x.view(batch, channels, height // 2, 2, width // 2, 2).permute(0, 2, 4, 1, 3, 5)
    return folded.reshape(batch, height * width // 4, channels * 4)


def _narrow(block: nn.Module, config: FluxConfig) -> None:
    """diffusers knows one ratio of the feed-forward width, 4; give the block that of the config."""
    width, inner = config.width, config.feed_forward
    if hasattr(block, "proj_mlp"):
        block.proj_mlp = nn.Linear(width, inner)
        block.proj_out = nn.Linear(width + inner, width)
        block.mlp_hidden_dim = inner
        return
    for part in (block.ff, block.ff_context):
        part.net[0].proj = nn.Linear(width, inner)
        part.net[2] = nn.Linear(inner, width)


OUTER = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "final_layer.linear": "proj_out",
}
DOUBLE = {
    "img_mod.lin": "norm1.linear",
    "txt_mod.lin": "norm1_context.linear",
    "img_attn.proj": "attn.to_out.0",
    "txt_attn.proj": "attn.to_add_out",
    "img_attn.norm.query_norm": "attn.norm_q",
    "img_attn.norm.key_norm": "attn.norm_k",
    "txt_attn.norm.query_norm": "attn.norm_added_q",
    "txt_attn.norm.key_norm": "attn.norm_added_k",
    "img_mlp.0": "ff.net.0.proj",
    "img_mlp.2": "ff.net.2",
    "txt_mlp.0": "ff_context.net.0.proj",
    "txt_mlp.2": "ff_context.net.2",
}
SINGLE = {
    "modulation.lin": "norm.linear",
    "linear2": "proj_out",
    "norm.query_norm": "attn.norm_q",
    "norm.key_norm": "attn.norm_k",
}
QKV = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
}


def _renamed(ours: Flux) -> dict[str, Tensor]:
    """Our tensors under diffusers' names, joint projections taken apart."""
    config, made = ours.config, {}
    for name, tensor in ours.state_dict().items():
        stem, last = name.rsplit(".", 1)
        last = "weight" if last == "scale" else last
        block, _, inner = stem.partition(".")
        if block in ("double_blocks", "single_blocks"):
            number, _, inner = inner.partition(".")
            block = (
                "transformer_blocks" if block == "double_blocks" else "single_transformer_blocks"
            )
            start = f"{block}.{number}."
            if inner in QKV:
                parts = zip(QKV[inner], tensor.chunk(3), strict=True)
            elif inner == "linear1":
                names = ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")
                sizes = [config.width] * 3 + [config.feed_forward]
                parts = zip(names, tensor.split(sizes), strict=True)
            else:
                table = DOUBLE if block == "transformer_blocks" else SINGLE
                parts = zip((table[inner],), (tensor,), strict=True)
            made.update({f"{start}{theirs}.{last}": part for theirs, part in parts})
        elif stem == "final_layer.adaLN_modulation.1":
            shift, scale = tensor.chunk(2)
            made[f"norm_out.linear.{last}"] = torch.cat([scale, shift])  # their order
        else:
            made[f"{OUTER[stem]}.{last}"] = tensor
    return made
