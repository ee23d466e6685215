"""Embeddings stand in prompts as words do: the reference has their vectors as words of its own."""

import copy
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from diffusion.embeddings import Embedding, EmbeddingTrouble, read_embedding
from diffusion.engine import Engine
from diffusion.families.embeddings import family_of, reader_of, suits, vectors_in
from diffusion.spaces import TEXT_SPACES, TextSpace
from diffusion.t5 import T5Encoder
from diffusion.t5_tokenizer import T5Tokenizer
from diffusion.text import ClipText, TextEncoder, build_text_model
from diffusion.tokenizer import own_tokenizer
from diffusion.wide import widened
from tests.diffusion import test_t5 as t5
from tests.diffusion.small_sd3 import t5_vocabulary
from tests.diffusion.test_text import END, LENGTH, MERGES, VOCABULARY, WIDTH, shapes
from tests.helpers.tiny_families import tiny_family

ROUNDING = 1e-5  # the same float32 operations, other kernels
FIRST = len(VOCABULARY)
"""The id of the first vector: the vocabulary has those before it."""


@pytest.fixture(scope="module")
def module() -> ClipText:
    built = build_text_model(shapes(), heads=4, end=END)
    generator = torch.Generator().manual_seed(0)
    weights = {
        name: torch.randn(tensor.shape, generator=generator) * 0.3
        for name, tensor in built.state_dict().items()
    }
    built.load_state_dict(weights, strict=True, assign=True)
    return built


@pytest.fixture(scope="module")
def encoder(module: ClipText) -> TextEncoder:
    return TextEncoder(module, own_tokenizer(json.dumps({"vocab": VOCABULARY, "merges": MERGES})))


def rows(count: int, width: int = WIDTH, seed: int = 1) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)) * 0.3


def words(text: str) -> list[int]:
    return [VOCABULARY[word + "</w>"] for word in text.split()]


def framed(*ids: int) -> list[int]:
    """A chunk of these tokens."""
    return [0, *ids, *[END] * (LENGTH - 1 - len(ids))]


def reference(module: ClipText, vectors: Tensor, chunks: list[list[int]]) -> Tensor:
    """What transformers makes of the chunks, with the vectors as further words of the model."""
    own = module.text_model.config.to_dict()
    config = CLIPTextConfig(**{**own, "vocab_size": FIRST + len(vectors)})
    model = CLIPTextModel(config).eval()
    weights = dict(module.text_model.state_dict())
    table = "embeddings.token_embedding.weight"
    weights[table] = torch.cat([weights[table], vectors])
    model.load_state_dict(weights, strict=True)
    with torch.no_grad():
        made: Tensor = model(input_ids=torch.tensor(chunks)).last_hidden_state
    return made.flatten(0, 1)[None]


def test_a_vector_stands_in_the_place_of_its_word(encoder: TextEncoder, module: ClipText) -> None:
    ink = rows(3)
    made = encoder.encode("a red embedding:ink, cat", vectors={"ink": ink})
    comma = encoder._tokenizer.ids(",")
    chunk = framed(*words("a red"), FIRST, FIRST + 1, FIRST + 2, *comma, *words("cat"))
    expected = reference(module, ink, [chunk])
    torch.testing.assert_close(made.tokens, expected, atol=ROUNDING, rtol=0)


def test_a_words_own_vector_gives_what_the_word_gives(
    encoder: TextEncoder, module: ClipText
) -> None:
    [number] = words("cat")
    own = module.text_model.embeddings.token_embedding.weight[number][None]
    made = encoder.encode("a (embedding:x:1.3) on a cat", vectors={"x": own})
    word = encoder.encode("a (cat:1.3) on a cat")
    assert torch.equal(made.tokens, word.tokens)
    assert made.pooled is not None
    assert word.pooled is not None
    assert torch.equal(made.pooled, word.pooled)


def test_several_embeddings_and_one_named_twice(encoder: TextEncoder, module: ClipText) -> None:
    one, two = rows(1), rows(2, seed=2)
    text = "embedding:two embedding:one cat embedding:two"
    made = encoder.encode(text, vectors={"one": one, "two": two})
    second = (FIRST + 1, FIRST + 2)
    chunk = framed(*second, FIRST, *words("cat"), *second)
    expected = reference(module, torch.cat([one, two]), [chunk])
    torch.testing.assert_close(made.tokens, expected, atol=ROUNDING, rtol=0)


def test_a_short_embedding_is_never_cut_by_a_border(encoder: TextEncoder, module: ClipText) -> None:
    ink = rows(4)
    made = encoder.encode("a red cat on a blue cat on embedding:ink a", vectors={"ink": ink})
    extra = range(FIRST, FIRST + 4)
    chunks = [framed(*words("a red cat on a blue cat on")), framed(*extra, *words("a"))]
    expected = reference(module, ink, chunks)
    torch.testing.assert_close(made.tokens, expected, atol=ROUNDING, rtol=0)


def test_a_long_embedding_goes_on_in_the_next_chunk(encoder: TextEncoder, module: ClipText) -> None:
    ink = rows(9)
    made = encoder.encode("a red embedding:ink cat", vectors={"ink": ink})
    extra = [FIRST + number for number in range(9)]
    chunks = [framed(*words("a red"), *extra[:8]), framed(*extra[8:], *words("cat"))]
    expected = reference(module, ink, chunks)
    torch.testing.assert_close(made.tokens, expected, atol=ROUNDING, rtol=0)


def test_a_weight_counts_for_every_vector(encoder: TextEncoder) -> None:
    ink = {"ink": rows(2)}
    plain = encoder.encode("a embedding:ink", vectors=ink).tokens
    heavy = encoder.encode("a (embedding:ink:1.5)", vectors=ink).tokens
    empty = encoder.encode("").tokens
    expected = plain.clone()
    expected[:, 2:4] = empty[:, 2:4] + 1.5 * (plain[:, 2:4] - empty[:, 2:4])
    torch.testing.assert_close(heavy, expected, atol=ROUNDING, rtol=0)


def test_an_encoder_that_has_no_vectors_for_it_leaves_it_out(encoder: TextEncoder) -> None:
    without = encoder.encode("a embedding:ink cat").tokens
    torch.testing.assert_close(without, encoder.encode("a cat").tokens, atol=0, rtol=0)


def test_nothing_stays_behind_in_the_model(encoder: TextEncoder) -> None:
    before = encoder.encode("a cat").tokens
    encoder.encode("a embedding:ink", vectors={"ink": rows(3)})

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encoder.encode("a embedding:ink", stop, vectors={"ink": rows(3)})
    assert torch.equal(encoder.encode("a cat").tokens, before)


def test_a_half_precision_models_words_stand_beside_exact_vectors(module: ClipText) -> None:
    narrow = widened(copy.deepcopy(module).half())
    tokenizer = own_tokenizer(json.dumps({"vocab": VOCABULARY, "merges": MERGES}))
    vectors = {"ink": rows(1)}
    made = TextEncoder(narrow, tokenizer).encode("a embedding:ink", vectors=vectors).tokens
    rounded = copy.deepcopy(module).half().float()
    exact = TextEncoder(rounded, tokenizer).encode("a embedding:ink", vectors=vectors).tokens
    torch.testing.assert_close(made, exact, atol=ROUNDING, rtol=0)


def test_t5_takes_them_too() -> None:
    model = t5.theirs()
    reader = T5Encoder(t5.ours(model), T5Tokenizer(t5_vocabulary(), "here"), least=8)
    ink = rows(2, t5.WIDTH)
    assert [token.id for token in reader.tokenize("a embedding:ink cat", {"ink": ink})] == [
        3, 16, 17, 5, 1, 0, 0, 0,
    ]  # fmt: skip
    larger = t5.theirs(words=18)
    weights = model.state_dict()
    for name in ("shared.weight", "encoder.embed_tokens.weight"):
        if name in weights:
            weights[name] = torch.cat([weights[name], ink])
    larger.load_state_dict(weights)
    expected = larger(input_ids=torch.tensor([[3, 16, 17, 5, 1, 0, 0, 0]])).last_hidden_state
    made = reader.encode("a embedding:ink cat", vectors={"ink": ink}).tokens
    torch.testing.assert_close(made, expected, atol=ROUNDING, rtol=0)


# Files


FILES: list[tuple[dict[str, tuple[int, ...]], str | None, set[str]]] = [
    ({"emb_params": (8, 768)}, "sd15", {"sd1"}),
    ({"emb_params": (2, 1024)}, "sd2", {"sd2"}),
    ({"<my-style>": (768,)}, "sd15", {"sd1"}),
    ({"string_to_param.*": (3, 768)}, "sd15", {"sd1"}),
    ({"clip_l": (4, 768), "clip_g": (4, 1280)}, "sdxl", {"sdxl", "sd1", "sdxl_refiner", "sd3"}),
    ({"clip_g": (4, 1280)}, "sdxl_refiner", {"sdxl_refiner"}),
    ({"clip_l": (2, 768), "t5": (2, 4096)}, "flux1", {"flux1", "sd1"}),
    ({"clip_l": (1, 768), "clip_g": (1, 1280), "t5xxl": (1, 4096)}, "sd3",
     {"sd3", "sdxl", "sd1", "sdxl_refiner", "flux1"}),
    ({"emb_params": (4, 128)}, None, set()),
]  # fmt: skip


@pytest.mark.parametrize(("tensors", "family", "spaces"), FILES)
def test_widths_say_whose_prompts_an_embedding_is_for(
    tensors: dict[str, tuple[int, ...]], family: str | None, spaces: set[str]
) -> None:
    vectors = vectors_in(tensors)
    assert family_of(vectors) == family
    runnable = ("sd1", "sd2", "sdxl", "sdxl_refiner", "sd3", "flux1", "flux2_dev", "z_image")
    assert {name for name in runnable if suits(vectors, TEXT_SPACES[name])} == spaces


def test_a_prompt_for_one_encoder_asks_for_its_vectors_alone() -> None:
    of_sd1 = vectors_in({"emb_params": (1, 768)})
    assert not suits(of_sd1, TEXT_SPACES["sdxl"])
    assert suits(of_sd1, TEXT_SPACES["sdxl"], reader_of("text_l"))
    assert not suits(of_sd1, TEXT_SPACES["sdxl"], reader_of("text_g"))
    assert (reader_of("t5xxl"), reader_of("clip_g"), reader_of("text")) == ("t5xxl", "clip_g", None)


def test_a_declared_spaces_words_are_as_wide_as_its_conditioning() -> None:
    small = vectors_in({"emb_params": (1, 128)})
    assert suits(small, TextSpace("mine", "Mine", "Mine", width=(128,)))
    assert not suits(small, TextSpace("mine", "Mine", "Mine", width=(64,)))
    assert suits(small, TextSpace("mine", "Mine", "Mine"))  # nobody says how wide they are


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"emb_params": (0, 768)},
        {"emb_params": (1, 2, 768)},
        {"emb_params": (8, 768), "more": (1,)},
        {"latent": (4, 768)},
        {"clip_l": (4, 768), "weight": (4, 4)},
    ],
)
def test_other_files_are_no_embeddings(tensors: dict[str, tuple[int, ...]]) -> None:
    assert vectors_in(tensors) == ()


def test_vectors_are_read_as_float32_whatever_the_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "ink.safetensors"
    save_file({"clip_l": rows(2, 8).half(), "clip_g": rows(1, 12)[0]}, path)
    found = read_embedding(path)
    assert found.name == "ink"
    assert found.vectors["clip_l"].dtype == torch.float32
    torch.testing.assert_close(found.vectors["clip_l"], rows(2, 8).half().float())
    assert found.vectors["clip_g"].shape == (1, 12)


def test_a_file_of_something_else_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "ink.safetensors"
    save_file({"weight": rows(2, 8)}, path)
    with pytest.raises(EmbeddingTrouble, match=r"ink\.safetensors is no textual inversion"):
        read_embedding(path)


# Several encoders


def test_each_of_sdxls_encoders_reads_its_own_vectors(tmp_path: Path) -> None:
    ink = Embedding("ink", {"clip_l": rows(2, 64), "clip_g": rows(2, 128)})
    asked: list[tuple[str, str]] = []

    def find(name: str, encoder: str) -> Embedding:
        asked.append((name, encoder))
        return ink

    path = tiny_family(tmp_path / "xl.safetensors", "sdxl")
    both = Engine("cpu", "float32").text_encoder(path, find=find)
    made = both.encode("a embedding:ink dog")
    for name, part in (("clip_l", made.tokens[..., :64]), ("clip_g", made.tokens[..., 64:])):
        alone = both.readers[name].encode("a embedding:ink dog", vectors={"ink": ink.vectors[name]})
        assert torch.equal(part, alone.tokens)
    assert set(asked) == {("ink", "")}
    apart = both.encode({"clip_l": "a embedding:ink dog", "clip_g": "a dog"})
    assert torch.equal(apart.tokens[..., :64], made.tokens[..., :64])
    assert asked[-1] == ("ink", "clip_l")


def test_one_for_no_encoder_here_is_refused_with_its_width(tmp_path: Path) -> None:
    path = tiny_family(tmp_path / "xl.safetensors", "sdxl")
    odd = Embedding("odd", {"": rows(2, 77)})
    encoders = Engine("cpu", "float32").text_encoder(path, find=lambda *_: odd)
    with pytest.raises(EmbeddingTrouble, match=r"'odd' has 77 numbers a token, and none of"):
        encoders.encode("a embedding:odd dog")


def test_without_files_no_embedding_can_be_named(tmp_path: Path) -> None:
    encoders = Engine("cpu", "float32").text_encoder(tiny_family(tmp_path / "x.safetensors", "sd2"))
    with pytest.raises(EmbeddingTrouble, match="no embedding 'ink' here"):
        encoders.encode("a embedding:ink dog")
