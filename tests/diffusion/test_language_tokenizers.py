"""Mistral's and Qwen's words are cut as other libraries cut them, wherever they come from."""

import base64
import json
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from transformers.integrations.mistral import MistralConverter

from diffusion.header import read_header
from diffusion.mistral_tokenizer import TENSOR, MistralTokenizer, mistral_tokenizer_for
from diffusion.qwen_tokenizer import METADATA_KEY, QwenTokenizer, qwen_tokenizer_for
from diffusion.vocabularies import BadTokenizer, TokenizerMissing
from tests.diffusion.files import header_of
from tests.diffusion.small_language import CONTROL, PIECES, SPECIAL, qwen_vocabulary, tekken

MISTRAL = MistralTokenizer(tekken(), "of a test")
QWEN = QwenTokenizer(qwen_vocabulary(), "of a test")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """transformers' tokenizer of the same tekken.json."""
    path = tmp_path_factory.mktemp("tekken") / "tekken.json"
    path.write_text(tekken(), "utf-8")
    return MistralConverter(str(path)).converted()


@pytest.mark.parametrize(
    "text",
    [
        "the cat", "cats, catcat thethe", "<s>[INST] the cat[/INST]", "", " ", "a\n\n\nb", "[INST",
        "Grüße 日本 🐈 naïve", "1234 (cat:1.2) [cat]", "<pad><s></s>", "ee", "\r\n the/\n",
    ],
)  # fmt: skip
def test_mistrals_words_are_cut_as_transformers_cuts_them(theirs: Any, text: str) -> None:
    assert MISTRAL.ids(text) == theirs.encode(text, add_special_tokens=False).ids


@given(st.text(st.sampled_from("cathe d\nou[]éN1日 "), max_size=30))
def test_any_text_is_cut_as_transformers_cuts_it(theirs: Any, text: str) -> None:
    assert MISTRAL.ids(text) == theirs.encode(text, add_special_tokens=False).ids


def test_what_a_page_repeats_without_a_space_is_cut_as_well(theirs: Any) -> None:
    # a way of joining that looks at every pair for each would take minutes
    text = "the" * 5000 + "=" * 20000
    assert MISTRAL.ids(text) == theirs.encode(text, add_special_tokens=False).ids


def test_lower_ranks_are_joined_first() -> None:
    # " cat" is a token, "xcat" is "x" and "cat", and "cahe" keeps "ca" because "ah" is none
    known = {piece: SPECIAL + 256 + rank for rank, piece in enumerate(PIECES)}
    byte = {letter: SPECIAL + ord(letter) for letter in "xhe"}
    assert MISTRAL.ids(" cat") == [known[" cat"]]
    assert MISTRAL.ids("xcat") == [byte["x"], known["cat"]]
    assert MISTRAL.ids("cahe") == [known["ca"], byte["h"], byte["e"]]


def test_control_tokens_have_the_first_ids_and_nothing_lies_beyond_the_size() -> None:
    assert MISTRAL.ids("".join(CONTROL)) == list(range(len(CONTROL)))
    assert MISTRAL.pad == CONTROL.index("<pad>")
    assert MISTRAL.size == SPECIAL + 256 + len(PIECES)
    assert len(MISTRAL.ids("ee")) == 2  # the piece behind the last that counts


def test_a_text_encoders_file_may_hold_its_words(tmp_path: Path) -> None:
    raw = torch.frombuffer(bytearray(tekken(), "utf-8"), dtype=torch.uint8)
    for number, prefix in enumerate(("", "text_encoders.")):
        path = tmp_path / f"{number}.safetensors"
        save_file({"a": torch.zeros(3), prefix + TENSOR: raw}, path)
        found = mistral_tokenizer_for(read_header(path), [tmp_path / "absent"])
        assert found.ids("<s>the cat") == MISTRAL.ids("<s>the cat")


def test_words_in_a_folder_are_found(tmp_path: Path) -> None:
    (tmp_path / "tekken.json").write_text(tekken(), "utf-8")
    (tmp_path / "tokenizer.json").write_text(qwen_vocabulary(), "utf-8")
    empty = header_of({"a": (1,)})
    assert mistral_tokenizer_for(empty, [Path("nowhere"), tmp_path]).ids("cat") == MISTRAL.ids(
        "cat"
    )
    assert qwen_tokenizer_for({}, [tmp_path]).ids("cat") == QWEN.ids("cat")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no tekken.json"),
        ("[]", "no tekken.json"),
        ('{"config": {}, "special_tokens": null}', "no tekken.json"),
        (tekken(CONTROL[:3]), r"lacks .*\[INST\] and"),
        (tekken(pattern="("), "faulty pattern"),
        (tekken(default_vocab_size=100), "single bytes"),
    ],
)
def test_faulty_words_of_mistral_are_a_problem_in_words(text: str, message: str) -> None:
    with pytest.raises(BadTokenizer, match=message):
        MistralTokenizer(text, "of a test")


def test_bytes_that_are_no_text_are_a_problem_in_words(tmp_path: Path) -> None:
    path = tmp_path / "mistral.safetensors"
    save_file({TENSOR: torch.full((9,), 255, dtype=torch.uint8)}, path)
    with pytest.raises(BadTokenizer, match=r"in mistral\.safetensors is no tekken\.json"):
        mistral_tokenizer_for(read_header(path))


def test_broken_base64_is_a_problem_in_words() -> None:
    stated = json.loads(tekken())
    stated["vocab"][3]["token_bytes"] = base64.b64encode(b"x").decode()[:-1]
    with pytest.raises(BadTokenizer, match=r"no tekken\.json"):
        MistralTokenizer(json.dumps(stated), "of a test")


def test_qwens_words_know_its_control_tokens() -> None:
    start, end, think = 259, 260, 261
    cat = 257
    assert QWEN.ids("<|im_start|>cat<|im_end|><think>") == [start, cat, end, think]
    assert (QWEN.pad, QWEN.size) == (258, 263)


def test_a_files_own_words_win(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    found = qwen_tokenizer_for({METADATA_KEY: qwen_vocabulary()}, [tmp_path])
    assert found.ids("cat") == [257]


def test_words_without_their_control_tokens_are_refused() -> None:
    with pytest.raises(BadTokenizer, match=r"Qwen 3's .* lacks <\|im_end\|>"):
        QwenTokenizer(qwen_vocabulary().replace("<|im_end|>", "end"), "of a test")


@pytest.mark.parametrize("kind", ["mistral", "qwen"])
def test_offline_the_message_names_the_file_and_the_folder(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object) -> None:
        raise ConnectionError("no network\nat all")

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    file = "tekken.json" if kind == "mistral" else "tokenizer.json"
    with pytest.raises(TokenizerMissing) as caught:
        found_of(kind, tmp_path)
    for part in (str(tmp_path), file, "(no network)"):
        assert part in str(caught.value)


def found_of(kind: str, folder: Path) -> MistralTokenizer | QwenTokenizer:
    if kind == "mistral":
        return mistral_tokenizer_for(header_of({"a": (1,)}), [folder])
    return qwen_tokenizer_for({}, [folder])
