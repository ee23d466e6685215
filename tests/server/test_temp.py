"""Temporary files do not pile up, and nothing else is touched."""

import os
import time
from pathlib import Path

import pytest

from server.temp import sweep


def test_old_files_go_and_new_ones_stay(tmp_path: Path) -> None:
    temp = tmp_path / "temp"
    for name in ("previews/a/x.jpg", "previews/b/y.jpg", "values/z.png"):
        path = temp / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", "utf-8")
    old = time.time() - 1000
    os.utime(temp / "previews/a/x.jpg", (old, old))
    os.utime(temp / "values/z.png", (old, old))
    assert sweep(temp, kept=500) == 2
    assert [path.name for path in temp.rglob("*.*")] == ["y.jpg"]


def test_old_empty_folders_go_too(tmp_path: Path) -> None:
    folder = tmp_path / "temp" / "run"
    folder.mkdir(parents=True)
    os.utime(folder, (0, 0))
    sweep(tmp_path / "temp")
    assert not folder.exists()


def test_a_link_is_deleted_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "temp").mkdir()
    kept = tmp_path / "kept.txt"
    kept.write_text("x", "utf-8")
    os.utime(kept, (0, 0))
    try:
        (tmp_path / "temp" / "link").symlink_to(kept)
    except OSError:
        pytest.skip("this system lets nobody make links")
    sweep(tmp_path / "temp", kept=-10)
    assert kept.exists()
    assert not (tmp_path / "temp" / "link").is_symlink()


def test_a_folder_that_is_not_there_is_tidy(tmp_path: Path) -> None:
    assert sweep(tmp_path / "nowhere") == 0
