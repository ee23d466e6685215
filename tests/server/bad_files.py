"""Bad model files of every sort, and where the checker shall tell of each."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from graph.workflow import PlacedNode, Wire, Workflow
from tests.diffusion.adapters import compact_upscaler, controlnet, tiny_half
from tests.diffusion.files import Shapes, known_shapes, write_gguf, write_zeros
from tests.helpers.every_space import node

SD15 = known_shapes("checkpoint_sd15")
UNET = "model.diffusion_model."
LORA = {"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
        ".lora_down.weight": (8, 768)}  # fmt: skip
CONTROLNET = {
    "control_model.input_hint_block.0.weight": (16, 3, 3, 3),
    "control_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 768),
}
UPSCALER = {"conv_first.weight": (64, 3, 3, 3), "body.0.rdb1.conv1.weight": (32, 64, 3, 3)}
TINY_DECODER, TINY_ENCODER = tiny_half("decoder"), tiny_half("encoder")
WAN_VAE = {
    "encoder.conv1.weight": (96, 3, 3, 3, 3),
    "decoder.middle.0.residual.0.gamma": (384, 1, 1, 1),
    "decoder.head.0.gamma": (96, 1, 1, 1),
}
UMT5 = {
    "shared.weight": (256384, 4096),
    "encoder.block.0.layer.1.DenseReluDense.wi_1.weight": (10240, 4096),
}


def without(shapes: Shapes, pattern: str) -> Shapes:
    return {name: shape for name, shape in shapes.items() if not re.match(pattern, name)}


def from_checkpoint(**more: PlacedNode) -> Workflow:
    """A picture by checkpoints/bad.safetensors alone."""
    nodes = {
        "load": node("load_checkpoint", {"file": "bad.safetensors"}),
        "words": node("clip_text_encode", clip="load.clip"),
        "empty": node("empty_latent"),
        "sampler": node(
            "k_sampler",
            model="load.model",
            positive="words.conditioning",
            negative="words.conditioning",
            latent="empty.latent",
        ),
        "decode": node("vae_decode", latent="sampler.latent", vae="load.vae"),
        "save": node("save_image", image="decode.image"),
    }
    return Workflow(nodes={**nodes, **more})


def from_model(file: str = "bad.safetensors") -> Workflow:
    """The same with the diffusion model from a file of its own, beside a sound checkpoint."""
    flow = from_checkpoint(model=node("load_diffusion_model", {"file": file}))
    sampler = flow.nodes["sampler"]
    wires = {**sampler.inputs, "model": sampler.inputs["model"].model_copy(
        update={"node": "model"})}  # fmt: skip
    changed = {
        "load": node("load_checkpoint", {"file": "good.safetensors"}),
        "sampler": sampler.model_copy(update={"inputs": wires}),
    }
    return Workflow(nodes={**flow.nodes, **changed})


def from_vae(file: str = "bad.safetensors") -> Workflow:
    """A photograph into a latent and back."""
    return Workflow(
        nodes={
            "load": node("load_vae", {"file": file}),
            "photo": node("load_image", {"file": "cat.png"}),
            "encode": node("vae_encode", image="photo.image", vae="load.vae"),
            "decode": node("vae_decode", latent="encode.latent", vae="load.vae"),
            "save": node("save_image", image="decode.image"),
        }
    )


def from_clip(file: str = "bad.safetensors") -> Workflow:
    """The same as `from_checkpoint` with the text encoder from a file of its own."""
    flow = from_checkpoint(clip=node("load_clip", {"file": file}))
    changed = {
        "load": node("load_checkpoint", {"file": "good.safetensors"}),
        "words": node("clip_text_encode", clip="clip.clip"),
    }
    return Workflow(nodes={**flow.nodes, **changed})


def from_controlnet() -> Workflow:
    """The same as `from_checkpoint`, steered by a ControlNet's file."""
    flow = from_checkpoint(
        net=node("load_controlnet", {"file": "bad.safetensors"}),
        photo=node("load_image", {"file": "cat.png"}),
        steer=node(
            "apply_controlnet", model="load.model", control="net.controlnet", image="photo.image"
        ),
    )
    sampler = flow.nodes["sampler"]
    steered = Wire(node="steer", output="model")
    changed = {
        "load": node("load_checkpoint", {"file": "good.safetensors"}),
        "sampler": sampler.model_copy(update={"inputs": {**sampler.inputs, "model": steered}}),
    }
    return Workflow(nodes={**flow.nodes, **changed})


def from_upscaler() -> Workflow:
    """A photograph, enlarged by an upscaler's file."""
    return Workflow(
        nodes={
            "load": node("load_upscale_model", {"file": "bad.safetensors"}),
            "photo": node("load_image", {"file": "cat.png"}),
            "large": node(
                "upscale_image_with_model", upscaler="load.upscaler", image="photo.image"
            ),
            "save": node("save_image", image="large.image"),
        }
    )


class Case(NamedTuple):
    """A bad file and where it is told: `write(models)` puts it there."""

    write: Callable[[Path], object]
    flow: Workflow
    code: str
    reason: str
    at: tuple[str, str]
    words: str


def zeros(folder: str, shapes: Shapes) -> Callable[[Path], object]:
    return lambda models: write_zeros(models / folder / "bad.safetensors", shapes)


def raw(data: bytes) -> Callable[[Path], object]:
    return lambda models: (models / "checkpoints" / "bad.safetensors").write_bytes(data)


def cut(models: Path) -> None:
    path = write_zeros(models / "checkpoints" / "bad.safetensors", SD15)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def not_a(kind: str, folder: str, shapes: Shapes) -> Case:
    """A file of another kind that was chosen as a checkpoint."""
    words = f"move it to models/{folder}, and choose a checkpoint here"
    return Case(
        zeros("checkpoints", shapes), from_checkpoint(), "wrong_kind", kind, ("load", "file"), words
    )


LOADER, PLAIN = ("load", "file"), from_checkpoint()

CASES: dict[str, Case] = {
    "a variant that cannot be run yet": Case(
        zeros("checkpoints", {**SD15, UNET + "input_blocks.0.0.weight": (320, 8, 3, 3),
                              "cc_projection.weight": (768, 772)}),
        PLAIN, "not_runnable", "family", LOADER, "recognised as SD 1.x Zero123",
    ),
    "a denoiser of no family": Case(
        zeros("checkpoints", without(SD15, r".*\.out\.2\.")),
        PLAIN, "not_runnable", "unknown", LOADER, "nearest is SD 1.x",
    ),
    "8-bit weights with scales": Case(
        zeros("checkpoints", {**SD15, UNET + "scaled_fp8": (2,)}),
        PLAIN, "not_runnable", "scaled_weights", LOADER, "with scales beside them",
    ),
    "4-bit weights": Case(
        zeros("checkpoints", {**SD15, UNET + "out.2.weight.absmax": (4,)}),
        PLAIN, "not_runnable", "packed_weights", LOADER, "packed by bitsandbytes",
    ),
    "a GGUF file": Case(
        lambda models: write_gguf(models / "diffusion_models" / "bad.gguf",
                                  known_shapes("unet_sd15_ldm")),
        from_model("bad.gguf"), "not_runnable", "gguf", ("model", "file"), "in a GGUF file",
    ),
    "a model without a tensor": Case(
        zeros("checkpoints", without(SD15, r".*middle_block\.0\.in_layers\.2\.bias")),
        PLAIN, "damaged_model", "missing", LOADER, "1 tensor is missing of the 686 of SD 1.x",
    ),
    "a model with a tensor too many": Case(
        zeros("checkpoints", {**SD15, UNET + "adapter.weight": (4, 4)}),
        PLAIN, "damaged_model", "extra", LOADER, "something else saved into it",
    ),
    "a model with a tensor of another shape": Case(
        zeros("checkpoints", {**SD15, UNET + "out.2.weight": (8, 320, 3, 3)}),
        PLAIN, "damaged_model", "wrong", LOADER, "out.2.weight is 8 x 320 x 3 x 3, not 4 x",
    ),
    "a checkpoint whose VAE is damaged": Case(
        zeros("checkpoints", without(SD15, r".*decoder\.up\.0\.")),
        PLAIN, "damaged_model", "missing", LOADER, "In its VAE: ",
    ),
    "a checkpoint whose text encoder is damaged": Case(
        zeros("checkpoints", without(SD15, r"cond_stage_model.*layers\.3\.layer_norm1")),
        PLAIN, "damaged_model", "missing", LOADER, "In its text encoder: 2 tensors are missing",
    ),
    "a checkpoint without VAE": Case(
        zeros("checkpoints", without(SD15, "first_stage_model")),
        PLAIN, "missing_part", "", ("decode", "vae"), "has no VAE",
    ),
    "a checkpoint without text encoder": Case(
        zeros("checkpoints", without(SD15, "cond_stage_model")),
        PLAIN, "missing_part", "", ("words", "clip"), "has no text encoder",
    ),
    "a LoRA": not_a("lora", "loras", LORA),
    "a ControlNet": not_a("controlnet", "controlnet", CONTROLNET),
    "an embedding": not_a("embedding", "embeddings", {"emb_params": (4, 768)}),
    "an upscaler": not_a("upscale_model", "upscale_models", UPSCALER),
    "a text encoder": not_a("text_encoder", "text_encoders", known_shapes("clip_l_hf")),
    "a VAE": not_a("vae", "vae", known_shapes("vae_kl_f8_z4_ldm")),
    "a tiny VAE": not_a("tiny_vae", "vae", TINY_DECODER),
    "a LoRA as a diffusion model": Case(
        zeros("diffusion_models", LORA), from_model(),
        "wrong_kind", "lora", ("model", "file"), "choose a diffusion model here",
    ),
    "a LoRA as a VAE": Case(
        zeros("vae", LORA), from_vae(), "wrong_kind", "lora", LOADER, "choose a VAE here",
    ),
    "a checkpoint without VAE as a VAE": Case(
        zeros("vae", without(SD15, "first_stage_model")), from_vae(),
        "wrong_kind", "checkpoint", LOADER, "that holds no VAE: move it to models/checkpoints",
    ),
    "a VAE as a text encoder": Case(
        zeros("text_encoders", known_shapes("vae_kl_f8_z4_ldm")), from_clip(),
        "wrong_kind", "vae", ("clip", "file"), "choose a text encoder here",
    ),
    "anything as a text encoder": Case(
        zeros("text_encoders", {"weight": (3, 3)}), from_clip(),
        "unusable_file", "unrecognised", ("clip", "file"), "fit no known kind of file",
    ),
    "a text encoder that cannot be run yet": Case(
        zeros("text_encoders", UMT5),
        from_clip(), "not_runnable", "encoder", ("clip", "file"), "UMT5-XXL",
    ),
    "a VAE that cannot be run yet": Case(
        zeros("vae", WAN_VAE), from_vae(), "not_runnable", "vae", LOADER, "Wan 2.1 VAE",
    ),
    "the decoder of a tiny VAE": Case(
        zeros("vae", TINY_DECODER), from_vae(), "missing_part", "", ("encode", "vae"),
        "has no VAE encoder",
    ),
    "the encoder of a tiny VAE": Case(
        zeros("vae", TINY_ENCODER), from_vae(), "missing_part", "", ("decode", "vae"),
        "has no VAE decoder",
    ),
    "half of a large VAE": Case(
        zeros("vae", without(known_shapes("vae_kl_f8_z4_ldm"), r"encoder\.|quant")), from_vae(),
        "not_runnable", "half", LOADER, "only the decoder of a VAE",
    ),
    "a ControlNet without a tensor": Case(
        zeros("controlnet", without(controlnet("sd15"), r"zero_convs\.4\.0\.bias")),
        from_controlnet(), "damaged_model", "missing", ("net", "file"),
        "1 tensor is missing of the 340 of ControlNet for SD 1.x (zero_convs.4.0.bias)",
    ),
    "a ControlNet with a tensor too many": Case(
        zeros("controlnet", {**controlnet("sd15"), "lora.weight": (4, 4)}),
        from_controlnet(), "damaged_model", "extra", ("net", "file"), "no place in ControlNet",
    ),
    "an upscaler without a tensor": Case(
        zeros("upscale_models", without(compact_upscaler(), r"body\.4\.bias")),
        from_upscaler(), "damaged_model", "missing", LOADER,
        "1 tensor is missing of the 17 of compact upscaler (body.4.bias)",
    ),
    "an upscaler that cannot be run yet": Case(
        zeros("upscale_models", {"block_1.c1_r.sk.weight": (48, 3, 1, 1)}),
        from_upscaler(), "not_runnable", "upscaler", LOADER, "choose an ESRGAN or a compact",
    ),
    "a tiny VAE without a tensor": Case(
        zeros("vae", without(TINY_DECODER, r"13\.conv\.2\.weight")), from_vae(), "damaged_model",
        "missing", LOADER, "1 tensor is missing of the",
    ),
    "a download that was cut short": Case(
        cut, PLAIN, "unusable_file", "cut_short", LOADER, "The download is not complete",
    ),
    "an empty file": Case(raw(b""), PLAIN, "unusable_file", "empty", LOADER, "is empty"),
    "a pickle": Case(
        raw(b"\x80\x02}q\x00."), PLAIN, "unusable_file", "pickle", LOADER, "convert it",
    ),
    "a web page": Case(
        raw(b"<!doctype html>"), PLAIN, "unusable_file", "web_page", LOADER, "saved under a model",
    ),
    "a Git LFS pointer": Case(
        raw(b"version https://git-lfs.github.com/spec/v1"), PLAIN, "unusable_file", "git_lfs",
        LOADER, "git lfs pull",
    ),
    "no safetensors at all": Case(
        raw(bytes(range(200))), PLAIN, "unusable_file", "not_safetensors", LOADER, "not a safe",
    ),
    "a broken header": Case(
        raw(b"\x0a" + bytes(7) + b'{"x": 12}\n'), PLAIN, "unusable_file", "broken", LOADER,
        "is broken",
    ),
    "a broken GGUF file": Case(
        raw(b"GGUF\x03\x00\x00\x00"), PLAIN, "unusable_file", "gguf", LOADER, "is broken",
    ),
}  # fmt: skip
