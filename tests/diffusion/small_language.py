"""Small language models and vocabularies in the forms in which real ones are published."""

import base64
import json
from typing import Any

import torch
from torch import nn
from transformers import MistralConfig, MistralForCausalLM, Qwen3Config, Qwen3ForCausalLM

CONTROL = (
    "<unk>", "<s>", "</s>", "[INST]", "[/INST]", "<pad>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]",
)  # fmt: skip
SPECIAL = 12
"""Ids of control tokens, some of which have no name."""

PIECES = ("ca", "at", "cat", " c", " cat", "the", " t", "th", " th", " the", "ou", "ed", "\n\n")
"""What is joined, in the order of rank; "cat" of "ca" and "t", " the" of " th" and "e"."""

WORD_PATTERN = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def tekken(control: tuple[str, ...] = CONTROL, **config: Any) -> str:
    """A tekken.json: every byte, PIECES, and behind them one that is not to be read."""
    tokens = [bytes([value]) for value in range(256)] + [piece.encode() for piece in PIECES]
    size = SPECIAL + len(tokens)
    return json.dumps(
        {
            "config": {
                "pattern": WORD_PATTERN,
                "default_vocab_size": size,
                "default_num_special_tokens": SPECIAL,
                **config,
            },
            "vocab": [
                {"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": None}
                for rank, token in enumerate([*tokens, b"ee"])
            ],
            "special_tokens": [
                {"rank": rank, "token_str": name, "is_control": True}
                for rank, name in enumerate(control)
            ],
        }
    )


def qwen_vocabulary() -> str:
    """A tokenizer.json with a token for each byte and Qwen 3's control tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    words = {letter: number for number, letter in enumerate(letters)}
    words["ca"], words["cat"] = 256, 257
    tokenizer = Tokenizer(models.BPE(vocab=words, merges=[("c", "a"), ("ca", "t")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens(["<think>", "</think>"])
    text: str = tokenizer.to_str()
    return text


WORDS = 288
"""Tokens that the small models know; both vocabularies have fewer."""


def mistral(layers: int, width: int = 32, head: int = 8) -> MistralForCausalLM:
    """transformers' own model, every tensor at random, with Mistral Small's habits."""
    config = MistralConfig(
        vocab_size=WORDS,
        hidden_size=width,
        intermediate_size=48,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=head,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 1e9},
        sliding_window=None,
    )
    return shaken(MistralForCausalLM(config))


def qwen(layers: int, width: int = 32, head: int = 16) -> Qwen3ForCausalLM:
    """transformers' own model, every tensor at random, with Qwen 3's habits."""
    config = Qwen3Config(
        vocab_size=WORDS,
        hidden_size=width,
        intermediate_size=48,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=head,
        rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
    )
    return shaken(Qwen3ForCausalLM(config))


def shaken(model: Any) -> Any:
    """The model with random norms, which begin as ones, and weights that keep numbers about 1."""
    generator = torch.Generator().manual_seed(0)
    tensor: nn.Parameter
    for name, tensor in model.named_parameters():
        noise = torch.randn(tensor.shape, generator=generator)
        fan = 1 if tensor.ndim < 2 or "embed" in name else tensor.shape[1]
        tensor.data = 1 + 0.1 * noise if "norm" in name else noise / fan**0.5
    return model.eval().requires_grad_(False)
