"""Tokens are CLIP's, from whichever place has the vocabulary."""

import itertools
import json
from pathlib import Path
from typing import NoReturn

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from diffusion.tokenizer import (
    CLIP,
    END,
    METADATA_KEY,
    START,
    Tokenizer,
    clip_tokenizer,
    own_tokenizer,
    tokenizer_for,
)
from diffusion.vocabularies import BadTokenizer, TokenizerMissing

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "tokenizers" / "clip"
needs_clip = pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason=f"CLIP's vocabulary is not in {PUBLISHED}"
)

OWN = {
    "vocab": {
        token: number
        for number, token in enumerate(
            ["r", "e", "d", "d</w>", "re", "red</w>", "a</w>", "b", START, END]
        )
    },
    "merges": ["r e", ["re", "d</w>"]],
}


@needs_clip
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a photo of a cat", [320, 1125, 539, 320, 2368]),
        ("A  Photo\nof a CAT", [320, 1125, 539, 320, 2368]),
        ("", []),
    ],
)
def test_ids_are_clips(text: str, expected: list[int]) -> None:
    clip = clip_tokenizer([PUBLISHED])
    assert clip.ids(text) == expected
    assert (clip.start, clip.end, clip.size) == (49406, 49407, 49408)


@needs_clip
def test_ids_are_those_of_the_merges_applied_by_hand() -> None:
    """Byte-pair encoding as Sennrich et al. 2016 state it, over CLIP's files."""
    vocabulary = json.loads((PUBLISHED / "vocab.json").read_text("utf-8"))
    lines = (PUBLISHED / "merges.txt").read_text("utf-8").splitlines()[1:]
    ranks = {tuple(line.split()): rank for rank, line in enumerate(lines) if line}

    def encode(word: str) -> list[int]:
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            pairs = list(itertools.pairwise(parts))
            best = min(pairs, key=lambda pair: ranks.get(pair, len(ranks)))
            if best not in ranks:
                break
            at = pairs.index(best)
            parts[at : at + 2] = ["".join(best)]
        return [vocabulary[part] for part in parts]

    clip = clip_tokenizer([PUBLISHED])
    words = ["antidisestablishmentarianism", "photorealistic", "greeble", "xqzjv", "bokeh"]
    assert clip.ids(" ".join(words)) == [number for word in words for number in encode(word)]


def test_a_checkpoint_may_bring_its_own_vocabulary() -> None:
    own = tokenizer_for({METADATA_KEY: json.dumps(OWN)})
    assert own.ids("a red a") == [6, 5, 6]
    assert own.ids("Red") == [5]
    assert (own.start, own.end, own.size) == (8, 9, 10)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"vocab": {}}', '{"vocab": {"a": "x"}, "merges": []}']
)
def test_a_vocabulary_that_cannot_be_read_is_a_problem_in_words(text: str) -> None:
    with pytest.raises(BadTokenizer, match="metadata cannot be read"):
        own_tokenizer(text)


def test_a_vocabulary_without_its_end_is_refused() -> None:
    with pytest.raises(BadTokenizer, match="lacks"):
        own_tokenizer('{"vocab": {"a": 0}, "merges": []}')


def test_a_merge_of_unknown_tokens_is_a_problem_in_words() -> None:
    with pytest.raises(BadTokenizer, match="cannot be read"):
        own_tokenizer(json.dumps({**OWN, "merges": ["x y"]}))


def write(folder: Path) -> Path:
    """CLIP's two files, with OWN's content, in a folder."""
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps(OWN["vocab"]))
    (folder / "merges.txt").write_text("#version: 0.2\nr e\nre d</w>\n")
    return folder


def test_the_first_folder_with_both_files_is_taken(tmp_path: Path) -> None:
    half = tmp_path / "half"
    half.mkdir()
    (half / "vocab.json").write_text("{}")
    found = clip_tokenizer([tmp_path / "absent", half, write(tmp_path / "whole")])
    assert found.ids("red") == [5]


def test_the_hubs_cache_is_looked_into_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = write(tmp_path / "snapshot")

    def cached(repository: str, name: str) -> str:
        assert repository == CLIP.repository
        return str(snapshot / name)

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", cached)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
    assert clip_tokenizer([tmp_path / "absent"]).ids("red") == [5]


def test_what_is_nowhere_is_fetched_once_from_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = write(tmp_path / "snapshot")
    fetched = []

    def fetch(repository: str, name: str) -> str:
        fetched.append((repository, name))
        return str(snapshot / name)

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch)
    assert clip_tokenizer().ids("red") == [5]
    assert fetched == [(CLIP.repository, name) for name in ("vocab.json", "merges.txt")]


def refuse(repository: str, name: str) -> NoReturn:
    raise LocalEntryNotFoundError("No connection.\nMore of it.")


def test_offline_the_message_names_the_folder_and_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
    folder = tmp_path / "models" / "tokenizers" / "clip"
    with pytest.raises(TokenizerMissing) as caught:
        clip_tokenizer([folder])
    message = str(caught.value)
    for part in (str(folder), "vocab.json", "merges.txt", "No connection."):
        assert part in message
    assert "\n" not in message


def test_a_tokenizer_leaves_no_folder_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = own_tokenizer(json.dumps(OWN))
    assert list(tmp_path.iterdir()) == []
    assert isinstance(own, Tokenizer)
