"""Embeddings for the starter model, made of its own words: a prompt with one is a prompt with
the words."""

from pathlib import Path

import torch
from safetensors.torch import save_file

from diffusion.checkpoint import read_tensor
from diffusion.header import read_header
from diffusion.text import PREFIX
from diffusion.tokenizer import tokenizer_for

MODELS = Path(__file__).parents[2] / "models"
STARTER = MODELS / "checkpoints" / "starter.safetensors"
WORDS = f"{PREFIX}text_model.embeddings.token_embedding.weight"


def embedding_of(words: str, path: Path) -> Path:
    """A file with the vectors of these words, as they are in the starter's text encoder."""
    header = read_header(STARTER)
    ids = tokenizer_for(header.metadata).ids(words)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"emb_params": read_tensor(header, WORDS)[ids]}, path)
    return path


def of_another_model(path: Path, count: int = 2) -> Path:
    """A file as SD 1.x has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"emb_params": torch.ones(count, 768)}, path)
    return path
