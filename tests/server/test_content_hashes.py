"""A file is read once for its SHA-256, whoever asks, until it changes."""

import hashlib
from pathlib import Path

import pytest

from server.catalogue_identity import Surveyed, identities_of
from server.content_hashes import ContentHashes, content_hashes_of
from server.model_folders import Stamp
from server.settings import Settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "model"
    file.write_bytes(b"one")
    return file


def test_a_hash_is_remembered_until_the_file_changes(file: Path, settings: Settings) -> None:
    first = content_hashes_of(settings).of(file)
    assert first == hashlib.sha256(b"one").hexdigest()
    (kept,) = settings.cache.glob("sha256.json")
    kept.write_text(kept.read_text().replace(first, "f" * 64))
    assert content_hashes_of(settings).of(file) == "f" * 64, "it was not read again"
    file.write_bytes(b"another")
    assert content_hashes_of(settings).of(file) == hashlib.sha256(b"another").hexdigest()
    kept.write_text("{")
    assert content_hashes_of(settings).of(file) == hashlib.sha256(b"another").hexdigest()


def test_what_the_survey_computed_is_not_computed_again(file: Path, settings: Settings) -> None:
    identities_of(settings).keep({Stamp.of(file): Surveyed("a" * 64, ())})
    assert content_hashes_of(settings).of(file) == "a" * 64


def test_two_programs_that_write_at_once_keep_each_others(file: Path, settings: Settings) -> None:
    other = file.with_name("other")
    other.write_bytes(b"two")
    one, two = content_hashes_of(settings), content_hashes_of(settings)
    one.of(file)
    two.of(other)
    one.of(file)
    kept = (settings.cache / "sha256.json").read_text()
    assert str(file) in kept
    assert str(other) in kept


def test_what_cannot_be_read_is_an_error_of_whoever_asks(settings: Settings) -> None:
    hashes = content_hashes_of(settings)
    hashes.begin([settings.data / "gone"])  # nobody asks: nothing is to be told
    with pytest.raises(FileNotFoundError):
        hashes.of(settings.data / "gone")


def test_reading_a_large_file_can_be_cancelled(file: Path, settings: Settings) -> None:
    def stop() -> None:
        raise InterruptedError

    hashes: ContentHashes = content_hashes_of(settings)
    with pytest.raises(InterruptedError):
        hashes.of(file, stop)
    assert hashes.of(file) == hashlib.sha256(b"one").hexdigest()
