"""The starter's own small vocabulary, in the form of CLIP's: byte-level BPE with </w> at word ends.

Every word of the captions is one token; any other text falls into pieces and bytes, so that no
prompt can fail.
"""

import json
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from starter.captions import words_of_captions

START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"


def vocabulary() -> dict[str, Any]:
    """{"vocab": {token: id}, "merges": ["a b", …]}, as CLIP's two files hold them."""
    merges = _learn_merges(words_of_captions())
    symbols = _byte_symbols()
    tokens = [*symbols, *(symbol + WORD_END for symbol in symbols)]
    tokens += [left + right for left, right in merges]
    tokens += [START, END]
    return {
        "vocab": {token: index for index, token in enumerate(tokens)},
        "merges": [f"{left} {right}" for left, right in merges],
    }


def write_files(folder: Path) -> None:
    """vocab.json and merges.txt in `folder`, for transformers' CLIPTokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    content = vocabulary()
    (folder / "vocab.json").write_text(json.dumps(content["vocab"]), encoding="utf-8")
    lines = ["#version: 0.2", *content["merges"], ""]
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")


def _learn_merges(words: list[str]) -> list[tuple[str, str]]:
    """Merges in learning order (Sennrich et al. 2016), until every word is one token."""
    spelled = [[*word[:-1], word[-1] + WORD_END] for word in words]
    merges = []
    while any(len(word) > 1 for word in spelled):
        pairs = Counter(pair for word in spelled for pair in pairwise(word))
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        spelled = [_merge(word, best) for word in spelled]
    return merges


def _merge(word: list[str], pair: tuple[str, str]) -> list[str]:
    merged: list[str] = []
    index = 0
    while index < len(word):
        if tuple(word[index : index + 2]) == pair:
            merged.append(word[index] + word[index + 1])
            index += 2
        else:
            merged.append(word[index])
            index += 1
    return merged


@cache
def _byte_symbols() -> list[str]:
    """One printable character per byte, in the order of GPT-2's table (Radford et al. 2019)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [*map(chr, printable), *(chr(256 + index) for index in range(len(others)))]
