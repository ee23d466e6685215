"""The text encoder is CLIP's, under CLIP's names, with weights and chunks on top."""

import json

import pytest
import torch
from transformers import CLIPTextConfig, CLIPTextModel

from diffusion.text import PREFIX, ClipText, TextEncoder, build_text_model
from diffusion.tokenizer import own_tokenizer
from tests.diffusion.files import known_shapes, shapes_of

LENGTH, WIDTH, LAYERS = 12, 32, 3
WORDS = ["a", "red", "cat", "on", "blue"]
VOCABULARY = {"<|startoftext|>": 0, "<|endoftext|>": 1}
MERGES: list[str] = []


def learn() -> None:
    """A vocabulary that has each of WORDS as one token, and every letter."""
    for letter in "abcdefghijklmnopqrstuvwxyz":
        for token in (letter, letter + "</w>"):
            VOCABULARY.setdefault(token, len(VOCABULARY))
    for word in WORDS:
        whole = word[0] if len(word) > 1 else word + "</w>"
        for position, letter in enumerate(word[1:], 1):
            piece = letter + ("</w>" if position == len(word) - 1 else "")
            MERGES.append(f"{whole} {piece}")
            whole += piece
            VOCABULARY.setdefault(whole, len(VOCABULARY))


learn()
END = 1


def shapes() -> dict[str, tuple[int, ...]]:
    """The shapes of a small text model, as a file's header states them."""
    config = CLIPTextConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=LAYERS,
        max_position_embeddings=LENGTH,
        num_attention_heads=4,
    )
    with torch.device("meta"):
        return {
            f"text_model.{k}": tuple(v.shape) for k, v in CLIPTextModel(config).state_dict().items()
        }


@pytest.fixture(scope="module")
def module() -> ClipText:
    """A small text model with random weights."""
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
    own = own_tokenizer(json.dumps({"vocab": VOCABULARY, "merges": MERGES}))
    return TextEncoder(module, own)


def test_names_and_shapes_are_those_of_the_published_clip_l() -> None:
    header = known_shapes("clip_l_hf")
    built = build_text_model(header)
    assert shapes_of(built) == header
    assert built.text_model.config.num_attention_heads == 12
    assert (built.length, built.vocabulary) == (77, 49408)


def test_names_are_those_of_an_sd_1_checkpoint_behind_its_prefix() -> None:
    header = known_shapes("checkpoint_sd15")
    inside = {
        name.removeprefix(PREFIX): shape
        for name, shape in header.items()
        if name.startswith(PREFIX)
    }
    inside.pop("text_model.embeddings.position_ids", None)
    assert set(build_text_model(inside).state_dict()) == set(inside)


def test_a_built_model_takes_no_memory_until_it_is_filled() -> None:
    built = build_text_model(shapes(), heads=4)
    assert all(parameter.is_meta for parameter in built.parameters())


def test_the_buffer_that_no_file_fills_is_there_already(module: ClipText) -> None:
    assert not any(buffer.is_meta for buffer in build_text_model(shapes()).buffers())
    module.to("cpu", torch.float32)


def test_a_file_that_is_no_text_model_is_named_as_such() -> None:
    with pytest.raises(ValueError, match=r"token_embedding\.weight is missing"):
        build_text_model({"conv_in.weight": (320, 4, 3, 3)})


def plain(module: ClipText, ids: torch.Tensor) -> CLIPTextModel:
    """transformers' own model with the same weights."""
    model = CLIPTextModel(module.text_model.config).eval()
    model.load_state_dict(module.text_model.state_dict(), strict=True)
    return model


IDS = torch.tensor([[0, 5, 9, 3, END, END], [0, END, END, END, END, END]])
ROUNDING = 1e-5  # the same float32 operations, other kernels


def test_the_forward_pass_is_that_of_transformers(module: ClipText) -> None:
    with torch.no_grad():
        ours = module(IDS)
        theirs = plain(module, IDS)(input_ids=IDS)
    torch.testing.assert_close(ours.tokens, theirs.last_hidden_state, atol=ROUNDING, rtol=0)
    torch.testing.assert_close(ours.pooled, theirs.pooler_output, atol=ROUNDING, rtol=0)


@pytest.mark.parametrize("clip_skip", [1, 2, 3])
def test_clip_skip_takes_an_earlier_layer_and_normalises_it(
    module: ClipText, clip_skip: int
) -> None:
    model = plain(module, IDS)
    model.encoder.layers = model.encoder.layers[: LAYERS + 1 - clip_skip]
    with torch.no_grad():
        ours = module(IDS, clip_skip)
        theirs = model(input_ids=IDS).last_hidden_state
    torch.testing.assert_close(ours.tokens, theirs, atol=ROUNDING, rtol=0)
    torch.testing.assert_close(ours.pooled, module(IDS).pooled, atol=ROUNDING, rtol=0)


def test_more_layers_cannot_be_skipped_than_there_are(module: ClipText) -> None:
    with pytest.raises(ValueError, match="must be 1 to 3"):
        module(IDS, 4)


def test_a_text_model_can_be_trained(module: ClipText) -> None:
    built = build_text_model(shapes(), heads=4, end=END)
    built.load_state_dict(module.state_dict(), assign=True)
    built.requires_grad_(True)
    built(IDS).tokens.square().sum().backward()
    assert all(parameter.grad is not None for parameter in built.parameters())
    module.zero_grad()


def test_a_prompt_becomes_its_tokens_between_start_and_end(encoder: TextEncoder) -> None:
    [chunk] = encoder.tokenize("a red cat")
    words = [VOCABULARY[word + "</w>"] for word in ("a", "red", "cat")]
    assert [token.id for token in chunk] == [0, *words, *[END] * (LENGTH - 4)]


def test_a_conditioning_has_a_row_per_token(encoder: TextEncoder, module: ClipText) -> None:
    encoded = encoder.encode("a red cat")
    assert encoded.tokens.shape == (1, LENGTH, WIDTH)
    assert encoded.pooled.shape == (1, WIDTH)
    assert encoded.tokens.dtype == torch.float32
    assert not encoded.tokens.requires_grad
    ids = torch.tensor([[token.id for token in encoder.tokenize("a red cat")[0]]])
    with torch.no_grad():
        torch.testing.assert_close(encoded.tokens, module(ids).tokens)


def test_a_weight_moves_a_token_away_from_the_empty_prompt(encoder: TextEncoder) -> None:
    normal = encoder.encode("a red cat").tokens
    empty = encoder.encode("").tokens
    heavy = encoder.encode("a (red:1.5) cat").tokens
    expected = normal.clone()
    expected[:, 2] = empty[:, 2] + 1.5 * (normal[:, 2] - empty[:, 2])
    torch.testing.assert_close(heavy, expected, atol=ROUNDING, rtol=0)


def test_a_weight_of_zero_is_the_empty_prompts_token(encoder: TextEncoder) -> None:
    none = encoder.encode("(red:0)").tokens[:, 1]
    torch.testing.assert_close(none, encoder.encode("").tokens[:, 1], atol=ROUNDING, rtol=0)


def test_a_weight_leaves_the_pooled_vector_alone(encoder: TextEncoder) -> None:
    heavy = encoder.encode("a (red:1.5) cat").pooled
    torch.testing.assert_close(heavy, encoder.encode("a red cat").pooled, atol=ROUNDING, rtol=0)


def test_a_weight_of_one_changes_nothing(encoder: TextEncoder) -> None:
    one = encoder.encode("a (red:1.0) cat").tokens
    assert torch.equal(one, encoder.encode("a red cat").tokens)


def test_a_long_prompt_is_encoded_in_chunks_side_by_side(encoder: TextEncoder) -> None:
    first, second = "a red cat on a blue cat a red cat", "on a blue cat"
    whole = encoder.encode(f"{first} {second}")
    assert whole.tokens.shape == (1, 2 * LENGTH, WIDTH)
    halves = [encoder.encode(half) for half in (first, second)]
    expected = torch.cat([half.tokens for half in halves], dim=1)
    torch.testing.assert_close(whole.tokens, expected, atol=ROUNDING, rtol=0)
    torch.testing.assert_close(whole.pooled, halves[0].pooled, atol=ROUNDING, rtol=0)


def test_weights_reach_their_tokens_in_later_chunks(encoder: TextEncoder) -> None:
    before = "a red cat on a blue cat a red cat on"
    normal = encoder.encode(f"{before} a").tokens
    empty = encoder.encode("").tokens
    heavy = encoder.encode(f"{before} (a:2)").tokens
    at = LENGTH + 2  # behind the second chunk's start and its first word
    expected = normal.clone()
    expected[:, at] = empty[:, at - LENGTH] + 2 * (normal[:, at] - empty[:, at - LENGTH])
    torch.testing.assert_close(heavy, expected, atol=ROUNDING, rtol=0)


def test_the_padding_can_be_another_token(module: ClipText, encoder: TextEncoder) -> None:
    own = own_tokenizer(json.dumps({"vocab": VOCABULARY, "merges": MERGES}))
    [chunk] = TextEncoder(module, own, pad=0).tokenize("a")
    assert [token.id for token in chunk][3:] == [0] * (LENGTH - 3)


def test_an_encoding_can_be_stopped_between_layers(encoder: TextEncoder) -> None:
    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encoder.encode("a red cat", check)
    assert len(calls) == 2
    encoder.encode("a red cat")  # and the next one is not stopped
    assert len(calls) == 2


def test_a_tokenizer_of_another_model_is_refused(module: ClipText) -> None:
    larger = {**VOCABULARY, **{f"word{k}": len(VOCABULARY) + k for k in range(5)}}
    with pytest.raises(ValueError, match="do not belong together"):
        TextEncoder(module, own_tokenizer(json.dumps({"vocab": larger, "merges": MERGES})))
