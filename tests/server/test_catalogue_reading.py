"""Very many files are read beside everything else."""

from pathlib import Path

import pytest

from server import catalogue_known, catalogue_reading
from server.catalogue_known import Known
from tests.diffusion.files import write_zeros


def files(folder: Path) -> list[Path]:
    """Four embeddings and a file that is none."""
    found = [
        write_zeros(folder / f"{number}.safetensors", {"emb_params": (number, 768)})
        for number in range(1, 5)
    ]
    bad = folder / "bad.safetensors"
    bad.write_bytes(b"no model")
    return [*found, bad]


def test_very_many_files_are_read_in_processes_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = files(tmp_path)
    here = [Known.of(path) for path in paths]
    assert [known.kind for known in here] == ["embedding"] * 4 + ["unknown"]
    monkeypatch.setattr(catalogue_reading, "MANY", len(paths))
    # Other processes know nothing of this.
    monkeypatch.setattr(catalogue_known, "read_header", lambda path: pytest.fail("read here"))
    assert list(catalogue_reading.known_files(paths)) == here


def test_a_few_files_and_a_process_that_was_started_itself_start_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_reading, "_shared_out", lambda paths: pytest.fail("shared out"))
    paths = files(tmp_path)
    assert len(list(catalogue_reading.known_files(paths))) == 5
    monkeypatch.setattr(catalogue_reading, "MANY", 1)
    monkeypatch.setattr(catalogue_reading.multiprocessing, "parent_process", lambda: object())
    assert len(list(catalogue_reading.known_files(paths))) == 5


def test_where_no_process_can_be_started_the_files_are_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(paths: object) -> object:
        raise OSError("no more processes")

    monkeypatch.setattr(catalogue_reading, "MANY", 1)
    monkeypatch.setattr(catalogue_reading, "_shared_out", refused)
    assert len(list(catalogue_reading.known_files(files(tmp_path)))) == 5
