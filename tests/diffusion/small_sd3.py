"""A small model with SD 3's architecture and its real prompt widths, as a real checkpoint file."""

import json
from collections.abc import Collection
from pathlib import Path

from safetensors.torch import save_file
from torch import nn
from transformers import CLIPTextConfig, T5Config

from diffusion.mmdit import Mmdit, MmditConfig
from diffusion.t5 import T5Text
from diffusion.t5_tokenizer import METADATA_KEY
from diffusion.text import ClipText
from diffusion.vae import AutoencoderKL, VaeConfig
from tests.diffusion.small import GROUPS, METADATA, WORDS, random_weights

ENCODERS = ("clip_l", "clip_g", "t5xxl")
MMDIT = MmditConfig(
    in_channels=16,
    out_channels=16,
    patch=2,
    side=6,
    width=128,
    depth=2,
    heads=2,
    inner_width=256,
    time_width=256,
    vector_width=2048,
    context_width=4096,
    normed_heads=True,
    dual_blocks=(0,),
)
VAE = VaeConfig(
    pixel_channels=3,
    stem_channels=16,
    channels=(16, 16, 16, 32),
    encoder_blocks=1,
    decoder_blocks=1,
    latent_channels=16,
    quantised_channels=None,
    norm_groups=GROUPS,
)
PIECES = ["<pad>", "</s>", "<unk>", "▁a", "▁red", "▁cat", "▁on", "▁blue", "▁"]
"""The tokens of the small T5, at their ids."""


def t5_vocabulary() -> str:
    """A tokenizer.json with PIECES, which asks for padding that a prompt must not get."""
    padding = {
        "strategy": {"Fixed": 9},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": PIECES[0],
    }
    words = {"type": "Unigram", "unk_id": 2, "vocab": [[piece, -1.0] for piece in PIECES]}
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": padding,
            "added_tokens": [],
            "normalizer": None,
            "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"},
            "post_processor": None,
            "decoder": None,
            "model": words,
        }
    )


def clip(width: int, projection: int | None) -> ClipText:
    config = CLIPTextConfig(
        vocab_size=len(WORDS),
        hidden_size=width,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=width // 64,
        max_position_embeddings=77,
        bos_token_id=None,
        pad_token_id=None,
        eos_token_id=WORDS["<|endoftext|>"],
    )
    return ClipText(config, projection)


def t5() -> T5Text:
    config = T5Config(
        vocab_size=len(PIECES),
        d_model=4096,
        d_kv=8,
        d_ff=16,
        num_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        is_encoder_decoder=False,
    )
    return T5Text(config)


def write_sd3(path: Path, encoders: Collection[str] = ENCODERS) -> None:
    """Write a checkpoint with these text encoders, in half precision as such files are."""
    parts: dict[str, nn.Module] = {
        "model.diffusion_model.": Mmdit(MMDIT),
        "first_stage_model.": AutoencoderKL(VAE),
    }
    build = {"clip_l": lambda: clip(768, None), "clip_g": lambda: clip(1280, 1280), "t5xxl": t5}
    for name in encoders:
        parts[f"text_encoders.{name}.transformer."] = build[name]()
    tensors = {
        prefix + name: tensor.half().contiguous()
        for seed, (prefix, module) in enumerate(parts.items())
        for name, tensor in random_weights(module, seed).items()
    }
    metadata = {
        "latent_loom.tokenizer": METADATA["latent_loom.tokenizer"],
        METADATA_KEY: t5_vocabulary(),
        "latent_loom.architecture": json.dumps({"vae": {"norm_groups": GROUPS}}),
    }
    save_file(tensors, path, metadata)
