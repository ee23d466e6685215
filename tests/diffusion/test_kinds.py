"""LoRAs, ControlNets, embeddings, upscalers and tiny VAEs are told apart by their headers."""

import pytest

from diffusion.identity.rules import identify
from tests.diffusion.files import header_of


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
        ({"something_else.lora_down.weight": (4, 10)}, None),
    ],
)  # fmt: skip
def test_a_lora_is_recognised_by_what_it_changes(
    shapes: dict[str, tuple[int, ...]], family: str | None
) -> None:
    found = identify(header_of(shapes))
    assert (found.kind, found.family) == ("lora", family)
    assert found.certainty == ("likely" if family else "unknown")


def test_a_loras_metadata_may_name_its_base() -> None:
    header = header_of({"x.lora_down.weight": (4, 10)}, ss_base_model_version="sdxl_base_v1-0")
    assert identify(header).family == "sdxl"


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
        ({"weight": (3, 3)}, "unknown", None),
        ({}, "unknown", None),
    ],
)  # fmt: skip
def test_other_kinds_of_files_are_told_apart(
    shapes: dict[str, tuple[int, ...]], kind: str, family: str | None
) -> None:
    found = identify(header_of(shapes))
    assert (found.kind, found.family) == (kind, family)
