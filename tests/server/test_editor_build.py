"""The editor is built when its sources change, and never else; a failure says what to do."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from server.editor_build import BuildFailed, Editor, build, digest, is_built, node_folder

# A build as Vite does it, as far as it matters here: empty dist/, then write into it.
SCRIPT = """
import { rmSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
rmSync("dist", { recursive: true, force: true });
mkdirSync("dist");
writeFileSync("dist/index.html", readFileSync("src/page.txt"));
writeFileSync("built.txt", process.execPath);
"""


def make_sources(web: Path, dependencies: dict[str, str], locked: dict[str, Any]) -> None:
    package = {
        "name": "test-editor",
        "version": "1.0.0",
        "scripts": {"build": "node build.mjs"},
        "dependencies": dependencies,
    }
    lock = {
        "name": "test-editor",
        "version": "1.0.0",
        "lockfileVersion": 3,
        "packages": {"": package, **locked},
    }
    (web / "src").mkdir(parents=True)
    (web / "src" / "page.txt").write_text("<p>the page</p>")
    (web / "index.html").write_text("<p>")
    (web / "package.json").write_text(json.dumps(package))
    (web / "package-lock.json").write_text(json.dumps(lock))
    (web / "build.mjs").write_text(SCRIPT)


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """An editor without dependencies, so that no registry is needed."""
    make_sources(tmp_path / "web", {}, {})
    return tmp_path / "web"


@pytest.fixture
def web_that_needs_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An editor whose one dependency comes from a registry that nobody answers for."""
    locked = {"version": "1.0.0", "integrity": "sha512-" + "A" * 86 + "=="}
    make_sources(tmp_path / "web", {"nothing": "1.0.0"}, {"node_modules/nothing": locked})
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")  # port 9: "discard", closed
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm-cache"))
    return tmp_path / "web"


async def test_the_editor_is_built_once_with_one_line_of_progress(web: Path) -> None:
    said: list[str] = []
    await build(web, said.append)
    assert (web / "dist" / "index.html").read_text() == "<p>the page</p>"
    assert len(said) == 2
    assert said[0].startswith("Building the editor")

    (web / "built.txt").unlink()
    await build(web, said.append)
    assert not (web / "built.txt").exists()
    assert len(said) == 2


async def test_the_node_that_pip_installed_builds_it(web: Path) -> None:
    await build(web, lambda line: None)
    used = Path((web / "built.txt").read_text())
    assert used.resolve().parent == node_folder().resolve()


@pytest.mark.parametrize(
    "change", ["src/page.txt", "index.html", "package-lock.json", "src/new.ts"]
)
async def test_a_changed_source_makes_it_be_built_again(web: Path, change: str) -> None:
    await build(web, lambda line: None)
    assert is_built(web)
    path = web / change
    path.write_text((path.read_text() if path.exists() else "") + " ")
    assert not is_built(web)
    await build(web, lambda line: None)
    assert is_built(web)


async def test_two_processes_that_want_it_build_it_once(web: Path) -> None:
    said: list[str] = []
    await asyncio.gather(*(build(web, said.append) for _ in range(3)))
    assert len(said) == 2
    assert is_built(web)


async def test_what_is_no_source_changes_nothing(web: Path) -> None:
    before = digest(web)
    (web / "README.md").write_text("about")
    (web / "node_modules").mkdir()
    (web / "node_modules" / "x.js").write_text("x")
    assert digest(web) == before


async def test_a_build_that_was_interrupted_does_not_count(web: Path) -> None:
    (web / "dist").mkdir()
    (web / "dist" / "index.html").write_text("half")
    assert not is_built(web)


async def test_a_failing_build_shows_what_the_tool_said(web: Path) -> None:
    (web / "build.mjs").write_text("console.error('src/page.txt is odd'); process.exit(3);")
    with pytest.raises(BuildFailed, match="npm run failed") as failed:
        await build(web, lambda line: None)
    assert "src/page.txt is odd" in str(failed.value)
    assert "python main.py build-editor" in str(failed.value)


async def test_an_unreachable_registry_is_named_with_what_to_do(
    web_that_needs_a_package: Path,
) -> None:
    with pytest.raises(BuildFailed, match="npm registry cannot be reached") as failed:
        await build(web_that_needs_a_package, lambda line: None)
    assert "python main.py build-editor" in str(failed.value)
    assert "\n" not in str(failed.value)


async def test_without_a_build_the_page_says_how_to_get_one(web_that_needs_a_package: Path) -> None:
    editor = Editor(web_that_needs_a_package)
    assert editor.state == "building"
    said: list[str] = []
    await editor.prepare(said.append)
    assert editor.state == "failed"
    assert "python main.py build-editor" in editor.message
    assert editor.message in said


async def test_an_editor_that_is_built_is_ready_at_once(web: Path) -> None:
    editor = Editor(web)
    await editor.look()
    assert editor.state == "building"
    await build(web, lambda line: None)
    editor = Editor(web)
    await editor.look()
    assert (editor.state, editor.message) == ("ready", "")


async def test_an_older_build_is_better_than_none(web_that_needs_a_package: Path) -> None:
    dist = web_that_needs_a_package / "dist"
    dist.mkdir()
    (dist / "index.html").write_text("older")
    editor = Editor(web_that_needs_a_package)
    await editor.prepare(lambda line: None)
    assert editor.state == "ready"


async def test_missing_sources_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"package\.json"):
        await build(tmp_path, lambda line: None)


def test_the_node_that_pip_installed_runs() -> None:
    node = shutil.which("node", path=str(node_folder()))
    assert node is not None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("v")
