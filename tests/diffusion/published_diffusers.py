"""The published models as diffusers builds them, by the names of their headers; no weights."""

from collections.abc import Callable
from typing import Any

import diffusers
import torch
from torch import nn


def _plain(context: int, heads: int | list[int], **more: Any) -> nn.Module:
    return diffusers.UNet2DConditionModel(
        cross_attention_dim=context, attention_head_dim=heads, **more
    )


def _xl(
    channels: tuple[int, ...], context: int, vector: int, depths: list[int], middle: int
) -> nn.Module:
    """`depths`: transformer blocks of each level, 0: none."""
    cross = [depth > 0 for depth in depths]
    return diffusers.UNet2DConditionModel(
        block_out_channels=channels,
        cross_attention_dim=context,
        attention_head_dim=[width // 64 for width in channels],
        transformer_layers_per_block=[max(1, depth) for depth in depths[:-1]] + [middle],
        use_linear_projection=True,
        down_block_types=["CrossAttnDownBlock2D" if a else "DownBlock2D" for a in cross],
        up_block_types=["CrossAttnUpBlock2D" if a else "UpBlock2D" for a in cross[::-1]],
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=vector,
    )


def _sd3(depth: int, side: int, dual: int = 0, norm: str | None = None) -> nn.Module:
    return diffusers.SD3Transformer2DModel(
        sample_size=128,
        num_layers=depth,
        num_attention_heads=depth,
        attention_head_dim=64,
        caption_projection_dim=64 * depth,
        joint_attention_dim=4096,
        pooled_projection_dim=2048,
        pos_embed_max_size=side,
        out_channels=16,
        dual_attention_layers=tuple(range(dual)),
        qk_norm=norm,
    )


def _flux(channels: int = 64, guided: bool = True) -> nn.Module:
    return diffusers.FluxTransformer2DModel(
        in_channels=channels, out_channels=64, guidance_embeds=guided
    )


def _flux2(heads: int, doubles: int, singles: int, context: int, guided: bool) -> nn.Module:
    return diffusers.Flux2Transformer2DModel(
        num_layers=doubles,
        num_single_layers=singles,
        num_attention_heads=heads,
        joint_attention_dim=context,
        guidance_embeds=guided,
    )


_HEADS = [5, 10, 20, 20]

MODELS: dict[str, Callable[[], nn.Module]] = {
    "unet_sd15_ldm": lambda: _plain(768, 8),
    "unet_sd15_inpaint_ldm": lambda: _plain(768, 8, in_channels=9),
    "unet_sd2_ldm": lambda: _plain(1024, _HEADS, use_linear_projection=True),
    "unet_sdxl_ldm": lambda: _xl((320, 640, 1280), 2048, 2816, [0, 2, 10], 10),
    "unet_sdxl_refiner_ldm": lambda: _xl((384, 768, 1536, 1536), 1280, 2560, [0, 4, 4, 0], 4),
    "sd3_medium_mmdit": lambda: _sd3(24, 192),
    "sd35_medium_mmdit": lambda: _sd3(24, 384, 13, "rms_norm"),
    "sd35_large_mmdit": lambda: _sd3(38, 192, 0, "rms_norm"),
    "flux1_dev": _flux,
    "flux1_schnell": lambda: _flux(guided=False),
    "flux1_fill": lambda: _flux(384),
    "flux1_canny_depth": lambda: _flux(128),
    "flux2_dev": lambda: _flux2(48, 8, 48, 15360, True),
    "flux2_klein_4b": lambda: _flux2(24, 5, 20, 7680, False),
    "flux2_klein_9b": lambda: _flux2(32, 8, 24, 12288, False),
}


def published(name: str) -> dict[str, tuple[int, ...]]:
    """Every tensor name and shape of the model as diffusers saves it."""
    with torch.device("meta"):
        model = MODELS[name]()
    return {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}
