"""Names from outside stay inside their folders."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import BadRequest, NotFound
from server.paths import checked_name, file_inside, place, tidy_name, write_text

ESCAPES = [
    "../secret.txt",
    "sub/../../secret.txt",
    "/etc/passwd",
    "..\\secret.txt",
    "C:\\secret.txt",
    "C:secret.txt",
    "a.png:stream",
    "sub//a.png",
    "./a.png",
    "",
    ".",
    "..",
    "a.png\x00.txt",
    "con",
    "NUL.png",
    "half\ud800.png",
    "a" * 5000,
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "inside"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.png").write_text("a")
    (folder / "sub" / "b c.png").write_text("b")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def test_files_in_the_folder_are_found(folder: Path) -> None:
    assert file_inside(folder, "a.png").read_text() == "a"
    assert file_inside(folder, "sub/b c.png").read_text() == "b"


@pytest.mark.parametrize("name", ESCAPES)
def test_no_name_leads_out_of_the_folder(folder: Path, name: str) -> None:
    with pytest.raises(NotFound):
        file_inside(folder, name)


def test_a_folder_is_not_a_file(folder: Path) -> None:
    with pytest.raises(NotFound):
        file_inside(folder, "sub")


def test_a_link_that_leads_out_is_not_followed_and_one_that_stays_is(folder: Path) -> None:
    try:
        (folder / "out.png").symlink_to(folder.parent / "secret.txt")
        (folder / "in.png").symlink_to(folder / "a.png")
        (folder / "circle.png").symlink_to(folder / "circle.png")
    except OSError:
        pytest.skip("this system does not let us make symbolic links")
    assert file_inside(folder, "in.png").read_text() == "a"
    for name in ("out.png", "circle.png"):
        with pytest.raises(NotFound):
            file_inside(folder, name)


@given(st.text(max_size=300), st.sampled_from([".png", ".jpg"]))
def test_a_tidied_name_is_a_plain_name_with_the_right_ending(name: str, suffix: str) -> None:
    tidy = tidy_name(name, suffix)
    assert Path(tidy).name == tidy
    assert tidy.endswith(suffix)
    assert checked_name(tidy[: -len(suffix)])
    assert not set(tidy) & set('<>:"/\\|?*\x00')


@pytest.mark.parametrize(
    ("name", "tidy"),
    [
        ("my picture.png", "my picture.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\Users\\me\\cat.jpeg", "cat.png"),
        ("page.html", "page.png"),
        ("con.png", "_con.png"),
        ("...", "picture.png"),
        ("", "picture.png"),
        ("Катя.png", "Катя.png"),
    ],
)
def test_a_tidied_name_stays_recognisable(name: str, tidy: str) -> None:
    assert tidy_name(name, ".png") == tidy


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "x:y", ".hidden", "dot.", "x" * 200])
def test_an_unsafe_name_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(BadRequest, match=r"name"):
        checked_name(name)


def test_a_file_is_never_put_over_another(tmp_path: Path) -> None:
    names = []
    for content in ("one", "two", "three"):
        source = tmp_path / "upload"
        source.write_text(content)
        names.append(place(source, tmp_path, "cat.png").name)
    assert names == ["cat.png", "cat (2).png", "cat (3).png"]
    assert [(tmp_path / name).read_text() for name in names] == ["one", "two", "three"]


def test_a_text_that_cannot_be_written_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "half a character: \ud800")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["w.json"]
