"""A pattern names a new file inside the folder, whatever it and its values hold."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.file_names import BadPattern
from nodes.new_files import write_new

VALUES = {"date": "2026-11-21", "title": "A cat", "seed": 7}


def named(folder: Path, pattern: str, **more: object) -> str:
    path = write_new(folder, pattern, {**VALUES, **more}, ".png", lambda file: file.write(b"x"))
    assert path.read_bytes() == b"x"
    return path.relative_to(folder).as_posix()


def test_variables_are_filled_in_and_folders_made(tmp_path: Path) -> None:
    name = named(tmp_path, "%date%/%title%_%seed%_%counter%")
    assert name == "2026-11-21/A cat_7_00001.png"


def test_the_counter_goes_on_from_the_highest_in_its_folder(tmp_path: Path) -> None:
    assert [named(tmp_path, "a_%counter%") for _ in range(2)] == ["a_00001.png", "a_00002.png"]
    (tmp_path / "a_00041.png").touch()
    assert named(tmp_path, "a_%counter%") == "a_00042.png"
    assert named(tmp_path, "b_%counter%") == "b_00001.png"


def test_a_name_without_a_counter_never_writes_over_a_file(tmp_path: Path) -> None:
    assert [named(tmp_path, "x") for _ in range(3)] == ["x.png", "x_2.png", "x_3.png"]


@pytest.mark.parametrize(
    "pattern",
    ["../x", "a/../../x", "..\\x", "a/..", "/x", "\\x", "C:\\x", "c:x", "~/x", "", "  ", "a/", "/"],
)
def test_a_pattern_that_leads_out_or_names_nothing_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(BadPattern, match="file name"):
        named(tmp_path / "output", pattern)
    assert [path.name for path in tmp_path.iterdir()] in ([], ["output"])


def test_an_unknown_variable_is_named_with_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(BadPattern, match=r"%sed%.*%counter%, %date%, %seed%"):
        named(tmp_path, "%sed%")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "_.._etc_passwd.png"),
        ("a:b*c?", "a_b_c_.png"),
        ("NUL", "_NUL.png"),
        ("...", "_.png"),
        ("100%seed%", "100_seed_.png"),
    ],
)
def test_values_cannot_make_folders_or_names_that_some_system_refuses(
    tmp_path: Path, title: str, name: str
) -> None:
    assert named(tmp_path, "%title%", title=title) == name


def test_long_values_are_cut_and_long_patterns_refused(tmp_path: Path) -> None:
    name = named(tmp_path, "%title%_%counter%", title="猫" * 300)
    assert name == "猫" * 20 + "_00001.png"
    with pytest.raises(BadPattern, match="too long"):
        named(tmp_path, "x" * 300 + "%counter%")


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "elsewhere").mkdir()
    try:
        (tmp_path / "output" / "link").symlink_to(tmp_path / "elsewhere")
    except OSError:
        pytest.skip("this system lets nobody make links")
    with pytest.raises(BadPattern, match="leads out"):
        named(tmp_path / "output", "link/x")


@given(pattern=st.text(max_size=40), title=st.text(max_size=40))
def test_no_text_at_all_gets_out_of_the_folder(
    tmp_path_factory: pytest.TempPathFactory, pattern: str, title: str
) -> None:
    folder = tmp_path_factory.mktemp("output")
    try:
        path = write_new(folder, pattern, {"title": title}, ".png", lambda file: None)
    except BadPattern:
        return
    assert path.resolve().is_relative_to(folder.resolve())
    assert path.suffix == ".png"
