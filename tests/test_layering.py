"""Who may import whom: the table of ARCHITECTURE.md, enforced from the source text."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"graph", "diffusion", "nodes", "server", "starter", "custom_nodes", "benchmarks", "tests"}
TORCH_FREE = (
    "diffusion.header",
    "diffusion.mentions",
    "diffusion.spaces",
    "diffusion.families",
    "diffusion.identity",
)


def imports_of(path: Path) -> set[str]:
    """Every module that the file names in an import, at any depth."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    found: set[str] = set()
    for item in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(item, ast.Import):
            found.update(alias.name for alias in item.names)
        elif isinstance(item, ast.ImportFrom):
            base = item.module or ""
            if item.level:
                parents = package.split(".")[: len(package.split(".")) - item.level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in item.names)
    return found


def ours(path: Path) -> set[str]:
    return {name for name in imports_of(path) if name.split(".")[0] in OURS}


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def allowed(path: Path) -> tuple[str, ...]:
    """The prefixes of our modules that the file may import."""
    parts = path.relative_to(ROOT).parts
    match parts[0]:
        case "graph" | "diffusion":
            return (parts[0],)
        case "nodes":
            return ("nodes", "graph", "diffusion")
        case "starter":
            return ("starter", "diffusion")
    if (
        parts[:1] == ("server",)
        and parts[-1].startswith("worker")
        and parts[-1] != "worker_client.py"
    ):
        return ("server", "graph", "nodes", "diffusion", "custom_nodes")
    if parts[0] == "server" and parts[-1].startswith("catalogue"):
        return ("server", "graph", *TORCH_FREE)
    return ("server", "graph")


EVERY = [
    path
    for folder in ("graph", "diffusion", "nodes", "server", "starter")
    for path in files(folder)
]


@pytest.mark.parametrize("path", EVERY, ids=named)
def test_a_file_imports_only_what_its_layer_may(path: Path) -> None:
    may = allowed(path)
    wrong = {
        name
        for name in ours(path)
        if not any(name == prefix or name.startswith(prefix + ".") for prefix in may)
        and not any(
            prefix.startswith(name + ".") for prefix in may
        )  # "from diffusion import header"
    }
    assert not wrong, f"{named(path)} imports {sorted(wrong)}; it may import {may}"


@pytest.mark.parametrize("path", files("graph"), ids=named)
def test_graph_touches_no_torch_no_http_and_no_disk(path: Path) -> None:
    banned = {
        "torch",
        "aiohttp",
        "numpy",
        "PIL",
        "os",
        "pathlib",
        "shutil",
        "sqlite3",
        "safetensors",
    }
    assert not {name.split(".")[0] for name in imports_of(path)} & banned


@pytest.mark.parametrize(
    "module", ["server.app", "server.serve", "main", *TORCH_FREE, "graph.check"]
)
def test_importing_leaves_torch_and_ray_unloaded(module: str) -> None:
    heavy = "{'torch', 'transformers', 'ray'}"
    code = f"import sys, {module}; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_only_two_modules_know_ray() -> None:
    knowing = {
        named(path) for path in EVERY if any(n.split(".")[0] == "ray" for n in imports_of(path))
    }
    assert knowing == {"server/ray_cluster.py", "server/ray_client.py"}


def test_the_diffusion_package_is_empty_so_that_its_torch_free_part_stays_so() -> None:
    assert not (ROOT / "diffusion" / "__init__.py").read_text("utf-8").strip()
