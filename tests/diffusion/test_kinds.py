"""LoRAs, ControlNets, embeddings, upscalers and tiny VAEs are told apart by their headers."""

import pytest

from diffusion.identity.rules import recognise
from tests.diffusion.files import header_of

RESIDUAL = "layers.0.residual_group.blocks.0."


@pytest.mark.parametrize(
    ("shapes", "family"),
    [
        ({"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
          ".lora_down.weight": (8, 768)}, "sd15"),
        ({"unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_v"
          ".lora_A.weight": (8, 2048)}, "sdxl"),
        ({"lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": (8, 1280)}, "sdxl"),
        ({"lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight": (8, 1024)},
         "sd2"),
        ({"lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": (16, 3072)}, "flux1"),
        ({"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": (16, 3072)}, "flux1"),
        ({"lora_unet_joint_blocks_0_x_block_attn_qkv.lora_down.weight": (16, 1536)}, "sd3"),
        ({"transformer.transformer_blocks.0.attn.add_q_proj.lora_A.weight": (16, 1536)}, "sd3"),
        ({"transformer_blocks.0.attn.add_q_proj.lora_A.weight": (16, 2432)}, "sd3"),
        ({"transformer_blocks.3.attn.add_q_proj.lora_A.weight": (16, 3072),
          "transformer_blocks.3.img_mlp.net.2.lora_A.weight": (16, 12288)}, "qwen_image"),
        ({"diffusion_model.blocks.0.self_attn.q.lora_A.weight": (32, 5120)}, "wan2.1"),
        ({"lora_unet_blocks_0_cross_attn_k.lora_down.weight": (32, 1536)}, "wan2.1"),
        ({"diffusion_model.layers.0.attention.qkv.lora_A.weight": (16, 3840)}, "z_image"),
        ({"diffusion_model.layers.9.attention.to_q.lora_A.weight": (16, 2304)}, "lumina2"),
        ({"lora_unet_down_blocks_2_attentions_1_transformer_blocks_9_ff_net_2.lora_down.weight":
          (8, 5120)}, "sdxl"),
        ({"unet.mid_block.attentions.0.proj_in.hada_w1_a": (8, 4)}, None),
        ({"lora_unet_mid_block_attentions_0_proj_in.lokr_w1": (8, 4)}, None),
        ({"diffusion_model.input_blocks.0.0.diff": (320, 4, 3, 3)}, None),
        ({"unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora"
          ".down.weight": (4, 768)}, "sd15"),
        ({"something_else.lora_down.weight": (4, 10)}, None),
    ],
)  # fmt: skip
def test_a_lora_is_recognised_by_what_it_changes(
    shapes: dict[str, tuple[int, ...]], family: str | None
) -> None:
    found = recognise(header_of(shapes))
    assert (found.kind, found.family) == ("lora", family)
    assert found.certainty == ("likely" if family else "unknown")


def test_a_loras_metadata_may_name_its_base() -> None:
    header = header_of({"x.lora_down.weight": (4, 10)}, ss_base_model_version="sdxl_base_v1-0")
    assert recognise(header).family == "sdxl"


@pytest.mark.parametrize(
    ("shapes", "kind", "family"),
    [
        ({"emb_params": (8, 768)}, "embedding", "sd15"),
        ({"clip_l": (4, 768), "clip_g": (4, 1280)}, "embedding", "sdxl"),
        ({"conv_first.weight": (64, 3, 3, 3), "body.0.rdb1.conv1.weight": (32, 64, 3, 3)},
         "upscale_model", None),
        ({"0.weight": (64, 3, 3, 3), "14.weight": (4, 64, 3, 3)}, "tiny_vae", None),
        ({"control_model.input_hint_block.0.weight": (16, 3, 3, 3),
          "control_model.input_blocks.0.0.weight": (320, 4, 3, 3),
          "control_model.input_blocks.1.1.proj_in.weight": (320, 320, 1, 1),
          "control_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 768)},
         "controlnet", "sd15"),
        ({"<my-style>": (768,)}, "embedding", "sd15"),
        ({"<my-style>": (4, 1024)}, "embedding", "sd2"),
        ({"clip_l": (4, 768), "clip_g": (4, 1280), "t5xxl": (4, 4096)}, "embedding", "sd3"),
        ({"model.0.weight": (64, 3, 3, 3), "model.1.sub.0.RDB1.conv1.0.weight": (32, 64, 3, 3)},
         "upscale_model", None),
        ({"conv_first.weight": (180, 3, 3, 3), RESIDUAL + "norm1.weight": (180,)},
         "upscale_model", None),
        ({"conv_first.weight": (180, 3, 3, 3), RESIDUAL + "norm1.weight": (180,),
          RESIDUAL + "conv_block.cab.0.weight": (60, 180, 3, 3)},
         "upscale_model", None),
        ({"body.0.weight": (64, 3, 3, 3), "body.1.weight": (64,)}, "upscale_model", None),
        ({"lora_controlnet": (), "input_hint_block.0.weight": (16, 3, 3, 3)}, "controlnet", None),
        ({"conv_in.weight": (320, 64, 3, 3), "body.0.block1.weight": (320, 320, 3, 3)},
         "controlnet", None),
        ({"controlnet_blocks.0.weight": (3072, 3072),
          "double_blocks.0.img_attn.qkv.weight": (9216, 3072)}, "controlnet", "flux1"),
        ({"controlnet_x_embedder.weight": (3072, 64)}, "controlnet", "flux1"),
        ({"controlnet_x_embedder.weight": (3072, 64),
          "transformer_blocks.0.img_mlp.net.0.proj.weight": (12288, 3072)},
         "controlnet", "qwen_image"),
        ({"controlnet_blocks.0.weight": (1536, 1536),
          "pos_embed_input.proj.weight": (1536, 16, 2, 2)},
         "controlnet", "sd3"),
        ({"control_all_x_embedder.2-1.weight": (3840, 132)}, "controlnet", "z_image"),
        ({"taesd_encoder.0.weight": (64, 3, 3, 3), "taesd_encoder.14.weight": (16, 64, 3, 3),
          "taesd_decoder.1.weight": (64, 16, 3, 3)}, "tiny_vae", None),
        ({"weight": (3, 3)}, "unknown", None),
        ({}, "unknown", None),
    ],
)  # fmt: skip
def test_other_kinds_of_files_are_told_apart(
    shapes: dict[str, tuple[int, ...]], kind: str, family: str | None
) -> None:
    found = recognise(header_of(shapes))
    assert (found.kind, found.family) == (kind, family)
