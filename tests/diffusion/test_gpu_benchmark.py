"""The benchmark for graphics cards says why it cannot run where there is none."""

import sys

import pytest
import torch

from benchmarks import gpu


def test_without_a_graphics_card_it_says_why_and_measures_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu.py", "no-such-file.safetensors"])
    monkeypatch.setattr(torch.version, "cuda", None)
    assert gpu.main() == 2
    assert "built without CUDA" in capsys.readouterr().err
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main() == 2
    said = capsys.readouterr()
    assert "sees no CUDA device" in said.err
    assert not said.out
