"""The T5 encoder is transformers', under T5's names, with weights and padding on top."""

from pathlib import Path

import pytest
import torch
from transformers import T5Config, T5EncoderModel

from diffusion.layers import MissingTensor
from diffusion.prompt import Token
from diffusion.t5 import T5Encoder, T5Text, build_t5, t5_names
from diffusion.t5_tokenizer import METADATA_KEY, T5Tokenizer, t5_tokenizer_for
from diffusion.vocabularies import BadTokenizer, TokenizerMissing
from tests.diffusion.files import known_shapes, shapes_of
from tests.diffusion.small_sd3 import t5_vocabulary

SHARED = Path(__file__).parents[2].parent / "shared"
VOCABULARY = SHARED / "data" / "tokenizers" / "t5"
needs_vocabulary = pytest.mark.skipif(not VOCABULARY.is_dir(), reason=f"{VOCABULARY} is not there")

WIDTH, LAYERS = 32, 3
ROUNDING = 1e-5  # float32 in three layers; other kernels or another batch size


def config(words: int = 16) -> T5Config:
    return T5Config(
        vocab_size=words,
        d_model=WIDTH,
        d_kv=6,  # unlike width / heads, as in T5 v1.1's small sizes
        d_ff=48,
        num_layers=LAYERS,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
        is_encoder_decoder=False,
    )


def theirs(words: int = 16) -> T5EncoderModel:
    """transformers' own model, every tensor at random."""
    model = T5EncoderModel(config(words)).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for name, tensor in model.state_dict().items():
        noise = torch.randn(tensor.shape, generator=generator)
        tensor.copy_(1 + 0.3 * noise if "norm" in name else 0.3 * noise)
    return model


def published(model: T5EncoderModel) -> dict[str, torch.Tensor]:
    """The tensors as an encoder's file holds them: the words' vectors once."""
    weights = model.state_dict()
    weights.pop("encoder.embed_tokens.weight", None)
    return weights


def ours(model: T5EncoderModel) -> T5Text:
    weights = published(model)
    built = build_t5({name: tuple(tensor.shape) for name, tensor in weights.items()})
    built.load_state_dict(weights, strict=True, assign=True)
    return built


@pytest.fixture(scope="module")
def model() -> T5EncoderModel:
    return theirs()


@pytest.fixture(scope="module")
def encoder(model: T5EncoderModel) -> T5Encoder:
    return T5Encoder(ours(model), T5Tokenizer(t5_vocabulary(), "of a test"), least=8)


def test_names_and_shapes_are_those_of_the_published_t5_xxl() -> None:
    header = known_shapes("t5xxl_encoder")
    built = build_t5(header)
    assert shapes_of(built) == header
    assert all(tensor.is_meta for tensor in built.state_dict().values())
    found = built.encoder.config
    assert (found.num_layers, found.num_heads, found.d_kv, found.d_ff) == (24, 64, 64, 10240)


def test_every_tensor_of_an_encoder_has_its_place() -> None:
    names = set(published(theirs()))
    assert t5_names(names) == {name: name for name in names}


def test_a_whole_t5_gives_its_encoder() -> None:
    names = {*published(theirs()), "encoder.embed_tokens.weight", "lm_head.weight", "decoder.x"}
    assert t5_names(names) == t5_names(published(theirs()))


def test_words_saved_under_their_other_name_are_found() -> None:
    assert t5_names(["encoder.embed_tokens.weight"]) == {
        "shared.weight": "encoder.embed_tokens.weight"
    }


def test_a_file_that_is_no_t5_is_refused_by_the_name_of_a_tensor() -> None:
    with pytest.raises(MissingTensor, match=r"shared\.weight is missing"):
        build_t5({"conv_in.weight": (320, 4, 3, 3)})


def test_an_umt5_is_told_apart(model: T5EncoderModel) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in published(model).items()}
    shapes["encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"] = (32, 4)
    with pytest.raises(ValueError, match="UMT5"):
        build_t5(shapes)


def test_the_forward_pass_is_that_of_transformers(model: T5EncoderModel) -> None:
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, 16, (2, 150), generator=generator)  # beyond the farthest position
    expected = model(input_ids=ids).last_hidden_state
    torch.testing.assert_close(ours(model)(ids), expected, atol=ROUNDING, rtol=0)
    assert expected.std() > 0.1


def test_padding_is_read_like_any_token(model: T5EncoderModel) -> None:
    short, long = torch.tensor([[4, 1]]), torch.tensor([[4, 1, 0, 0]])
    module = ours(model)
    assert not torch.allclose(module(short)[:, 0], module(long)[:, 0], atol=1e-2)


def test_a_prompt_is_its_tokens_an_end_and_padding(encoder: T5Encoder) -> None:
    ids = [token.id for token in encoder.tokenize("a red cat")]
    assert ids == [3, 4, 5, 1, 0, 0, 0, 0]


def test_a_long_prompt_is_neither_cut_nor_padded(encoder: T5Encoder) -> None:
    ids = [token.id for token in encoder.tokenize("a red cat on a blue cat on a red cat")]
    assert ids == [3, 4, 5, 6, 3, 7, 5, 6, 3, 4, 5, 1]


def test_weights_reach_the_tokens_of_their_words(encoder: T5Encoder) -> None:
    # Each part of the prompt is read by itself; the space after "a" is a token of this vocabulary.
    assert encoder.tokenize("a (red:1.5) cat") == [
        Token(3),
        Token(8),
        Token(4, 1.5),
        Token(5),
        Token(1),
        *[Token(0)] * 3,
    ]


def test_a_prompt_becomes_a_vector_per_token(encoder: T5Encoder, model: T5EncoderModel) -> None:
    encoded = encoder.encode("a red cat").tokens
    expected = model(input_ids=torch.tensor([[3, 4, 5, 1, 0, 0, 0, 0]])).last_hidden_state
    torch.testing.assert_close(encoded, expected, atol=ROUNDING, rtol=0)
    assert encoded.dtype == torch.float32
    assert encoder.encode("a red cat").pooled is None


def test_a_weight_moves_a_token_away_from_the_empty_prompt(encoder: T5Encoder) -> None:
    prompt = "a red cat on a blue cat on a"
    normal = encoder.encode(prompt).tokens
    heavy = encoder.encode(f"({prompt}:1.5)").tokens
    end = encoder.module(torch.tensor([[1, *[0] * 9]]))  # the empty prompt, padded to this length
    expected = end + 1.5 * (normal - end)
    expected[:, -1] = normal[:, -1]  # the end token is no word
    torch.testing.assert_close(heavy, expected, atol=ROUNDING, rtol=0)


def test_an_encoding_can_be_stopped_between_layers(encoder: T5Encoder) -> None:
    calls: list[int] = []

    def stop() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encoder.encode("a", stop)
    encoder.encode("a", lambda: calls.append(1))
    assert len(calls) == 2 + LAYERS  # nothing is left behind on the layers


def test_a_vocabulary_larger_than_the_model_is_refused() -> None:
    small = ours(theirs(words=8))
    with pytest.raises(ValueError, match="do not belong together"):
        T5Encoder(small, T5Tokenizer(t5_vocabulary(), "of a test"))


@needs_vocabulary
@pytest.mark.parametrize(
    "text", ["a photo of a cat", "Grüße,  two spaces ", "", "naïve 日本 </s> end", "new\nline"]
)
def test_words_are_cut_as_transformers_cuts_them(text: str) -> None:
    from transformers import AutoTokenizer

    tokenizer = t5_tokenizer_for({}, [VOCABULARY])
    expected = AutoTokenizer.from_pretrained(VOCABULARY, local_files_only=True)(text)["input_ids"]
    assert [*tokenizer.ids(text), tokenizer.end] == expected


@needs_vocabulary
def test_the_published_vocabulary_fits_the_published_model() -> None:
    tokenizer = t5_tokenizer_for({}, [Path("nowhere"), VOCABULARY])
    assert (tokenizer.pad, tokenizer.end) == (0, 1)
    assert tokenizer.size <= 32128


def test_a_files_own_vocabulary_wins(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    tokenizer = t5_tokenizer_for({METADATA_KEY: t5_vocabulary()}, [tmp_path])
    assert tokenizer.ids("red cat") == [4, 5]


def test_a_broken_vocabulary_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(BadTokenizer, match=r"tokenizer\.json cannot be read"):
        t5_tokenizer_for({}, [tmp_path])


def test_a_vocabulary_without_an_end_is_refused() -> None:
    with pytest.raises(BadTokenizer, match="lacks </s>"):
        T5Tokenizer(t5_vocabulary().replace("</s>", "end"), "of a test")


def test_a_missing_vocabulary_says_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    def offline(*_: object) -> None:
        raise ConnectionError("no network\nat all")

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    with pytest.raises(TokenizerMissing) as caught:
        t5_tokenizer_for({}, [tmp_path / "t5"])
    assert "(no network)" in str(caught.value)
    assert str(tmp_path / "t5") in str(caught.value)
