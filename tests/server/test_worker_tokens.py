"""The editor counts tokens with the tokenizers that encode, without loading or running anything."""

from pathlib import Path

import pytest

from server.settings import Settings
from server.worker_questions import AskTokens, Tokens
from tests.helpers.bench import Bench, with_models
from tests.helpers.workflows import graph, text_to_image


@pytest.fixture
def bench(settings: Settings, tiny_models: Path) -> Bench:
    return Bench(with_models(settings, tiny_models))


def ask(bench: Bench, text: str, node: str = "2") -> Tokens:
    return bench.runner.answer(AskTokens(id=1, workflow=text_to_image(), node=node, text=text))


def encoder_of(bench: Bench) -> object:
    loaded = bench.runner._shop.engine
    assert loaded is not None
    path = bench.settings.models[-1] / "checkpoints" / "tiny.safetensors"
    return loaded.text_encoder(path).readers["clip_l"]


PROMPTS = (
    "",
    "a red circle",
    "a (red:1.3) circle, ((white)) \\(background\\)",
    " ".join(["circle"] * 60),
    "(" + " ".join(["red"] * 40) + ":1.2) blue",
)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_count_is_that_of_the_encoder_itself(bench: Bench, prompt: str) -> None:
    (told,) = ask(bench, prompt).encoders
    chunks = encoder_of(bench).tokenize(prompt)  # type: ignore[attr-defined]
    assert told.chunks == len(chunks)
    assert told.room == len(chunks[0]) - 2
    # Behind the last real token only the end and its like stand.
    assert told.tokens == len(told.pieces)
    weights = [weight for *_, weight, _ in told.pieces]
    in_chunks = [token.weight for chunk in chunks for token in chunk]
    assert sorted(weight for weight in weights if weight != 1) == sorted(
        weight for weight in in_chunks if weight != 1
    )


def test_pieces_say_where_in_the_prompt_their_words_stand(bench: Bench) -> None:
    prompt = "a (red:1.3) circle"
    (told,) = ask(bench, prompt).encoders
    red = [piece for piece in told.pieces if piece[2] == 1.3]
    assert prompt[red[0][0] : red[-1][1]] == "red"
    circle = [piece for piece in told.pieces if piece[0] >= prompt.index("circle")]
    assert prompt[circle[0][0] : circle[-1][1]] == "circle"


def test_nothing_is_loaded_to_count(bench: Bench) -> None:
    ask(bench, "a red circle")
    assert bench.runner._shop.engine is not None
    assert bench.runner._shop.engine.memory.report() == []


def test_a_node_without_a_wired_encoder_says_so(bench: Bench) -> None:
    flow = graph(p=("clip_text_encode", {"text": "a"}, {}))
    told = bench.runner.answer(AskTokens(id=1, workflow=flow, node="p", text="a"))
    assert told.encoders == ()
    assert "No text encoder is wired" in told.trouble


def test_a_missing_file_is_told_in_a_sentence(bench: Bench) -> None:
    flow = text_to_image()
    flow["nodes"]["1"]["values"]["file"] = "nowhere.safetensors"
    told = bench.runner.answer(AskTokens(id=1, workflow=flow, node="2", text="a"))
    assert "nowhere.safetensors" in told.trouble
