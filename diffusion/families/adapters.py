"""How ControlNets, upscalers and LoRAs look, and which family they were made for."""

import re

from diffusion.families.family import Look
from diffusion.families.signature import Has, Lacks, Shapes

_FAMILY_OF_CONTEXT = {768: "sd15", 1024: "sd2", 2048: "sdxl", 1280: "sdxl_refiner"}
"""The family by the width of the text that a UNet's cross-attention takes."""

_ATTENTION = "transformer_blocks.0.attn2.to_k.weight"


def _controlnet(family: str, title: str, *signature: Has | Lacks, layout: str = "original") -> Look:
    return Look("controlnet", "controlnet", title, signature, layout, family)


def _of_unet(family: str, *signature: Has | Lacks, layout: str = "original") -> Look:
    """One that `diffusion.controlnet` builds."""
    signature = (*signature, _LACKS_UNION)
    return Look(
        "controlnet", "controlnet", "ControlNet", signature, layout, family,
        parts=("controlnet",), runnable=True,
    )  # fmt: skip


_HINT = Has("input_hint_block.0.weight", (16, 3, 3, 3))
_CONDITION = Has("controlnet_cond_embedding.conv_in.weight")
_LACKS_UNION = Lacks("task_embedding")

ADAPTERS: tuple[Look, ...] = (
    _of_unet("sd15", _HINT, Has(f"input_blocks.1.1.{_ATTENTION}", (320, 768))),
    _of_unet("sd2", _HINT, Has(f"input_blocks.1.1.{_ATTENTION}", (320, 1024))),
    _of_unet("sdxl", _HINT, Has(f"input_blocks.4.1.{_ATTENTION}", (640, 2048))),
    _controlnet(
        "sdxl", "ControlNet for several kinds of picture", _CONDITION, Has("task_embedding"),
        layout="diffusers",
    ),
    *(
        _of_unet(
            family,
            _CONDITION,
            Has(f"down_blocks.1.attentions.0.{_ATTENTION}", (640, width)),
            layout="diffusers",
        )
        for width, family in ((768, "sd15"), (1024, "sd2"), (2048, "sdxl"))
    ),
    _controlnet(
        "flux1", "ControlNet (XLabs)", Has("controlnet_blocks.0.weight"),
        Has("double_blocks.0.img_attn.qkv.weight"),
    ),
    _controlnet(
        "flux1", "ControlNet (InstantX)", Has("controlnet_x_embedder.weight", (3072, None)),
        Lacks("transformer_blocks.0.img_mlp.net.0.proj.weight"), layout="diffusers",
    ),
    _controlnet(
        "sd3", "ControlNet", Has("controlnet_blocks.0.weight"), Has("pos_embed_input.proj.weight"),
        layout="diffusers",
    ),
    _controlnet(
        "sdxl", "ControlNet (small)", _CONDITION,
        Has("add_embedding.linear_1.weight", (1280, 2816)),
        Lacks(f"down_blocks.1.attentions.0.{_ATTENTION}"), layout="diffusers",
    ),
    _controlnet(
        "sd3", "ControlNet (Stability)", Has("transformer_blocks.0.adaLN_modulation.1.bias"),
        Has("controlnet_blocks.0.weight"), Lacks("pos_embed_input.proj.weight"),
    ),
    _controlnet(
        "qwen_image", "ControlNet", Has("controlnet_x_embedder.weight"),
        Has("transformer_blocks.0.img_mlp.net.0.proj.weight"),
    ),
    _controlnet("z_image", "ControlNet", Has("control_all_x_embedder.2-1.weight")),
    _controlnet("hunyuan_dit", "ControlNet", Has("after_proj_list.18.bias")),
    Look("controlnet", "control_lora", "control LoRA", (Has("lora_controlnet"),)),
    Look(
        "controlnet", "t2i_adapter", "T2I adapter",
        (Has("adapter.body.0.resnets.0.block1.weight"), Has("adapter.conv_in.weight")), "diffusers",
    ),
    Look(
        "controlnet", "t2i_adapter", "T2I adapter",
        (Has("body.0.block1.weight"), Has("conv_in.weight"), Lacks("conv_out.weight")),
    ),
    Look(
        "upscale_model", "swinir", "SwinIR upscaler",
        (Has("conv_first.weight"), Has("layers.0.residual_group.blocks.0.norm1.weight"),
         Lacks("layers.0.residual_group.blocks.0.conv_block.cab.0.weight")),
    ),
    Look(
        "upscale_model", "hat", "HAT upscaler",
        (Has("conv_first.weight"),
         Has("layers.0.residual_group.blocks.0.conv_block.cab.0.weight")),
    ),
    Look(
        "upscale_model", "dat", "DAT upscaler",
        (Has("conv_first.weight"), Has("layers.0.blocks.0.norm1.weight")),
    ),
    Look("upscale_model", "span", "SPAN upscaler", (Has("block_1.c1_r.sk.weight"),)),
    Look(
        "upscale_model", "compact", "compact upscaler",
        (Has("body.0.weight", (None, 3, 3, 3)), Has("body.1.weight", (None,)),
         Lacks("conv_first.weight")),
    ),
    Look(
        "upscale_model", "esrgan", "ESRGAN upscaler",
        (Has("model.0.weight"), Has("model.1.sub.0.RDB1.conv1.0.weight")),
    ),
    Look(
        "upscale_model", "esrgan", "ESRGAN upscaler",
        (Has("conv_first.weight"), Has("body.0.rdb1.conv1.weight")), "new",
    ),
)  # fmt: skip

_LORA = re.compile(
    r".*(?:[._]lora[._](?:down|A)(?:\.default)?\.weight|[._]lora_linear_layer\.down\.weight"
    r"|\.hada_w1_a|\.lokr_w[12](?:_a)?|\.diff)"
)
_CROSS_ATTENTION = re.compile(r".*attn2[._](?:processor[._])?to_[kv][._].*(?:down|lora_A).*weight")
_CLIP_INPUT = re.compile(r"lora_te1?_text_model.*self_attn_q_proj\.lora_down\.weight")


_JOINT = re.compile(
    r".*(?:(?<!single_)transformer_blocks[._]\d+[._]attn[._]add_q_proj"
    r"|layers[._]\d+[._]attention[._](?:qkv|to_q))[._]lora[._](?:down|A).*weight"
)
"""What text and picture alike go through, in the models that have it and are told by its width."""

_FAMILY_OF_WIDTH = {1536: "sd3", 2432: "sd3", 2304: "lumina2", 3840: "z_image"}


def is_lora(shapes: Shapes) -> bool:
    """Whether the file holds changes to weights (LoRA, LoHa, LoKr) in place of weights."""
    return any(_LORA.fullmatch(name) for name in shapes)


def family_of_lora(shapes: Shapes) -> tuple[str, str] | None:
    """The family that a LoRA changes and the sentence that says why, by names and widths."""
    for name, shape in shapes.items():
        if len(shape) >= 2 and _CROSS_ATTENTION.fullmatch(name):
            family = _FAMILY_OF_CONTEXT.get(shape[1])
            if family is not None:
                return family, f"{name} takes text of width {shape[1]}"
    for name, shape in shapes.items():
        if len(shape) >= 2 and _JOINT.fullmatch(name):
            owner = _FAMILY_OF_WIDTH.get(shape[1])
            if owner is not None:
                return owner, f"{name} takes tokens of width {shape[1]}"
    for signature, family, sentence in _LORA_NAMES:
        if any(signature.match(name) for name in shapes):
            return family, sentence
    for name, shape in shapes.items():
        if _CLIP_INPUT.fullmatch(name) and len(shape) == 2 and shape[1] in (768, 1024):
            return _FAMILY_OF_CONTEXT[shape[1]], f"{name} takes text of width {shape[1]}"
    return None


_LORA_NAMES = (
    (
        re.compile(r".*(?:single_stream_modulation|double_stream_modulation)"),
        "flux2",
        "it changes the shared modulation that only FLUX.2 has",
    ),
    (
        re.compile(r"(?:transformer\.single_transformer_blocks\.|lora_(?:unet|transformer)_(?:double"
                   r"|single(?:_transformer)?)_blocks_|diffusion_model\.double_blocks\.)"),
        "flux1",
        "it changes double and single blocks, as FLUX.1 has them",
    ),
    (
        re.compile(r".*transformer_blocks[._]\d+[._](?:img_mlp|txt_mlp|img_mod)[._]"),
        "qwen_image",
        "it changes feed-forward parts under the names that Qwen-Image has",
    ),
    (
        re.compile(r".*\bblocks[._]\d+[._](?:self_attn|cross_attn)[._][qkvo][._]"),
        "wan2.1",
        "it changes attention under the names that Wan has",
    ),
    (
        re.compile(r"lora_unet_blocks_\d+_(?:self_attn|cross_attn)_[qkvo]\."),
        "wan2.1",
        "it changes attention under the names that Wan has",
    ),
    (
        re.compile(r".*attentions[._]\d+[._]transformer_blocks[._][2-9]"),
        "sdxl",
        "it changes deep transformers, which of the UNets only SDXL's has",
    ),
    (re.compile(r".*joint_blocks"), "sd3", "it changes joint blocks, which SD3 has"),
    (
        re.compile(r"lora_te2_text_model"),
        "sdxl",
        "it changes a second CLIP text encoder, which SDXL has",
    ),
)  # fmt: skip
