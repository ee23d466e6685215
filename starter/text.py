"""The starter's text encoder and tokenizer: CLIP's form, a hundredth of its size."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from starter.vocabulary import END, START, vocabulary, write_files

POSITIONS = 32
WIDTH = 128
HEADS = 4


def new_encoder() -> Any:
    """A CLIP text model (transformers) of the starter's sizes, with fresh weights."""
    ids = vocabulary()["vocab"]
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(ids),
            hidden_size=WIDTH,
            intermediate_size=4 * WIDTH,
            num_hidden_layers=3,
            num_attention_heads=HEADS,
            max_position_embeddings=POSITIONS,
            hidden_act="quick_gelu",
            bos_token_id=ids[START],
            eos_token_id=ids[END],
            pad_token_id=ids[END],
        )
    )


@cache
def tokenizer() -> Any:
    """CLIPTokenizer (transformers) with the starter's vocabulary."""
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder))
        return CLIPTokenizer(f"{folder}/vocab.json", f"{folder}/merges.txt")


def token_ids(captions: list[str]) -> Tensor:
    """Token ids (batch, 32): start, words, then end tokens to the end; longer text is cut."""
    encoded = tokenizer()(
        captions, padding="max_length", truncation=True, max_length=POSITIONS, return_tensors="pt"
    )
    ids: Tensor = encoded["input_ids"]
    return ids


def encode(encoder: Any, captions: list[str]) -> Tensor:
    """The context that the UNet reads, (batch, 32, 128)."""
    ids = token_ids(captions).to(next(encoder.parameters()).device)
    hidden: Tensor = encoder(input_ids=ids).last_hidden_state
    return hidden


def quiet() -> None:
    """Keeps transformers' remarks on unusual sizes out of a training's report."""
    from transformers.utils import logging

    logging.set_verbosity_error()
