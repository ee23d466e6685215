"""Families that cannot be run yet are recognised all the same, each by one signature, and typed."""

from typing import Any

import pytest
import torch

from diffusion.families import FAMILIES, RECOGNISED
from diffusion.families.signature import holds
from diffusion.identity.flaws import flaws_of
from diffusion.identity.rules import LOOKS, recognise
from diffusion.spaces import LATENT_SPACES, TEXT_SPACES
from tests.diffusion.files import Shapes, header_of, known_names, known_shapes, shapes_of

ORIGINAL: dict[str, tuple[str, Shapes]] = {
    # what it is: family, decisive tensors by their original names
    "Chroma": ("chroma", {
        "distilled_guidance_layer.in_proj.bias": (5120,), "img_in.weight": (3072, 64),
        "double_blocks.0.img_attn.qkv.weight": (9216, 3072),
        "double_blocks.0.img_attn.norm.key_norm.scale": (128,), "txt_in.weight": (3072, 4096),
        "final_layer.linear.weight": (64, 3072),
    }),
    "Chroma Radiance": ("chroma_radiance", {
        "distilled_guidance_layer.in_proj.bias": (5120,), "img_in_patch.weight": (3072, 3, 16, 16),
        "double_blocks.0.img_attn.qkv.weight": (9216, 3072),
    }),
    "Lumina 2": ("lumina2", {
        "cap_embedder.0.weight": (2304,), "cap_embedder.1.weight": (2304, 2304),
        "layers.0.attention.qkv.weight": (3840, 2304),
    }),
    "Z-Image": ("z_image", {
        "cap_embedder.1.weight": (3840, 2560), "cap_pad_token": (1, 3840),
        "layers.0.attention.qkv.weight": (11520, 3840),
        "layers.0.adaLN_modulation.0.weight": (15360, 256),
    }),
    "OmniGen2": ("omnigen2", {
        "time_caption_embed.timestep_embedder.linear_2.weight": (1024, 1024),
        "time_caption_embed.caption_embedder.1.weight": (2520, 2048),
        "context_refiner.0.attn.norm_k.weight": (120,), "layers.0.attn.to_q.weight": (2520, 2520),
        "ref_image_patch_embedder.weight": (2520, 64),
    }),
    "Wan 2.1 1.3B": ("wan2.1", {
        "head.modulation": (1, 2, 1536), "patch_embedding.weight": (1536, 16, 1, 2, 2),
        "blocks.0.self_attn.q.weight": (1536, 1536),
    }),
    "Wan 2.1 14B with a picture": ("wan2.1", {
        "head.modulation": (1, 2, 5120), "patch_embedding.weight": (5120, 36, 1, 2, 2),
        "blocks.0.self_attn.q.weight": (5120, 5120),
    }),
    "Wan 2.2 5B": ("wan2.2_ti2v_5b", {
        "head.modulation": (1, 2, 3072), "patch_embedding.weight": (3072, 48, 1, 2, 2),
        "blocks.0.self_attn.q.weight": (3072, 3072),
    }),
    "HiDream-I1": ("hidream_i1", {
        "double_stream_blocks.0.block.adaLN_modulation.1.bias": (30720,),
        "caption_projection.0.linear.weight": (2560, 4096),
    }),
    "Cascade C": ("cascade_c", {
        "clf.1.weight": (16, 2048, 1, 1), "clip_txt_mapper.weight": (2048, 1280),
    }),
    "Cascade B": ("cascade_b", {
        "clf.1.weight": (16, 320, 1, 1), "clip_mapper.weight": (5120, 1280),
        "effnet_mapper.0.weight": (1280, 16, 1, 1),
    }),
    "PixArt alpha": ("pixart_alpha", {
        "x_embedder.proj.weight": (1152, 4, 2, 2), "y_embedder.y_embedding": (120, 4096),
        "blocks.0.cross_attn.q_linear.weight": (1152, 1152),
        "csize_embedder.mlp.0.weight": (384, 256),
    }),
    "PixArt sigma": ("pixart_sigma", {
        "x_embedder.proj.weight": (1152, 4, 2, 2), "y_embedder.y_embedding": (300, 4096),
        "blocks.0.cross_attn.q_linear.weight": (1152, 1152),
    }),
    "AuraFlow": ("aura", {
        "double_layers.0.attn.w1q.weight": (3072, 3072), "cond_seq_linear.weight": (3072, 2048),
        "positional_encoding": (1, 4096, 3072),
    }),
    "SANA": ("sana", {
        "x_embedder.proj.weight": (2240, 32, 1, 1),
        "blocks.0.cross_attn.q_linear.weight": (2240, 2240),
        "blocks.0.cross_attn.kv_linear.weight": (4480, 2240),
    }),
    "HunyuanDiT": ("hunyuan_dit", {
        "mlp_t5.0.weight": (8192, 2048), "extra_embedder.0.weight": (5632, 1024),
        "x_embedder.proj.weight": (1408, 4, 2, 2),
    }),
    "HunyuanVideo": ("hunyuan_video", {
        "txt_in.individual_token_refiner.blocks.0.norm1.weight": (3072,),
        "img_in.proj.weight": (3072, 16, 1, 2, 2), "vector_in.in_layer.weight": (3072, 768),
    }),
    "HunyuanImage 2.1": ("hunyuan_image_2.1", {
        "txt_in.individual_token_refiner.blocks.0.norm1.weight": (3584,),
        "img_in.proj.weight": (3584, 64, 1, 1),
    }),
    "Kolors": ("kolors", {
        **known_shapes("unet_sdxl_ldm"), "label_emb.0.0.weight": (1280, 5632),
    }),
    "SD x4 upscaler": ("sd_x4_upscaler", {
        "input_blocks.0.0.weight": (256, 7, 3, 3), "out.2.weight": (4, 256, 3, 3),
        "input_blocks.4.1.proj_in.weight": (512, 512), "label_emb.weight": (1000, 1024),
    }),
}  # fmt: skip

DIFFUSERS: dict[str, tuple[str, dict[str, Any]]] = {
    # diffusers' class: family, what is not as it is by default
    "PixArtTransformer2DModel": ("pixart_alpha", {"num_layers": 1, "caption_channels": 4096}),
    "AuraFlowTransformer2DModel": (
        "aura", {"num_mmdit_layers": 1, "num_single_dit_layers": 1},
    ),
    "ChromaTransformer2DModel": ("chroma", {"num_layers": 1, "num_single_layers": 1}),
    "ZImageTransformer2DModel": ("z_image", {"n_layers": 1}),
    "Lumina2Transformer2DModel": ("lumina2", {"num_layers": 1}),
    "QwenImageTransformer2DModel": ("qwen_image", {"num_layers": 1}),
    "WanTransformer3DModel": ("wan2.1", {"num_layers": 1}),
    "SanaTransformer2DModel": ("sana", {"num_layers": 1}),
    "HunyuanDiT2DModel": (
        "hunyuan_dit",
        {"num_layers": 2, "hidden_size": 1408, "in_channels": 4, "patch_size": 2,
         "sample_size": 128, "mlp_ratio": 4.3637, "activation_fn": "gelu-approximate",
         "cross_attention_dim": 1024},
    ),
    "HunyuanVideoTransformer3DModel": ("hunyuan_video", {"num_layers": 1, "num_single_layers": 1}),
    "HunyuanImageTransformer2DModel": (
        "hunyuan_image_2.1", {"num_layers": 1, "num_single_layers": 1},
    ),
    "UNet2DConditionModel": (
        "kolors",
        {"block_out_channels": (320, 640), "layers_per_block": 1, "cross_attention_dim": 2048,
         "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
         "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
         "encoder_hid_dim": 4096, "encoder_hid_dim_type": "text_proj",
         "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
         "projection_class_embeddings_input_dim": 5632, "use_linear_projection": True},
    ),
}  # fmt: skip


def saved(name: str) -> Shapes:
    """The tensors of diffusers' model of this class, without their numbers."""
    diffusers = pytest.importorskip("diffusers")
    with torch.device("meta"):
        return shapes_of(getattr(diffusers, name)(**DIFFUSERS[name][1]))


def fitting(shapes: Shapes) -> list[str]:
    """Every signature that holds, whatever the order in which they are tried."""
    looks = [f"{look.kind} {look.id}" for look in LOOKS if holds(look.signature, shapes)]
    return looks + [
        family.id
        for family in FAMILIES.values()
        for signature in family.layouts.values()
        if holds(signature, shapes)
    ]


def assert_recognised(shapes: Shapes, family: str) -> None:
    """It is this family's and no other's, has its spaces, and is told before a run."""
    assert fitting(shapes) == [family]
    header = header_of(shapes)
    found = recognise(header)
    known = FAMILIES[family]
    assert (found.kind, found.family, found.parts) == ("diffusion_model", family, ("model",))
    assert known.latent_space in found.latent_spaces
    assert found.text_spaces == (known.text_space,)
    (flaw,) = flaws_of(header, found)
    assert (flaw.code, flaw.reason) == ("not_runnable", "family")
    assert known.title in flaw.message


@pytest.mark.parametrize("name", ORIGINAL)
def test_an_original_file_is_recognised_and_typed(name: str) -> None:
    family, shapes = ORIGINAL[name]
    assert_recognised(shapes, family)


@pytest.mark.parametrize("name", DIFFUSERS)
def test_what_diffusers_saves_is_recognised_and_typed(name: str) -> None:
    assert_recognised(saved(name), DIFFUSERS[name][0])


def test_every_family_that_cannot_be_run_is_tried_and_has_spaces_that_are_there() -> None:
    tried = {family for family, _ in (*ORIGINAL.values(), *DIFFUSERS.values())}
    assert {family.id for family in RECOGNISED} == tried
    for family in FAMILIES.values():
        assert family.latent_space in LATENT_SPACES
        assert family.text_space in TEXT_SPACES
    assert all(family.noise is not None for family in FAMILIES.values() if family.runnable)


@pytest.mark.parametrize("name", known_names())
def test_no_published_file_fits_two_signatures(name: str) -> None:
    if not name.startswith("checkpoint"):
        assert len(fitting(known_shapes(name))) == 1


def test_pixart_without_its_sizes_may_be_of_two_spaces() -> None:
    shapes = {
        name: shape
        for name, shape in saved("PixArtTransformer2DModel").items()
        if "resolution_embedder" not in name and "aspect_ratio" not in name
    }
    found = recognise(header_of(shapes))
    assert (found.family, found.latent_spaces) == ("pixart_sigma", ("sd1", "sdxl"))
    assert found.certainty == "unknown"


def test_a_loose_prefix_hides_no_auraflow_alone_or_with_a_vae() -> None:
    model = {f"model.{key}": shape for key, shape in ORIGINAL["AuraFlow"][1].items()}
    alone = recognise(header_of(model))
    assert (alone.kind, alone.family, alone.prefixes) == (
        "diffusion_model", "aura", {"model": "model."},
    )  # fmt: skip
    vae = {f"vae.{key}": shape for key, shape in known_shapes("vae_kl_f8_z4_ldm").items()}
    both = recognise(header_of({**model, **vae}))
    assert (both.kind, both.family, both.parts) == ("checkpoint", "aura", ("model", "vae"))
