"""Every node, its sockets and values, and every template are there in German."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.definition import NodeDefinition
from graph.translation import PackWords, translated
from graph.words import speaking
from server.languages import languages
from server.node_languages import NodeLanguages
from server.settings import ROOT, Settings
from server.template_words import TemplateWords
from server.worker_messages import Library
from server.worker_packs import core_modules, core_nodes
from tests.graph.small_world import DEFINITIONS
from tests.server.site import site_at

GERMAN = languages()["de"]
WORDS = PackWords.model_validate_json((ROOT / "nodes/languages/de.json").read_bytes())
TEMPLATES = TemplateWords.model_validate_json((ROOT / "workflows/languages/de.json").read_bytes())


@pytest.fixture(scope="module")
def core() -> dict[str, NodeDefinition]:
    return dict(core_nodes(core_modules()).definitions)


def _items(definition: NodeDefinition) -> Iterator[tuple[str, str, str, str]]:
    """The kind, name, title and description of every socket and value."""
    for kind in ("inputs", "widgets", "outputs"):
        for item in getattr(definition, kind):
            yield kind, item.name, item.title, item.description


def _lacking(definition: NodeDefinition) -> Iterator[str]:
    own = WORDS.nodes.get(definition.type)
    if own is None or not own.title or not own.description:
        yield f"{definition.type}: its title or description"
    for kind, name, title, about in _items(definition):
        said = getattr(own, kind).get(name) if own else None
        if not (said and said.title) and title not in WORDS.common:
            yield f"{definition.type}, {kind}: {title}"
        if about and not (said and said.description) and about not in WORDS.common:
            yield f"{definition.type}, {kind}, {name}: {about}"
    for part in definition.category.split("/"):
        if part not in WORDS.categories:
            yield f"the category {part}"


def test_every_node_of_ours_is_there_in_german(core: dict[str, NodeDefinition]) -> None:
    assert len(core) > 70
    lacking = [what for definition in core.values() for what in _lacking(definition)]
    assert lacking == [], "put it into nodes/languages/de.json"


def test_no_german_word_is_left_over(core: dict[str, NodeDefinition]) -> None:
    texts = {text for one in core.values() for item in _items(one) for text in item[2:]}
    parts = {part for one in core.values() for part in one.category.split("/")}
    assert sorted(WORDS.nodes.keys() - core.keys()) == []
    assert sorted(WORDS.common.keys() - texts) == []
    assert sorted(WORDS.categories.keys() - parts) == []
    for type_, words in WORDS.nodes.items():
        named = {(kind, name) for kind, name, _, _ in _items(core[type_])}
        said = {(kind, name) for kind in ("inputs", "widgets", "outputs")
                for name in getattr(words, kind)}  # fmt: skip
        assert said <= named, type_


def test_both_languages_have_the_same_code_and_variables(core: dict[str, NodeDefinition]) -> None:
    code = re.compile(r"`\w+`|%\w+%|\w+\.safetensors|\bmodels/\w+|\(\w+:[\d.]+\)")
    pairs = list(WORDS.common.items())
    pairs += [(core[type_].description, words.description) for type_, words in WORDS.nodes.items()]

    def of(text: str) -> list[str]:
        return sorted(re.sub(r"^\(\w+", "(", found) for found in code.findall(text))

    assert {english: german for english, german in pairs if of(english) != of(german)} == {}


def test_every_template_is_there_in_german() -> None:
    texts: set[str] = set()
    for path in sorted((ROOT / "workflows").glob("*.json")):
        data = json.loads(path.read_text("utf-8"))
        about = TEMPLATES.templates.get(path.stem)
        assert about is not None, path.stem
        assert about.description != data["description"]
        for node in data["nodes"].values():
            type_ = WORDS.nodes.get(node["type"])
            titles = {node["title"]} - {_original(node["type"])}
            notes = {node["values"]["text"]} if node["type"] == "note" else set()
            texts |= titles | notes
            assert type_ is not None
    lists = {text for text in TEMPLATES.texts if "\n" in text}  # a grid's titles, one a line
    assert sorted(texts - TEMPLATES.texts.keys()) == []
    assert sorted(TEMPLATES.texts.keys() - texts - lists) == []
    names = {path.stem for path in (ROOT / "workflows").glob("*.json")}
    assert TEMPLATES.templates.keys() == names


def _original(type_: str) -> str:
    return core_nodes(core_modules()).definitions[type_].title


async def test_nodes_and_templates_are_told_in_the_language_of_the_request(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "workflows", tmp_path / "workflows")
    async with site_at(tmp_path) as site:
        _, german = await site.get("/api/nodes?lang=de")
        _, english = await site.get("/api/nodes")
        async with site.client.get("/api/nodes") as first:
            tag = first.headers["ETag"]
        headers = {"If-None-Match": tag, "Accept-Language": "de"}
        async with site.client.get("/api/nodes", headers=headers) as other:
            assert other.status == 200, "the browser would keep the English nodes"
        _, templates = await site.get("/api/workflows?lang=de")
        _, opened = await site.get("/api/workflows/templates/text-to-image?lang=de")
    node = german["nodes"]["vae_decode"]
    assert (node["title"], node["original"]) == ("VAE decodieren", "VAE Decode")
    assert node["inputs"][0]["name"] == english["nodes"]["vae_decode"]["inputs"][0]["name"]
    assert english["nodes"]["vae_decode"]["title"] == "VAE Decode"
    assert "Text zu Bild" in [one["title"] for one in templates["templates"]]
    titles = [one["title"] for one in opened["workflow"]["nodes"].values()]
    assert "Negativer Prompt" in titles


def test_a_pack_brings_its_own_language(tmp_path: Path) -> None:
    folder = tmp_path / "custom_nodes" / "mine" / "languages"
    folder.mkdir(parents=True)
    folder.joinpath("de.json").write_text(
        json.dumps({"nodes": {"steps": {"title": "Schritte"}}, "common": {"Model": "Ein Modell"}}),
        "utf-8",
    )
    settings = Settings.of(root=tmp_path, data=tmp_path / "data")
    sampler = DEFINITIONS["k_sampler"]
    own = sampler.model_copy(update={"type": "mine.steps", "pack": "mine", "title": "Steps"})
    broken = own.model_copy(update={"type": "other.steps", "pack": "other"})
    library = Library(version="1", nodes={"mine.steps": own, "other.steps": broken})
    given = NodeLanguages(settings)
    with speaking(GERMAN):
        german = given.of(library)
        assert given.of(library) is german
        assert given.known(Library(version="2", nodes={})) is None
    assert german.nodes["mine.steps"].title == "Schritte"
    assert german.nodes["mine.steps"].inputs[0].title == "Ein Modell"
    assert german.nodes["other.steps"].title == "Steps"
    assert given.of(library) is library, "English is the library itself"


def test_a_language_file_that_is_wrong_costs_its_words_alone(tmp_path: Path) -> None:
    folder = tmp_path / "custom_nodes" / "mine" / "languages"
    folder.mkdir(parents=True)
    (folder / "de.json").write_text('{"nodes": {"steps": 3}}', "utf-8")
    own = DEFINITIONS["k_sampler"].model_copy(update={"pack": "mine", "title": "Steps"})
    library = Library(version="1", nodes={"k_sampler": own})
    with speaking(GERMAN):
        made = NodeLanguages(Settings.of(root=tmp_path, data=tmp_path / "data")).of(library)
    assert made.nodes["k_sampler"].title == "Steps"


def test_the_example_pack_has_its_german_words(core: dict[str, NodeDefinition]) -> None:
    path = ROOT / "custom_nodes" / "example" / "languages" / "de.json"
    words = PackWords.model_validate_json(path.read_bytes())
    example = core["k_sampler"].model_copy(
        update={"type": "example.invert_image", "pack": "example"}
    )
    assert translated(example, words).title == "Bild umkehren"
