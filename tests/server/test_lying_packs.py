"""A node that hands on something else than its signature says is caught in words as it runs."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from graph.workflow import Workflow
from server.settings import Settings
from tests.helpers.bench import Bench, with_models
from tests.helpers.every_space import node
from tests.helpers.tiny_model import tiny_checkpoint

PACK = """
from dataclasses import replace
import torch
from graph.node import node
from nodes.sockets import Conditioning, Latent, S, T

@node(category="test")
def relabel(latent: Latent[S]) -> Latent[S]:
    return replace(latent, space="sdxl")

@node(category="test")
def prompt_of_sdxl(prompt: Conditioning[T]) -> Conditioning[T]:
    return replace(prompt, tokens=torch.zeros(1, 77, 2048), space="sdxl")

@node(category="test")
def unnamed(prompt: Conditioning[T]) -> Conditioning[T]:
    return replace(prompt, tokens=torch.zeros(1, 77, 2048), space="")

@node(category="test")
def many_channels(latent: Latent[S]) -> Latent[S]:
    return Latent(torch.zeros(1, 16, 8, 8), "")
"""


@pytest.fixture
def bench(settings: Settings, tmp_path: Path) -> Iterator[Bench]:
    def ours() -> list[str]:
        return [name for name in sys.modules if name.split(".")[0] == "custom_nodes"]

    before = {name: sys.modules.pop(name) for name in ours()}
    (tmp_path / "packs" / "liar").mkdir(parents=True)
    (tmp_path / "packs" / "liar" / "nodes.py").write_text(PACK, "utf-8")
    tiny_checkpoint(tmp_path / "models" / "checkpoints" / "tiny.safetensors")
    made = with_models(settings, tmp_path / "models")
    yield Bench(replace(made, custom_nodes=tmp_path / "packs"))
    for name in ours():
        del sys.modules[name]
    sys.modules.update(before)


def picture(**lies: str) -> Workflow:
    """Text to image with a node of the pack between some of its nodes."""
    wires = {"words": "text.conditioning", "start": "empty.latent", "end": "sampler.latent", **lies}
    return Workflow(
        nodes={
            "one": node("load_checkpoint", {"file": "tiny.safetensors"}),
            "text": node("clip_text_encode", {"text": "a"}, clip="one.clip"),
            "empty": node("empty_latent", {"width": 64, "height": 64}),
            "words": node("liar.unnamed", prompt="text.conditioning"),
            "other_words": node("liar.prompt_of_sdxl", prompt="text.conditioning"),
            "many": node("liar.many_channels", latent="empty.latent"),
            "sampler": node(
                "k_sampler", {"steps": 1}, model="one.model", positive=wires["words"],
                negative="text.conditioning", latent=wires["start"],
            ),
            "relabel": node("liar.relabel", latent="sampler.latent"),
            "decode": node("vae_decode", latent=wires["end"], vae="one.vae"),
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lies", "begins"),
    [
        (
            {"end": "relabel.latent"},
            "VAE Decode: This latent is SDXL: Relabel made it. VAE Decode uses tiny.safetensors, "
            "which is for Tiny (declared in the file's metadata, certain). ",
        ),
        (
            {"words": "other_words.conditioning"},
            "KSampler: This positive prompt is SDXL: Prompt of sdxl made it. KSampler uses "
            "tiny.safetensors, which is for tiny text (",
        ),
        ({"words": "words.conditioning"}, "KSampler: Two things of different sizes met."),
        ({"start": "many.latent"}, "KSampler: What arrived has the channels of SD3, FLUX.1 or "),
    ],
)
def test_what_a_node_hands_on_against_its_word_is_told_at_the_node_that_gets_it(
    bench: Bench, lies: dict[str, str], begins: str
) -> None:
    honest = bench.run(picture().to_json(), "decode")
    assert (honest.status, honest.error) == ("finished", None)
    ended = bench.run(picture(**lies).to_json(), "decode")
    assert ended.status == "failed"
    assert ended.error is not None
    assert ended.error.startswith(begins), ended.error
