"""Small random denoisers of diffusers' own making, saved as it saves them, and what they answer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import diffusers
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.diffusion.small import SPACE

UNET_METADATA = {"latent_loom.latent_space": json.dumps(SPACE)}
"""A small UNet is of no known space, and must declare one."""

Arguments = dict[str, Tensor]


class Case(NamedTuple):
    """`model()` makes the denoiser, `inputs` are what ours is given, `answer` is diffusers'."""

    family: str
    model: Callable[[], nn.Module]
    inputs: Arguments
    answer: Callable[[nn.Module, Arguments], Tensor]
    metadata: dict[str, str]


def saved(case: Case, path: Path, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Write the model's file; gives the model, with the numbers that the file has."""
    model = case.model().eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for name, tensor in model.state_dict().items():
        if name != "pos_embed.pos_embed":
            noise = torch.randn(tensor.shape, generator=generator)
            one = tensor.ndim == 1 and name.endswith("weight")
            fan = max(1, tensor[0].numel()) if tensor.ndim > 1 else 10
            tensor.copy_(noise / fan**0.5 + one)
        tensor.copy_(tensor.to(dtype))
    weights = {name: tensor.to(dtype) for name, tensor in model.state_dict().items()}
    save_file(weights, path, {"format": "pt", **case.metadata})
    return model


def _random(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _unet(
    family: str,
    channels: tuple[int, ...],
    depths: tuple[int, ...],
    heads: int | None,
    vector: int | None = None,
    beside: int = 0,
) -> Case:
    """`depths`: transformer blocks of each level, the middle's at the end; 0: none."""
    cross = [depth > 0 for depth in depths[:-1]]
    more: dict[str, Any] = {}
    inputs = {
        "x": _random(2, 4, 16, 16),
        "timesteps": torch.tensor([3.0, 900.0]),
        "context": _random(2, 7, 24, seed=2),
    }
    if beside:
        inputs["concat"] = _random(2, beside, 16, 16, seed=3)
    if vector:
        more = {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": vector,
        }
        inputs["vector"] = _random(2, vector, seed=4)
    blocks = [max(1, depth) for depth in depths[:-2]] + [depths[-1]]

    def model() -> nn.Module:
        return diffusers.UNet2DConditionModel(
            in_channels=4 + beside,
            block_out_channels=channels,
            layers_per_block=2,
            cross_attention_dim=24,
            attention_head_dim=heads or [width // 64 for width in channels],
            transformer_layers_per_block=blocks,
            use_linear_projection=heads is None,
            down_block_types=["CrossAttnDownBlock2D" if a else "DownBlock2D" for a in cross],
            up_block_types=["CrossAttnUpBlock2D" if a else "UpBlock2D" for a in cross[::-1]],
            **more,
        )

    return Case(family, model, inputs, _unet_answer, UNET_METADATA)


def _unet_answer(model: nn.Module, inputs: Arguments) -> Tensor:
    x, added = inputs["x"], {}
    if "concat" in inputs:
        x = torch.cat([x, inputs["concat"]], dim=1)
    if "vector" in inputs:
        # diffusers makes its vector of six or five numbers itself; here it is handed over whole
        model.add_time_proj = nn.Identity()
        sizes = 5 if inputs["vector"].shape[1] == 1300 else 6
        pooled, numbers = inputs["vector"].split([20, 256 * sizes], dim=1)
        added = {"text_embeds": pooled, "time_ids": numbers}
    return model(
        x,
        inputs["timesteps"],
        encoder_hidden_states=inputs["context"],
        added_cond_kwargs=added,
    ).sample


def _mmdit(dual: bool) -> Case:
    def model() -> nn.Module:
        return diffusers.SD3Transformer2DModel(
            sample_size=24,
            num_layers=3,
            attention_head_dim=64,
            num_attention_heads=2,
            joint_attention_dim=24,
            caption_projection_dim=128,
            pooled_projection_dim=20,
            out_channels=16,
            pos_embed_max_size=12,
            dual_attention_layers=(0, 1) if dual else (),
            qk_norm="rms_norm" if dual else None,
        )

    inputs = {
        "x": _random(2, 16, 16, 12),
        "timesteps": torch.tensor([3.0, 900.0]),
        "context": _random(2, 7, 24, seed=2),
        "vector": _random(2, 20, seed=3),
    }

    def answer(model: nn.Module, given: Arguments) -> Tensor:
        return model(given["x"], given["context"], given["vector"], given["timesteps"]).sample

    return Case("sd3", model, inputs, answer, {})


def _flux(guided: bool, beside: int = 0) -> Case:
    def model() -> nn.Module:
        return diffusers.FluxTransformer2DModel(
            in_channels=64 + 4 * beside,
            out_channels=64,
            num_layers=2,
            num_single_layers=2,
            attention_head_dim=64,
            num_attention_heads=2,
            joint_attention_dim=4096,
            pooled_projection_dim=768,
            guidance_embeds=guided,
            axes_dims_rope=(8, 28, 28),
        )

    inputs = {**_flow_inputs(16, 4096, guided), "vector": _random(2, 768, seed=3)}
    if beside:
        inputs["concat"] = _random(2, beside, 8, 12, seed=4)

    def answer(model: nn.Module, given: Arguments) -> Tensor:
        x = given["x"]
        words = torch.zeros(given["context"].shape[1], 3)
        entry = torch.cat([x, given["concat"]], dim=1) if beside else x
        return _flow_answer(model, given, entry, words, pooled_projections=given["vector"])

    return Case("flux1", model, inputs, answer, {})


def _flux2(guided: bool) -> Case:
    def model() -> nn.Module:
        return diffusers.Flux2Transformer2DModel(
            in_channels=128,
            num_layers=2,
            num_single_layers=2,
            attention_head_dim=32,
            num_attention_heads=3,
            joint_attention_dim=7680,
            axes_dims_rope=(8, 8, 8, 8),
            rope_theta=2000,
            guidance_embeds=guided,
        )

    def answer(model: nn.Module, given: Arguments) -> Tensor:
        words = torch.zeros(given["context"].shape[1], 4)
        words[:, 3] = torch.arange(len(words))
        return _flow_answer(model, given, given["x"], words)

    return Case("flux2", model, _flow_inputs(32, 7680, guided), answer, {})


def _flow_inputs(channels: int, width: int, guided: bool) -> Arguments:
    inputs = {
        "x": _random(2, channels, 8, 12),
        "timesteps": torch.tensor([0.9, 0.25]),
        "context": _random(2, 7, width, seed=2),
    }
    return inputs | ({"guidance": torch.tensor([4.0, 1.0])} if guided else {})


def _flow_answer(
    model: nn.Module, given: Arguments, entry: Tensor, words: Tensor, **more: Tensor
) -> Tensor:
    """FLUX works on tokens of 2 x 2 elements, that diffusers' pipelines pack and unpack."""
    height, width = entry.shape[2] // 2, entry.shape[3] // 2
    places = torch.zeros(height, width, words.shape[1])
    places[..., 1] = torch.arange(height)[:, None]
    places[..., 2] = torch.arange(width)[None]
    folded = entry.unflatten(2, (height, 2)).unflatten(4, (width, 2))
    tokens = folded.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
    out = model(
        hidden_states=tokens,
        encoder_hidden_states=given["context"],
        timestep=given["timesteps"],
        guidance=given.get("guidance"),
        img_ids=places.flatten(0, 1),
        txt_ids=words,
        **more,
    ).sample
    parts = out.unflatten(1, (height, width)).unflatten(3, (-1, 2, 2))
    return parts.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)


CASES = {
    "sd15": _unet("sd15", (32, 64), (1, 0, 1), 8),
    "sd15-inpaint": _unet("sd15", (32, 64), (1, 0, 1), 8, beside=5),
    "sd2": _unet("sd2", (64, 128), (1, 0, 1), None),
    "sdxl": _unet("sdxl", (64, 128, 128), (0, 2, 3, 3), None, vector=1556),
    "sdxl-edit": _unet("sdxl", (64, 128, 128), (0, 2, 3, 3), None, vector=1556, beside=4),
    "refiner": _unet("sdxl_refiner", (64, 64, 128, 128), (0, 2, 2, 0, 2), None, vector=1300),
    "sd3": _mmdit(dual=False),
    "sd35-medium": _mmdit(dual=True),
    "flux1-dev": _flux(guided=True),
    "flux1-schnell": _flux(guided=False),
    "flux1-fill": _flux(guided=True, beside=80),
    "flux2-dev": _flux2(guided=True),
    "flux2-klein": _flux2(guided=False),
}
