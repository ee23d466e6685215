"""Pictures are found by what they were made with, and none is lost on its way to the trash."""

import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from graph.events import PictureFacts, Produced
from server.gallery import Gallery
from server.queue import RunQueue, Sought
from server.queue.pictures import NewPicture
from tests.server.site import Site, site_at
from tests.server.test_batches import EVERYDAY

CAT = PictureFacts(
    width=64,
    height=48,
    prompt='a grey cat, "sitting" on a Straße',
    seed="7",
    seed_at=("3", "seed"),
    models=("starter",),
    families=("Starter",),
)
DOG = CAT.model_copy(update={"prompt": "a red dog", "models": ("other",), "families": ("SDXL",)})


@pytest.fixture
async def site(tmp_path: Path):
    async with site_at(tmp_path) as found:
        yield found


def saved(site: Site, file: str, facts: PictureFacts = CAT) -> str:
    """The id of a run that saved a picture."""
    path = site.settings.output / file
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), (9, 9, 9)).save(path)
    run = site.queue.add(EVERYDAY)
    site.queue.claim()
    site.queue.produced(run.id, Produced(node="save", kind="image", file=file, picture=facts))
    site.queue.finish(run.id, "finished")
    return run.id


async def files(site: Site, query: str = "") -> list[str]:
    status, answer = await site.get(f"/api/gallery?{query}")
    assert status == 200, answer
    return [item["file"] for item in answer["items"]]


async def test_a_saved_picture_is_in_the_gallery_with_what_it_was_made_with(site: Site) -> None:
    run = saved(site, "2026/cat 1.png")
    _, answer = await site.get("/api/gallery")
    (item,) = answer["items"]
    assert (answer["next"], answer["total"]) == (None, 1)
    assert abs(item["created"] - time.time()) < 60
    shown = {name: item[name] for name in ("run", "node", "file", "title", "url")}
    assert shown == {
        "run": run,
        "node": "save",
        "file": "2026/cat 1.png",
        "title": "cat 1",
        "url": "/api/files/output/2026/cat%201.png",
    }
    assert {name: item[name] for name in ("seed", "seed_at", "models", "families")} == {
        "seed": "7",
        "seed_at": ["3", "seed"],
        "models": ["starter"],
        "families": ["Starter"],
    }
    for url in (item["url"], item["thumbnail"]):
        async with site.client.get(url) as picture:
            assert picture.status == 200
    assert "picture" not in site.queue.get(run).outputs[0], "it is kept once"


async def test_pages_follow_each_other_without_gap_or_repetition(site: Site) -> None:
    names = [f"p{number}.png" for number in range(7)]
    for name in names:
        saved(site, name)
    seen: list[str] = []
    before = ""
    while True:
        _, answer = await site.get(f"/api/gallery?limit=3{before}")
        seen += [item["file"] for item in answer["items"]]
        if answer["next"] is None:
            break
        before = f"&before={answer['next']}"
        saved(site, f"later{len(seen)}.png")  # what comes meanwhile moves nothing
    assert seen == names[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=grey%20CAT", ["cat.png"]),
        ("search=gre", ["cat.png"]),
        ("search=strasse", []),
        ("search=stra%C3%9Fe", ["cat.png"]),
        ("search=%22sitting%22%20-%20NOT", []),
        ("search=%22sitting%22%20-", ["cat.png"]),
        ("search=a", ["dog.png", "cat.png"]),
        ("search=sdxl%20red", ["dog.png"]),
        ("search=starter", ["cat.png"]),
        ("family=Starter", ["cat.png"]),
        ("search=dog.png", ["dog.png"]),
        ("model=starter", ["cat.png"]),
        ("family=SDXL", ["dog.png"]),
        ("family=SDXL&model=starter", []),
        ("search=dog&model=other", ["dog.png"]),
        ("search=dog&model=starter", []),
        ("starred=true", []),
        ("trash=true", []),
    ],
)
async def test_pictures_are_found_by_their_words_models_and_families(
    site: Site, query: str, found: list[str]
) -> None:
    saved(site, "cat.png", CAT)
    saved(site, "dog.png", DOG.model_copy(update={"prompt": "a red dog.png"}))
    assert await files(site, query) == found


async def test_pictures_are_found_by_their_date(site: Site) -> None:
    noon = time.mktime((2025, 3, 4, 12, 0, 0, 0, 0, -1))
    saved(site, "now.png")
    (site.settings.output / "then.png").write_bytes((site.settings.output / "now.png").read_bytes())
    site.queue.pictures.add([NewPicture("then.png", noon)])
    for day in ("2025-03-04", "2025-03"):
        assert await files(site, f"search={day}") == ["then.png"]


async def test_a_star_is_kept_and_told_to_other_pages(site: Site) -> None:
    saved(site, "a.png")
    saved(site, "b.png")
    _, answer = await site.get("/api/gallery")
    first = answer["items"][1]["id"]
    seq = site.hub.seq
    status, item = await site.ask("PUT", f"/api/gallery/{first}/star", json={"starred": True})
    assert (status, item["starred"]) == (200, True)
    assert site.hub.seq == seq + 1
    assert await files(site, "starred=true") == ["a.png"]
    await site.ask("PUT", f"/api/gallery/{first}/star", json={"starred": False})
    assert await files(site, "starred=true") == []
    for number in ("99", "x", "-1"):
        status, _ = await site.ask("PUT", f"/api/gallery/{number}/star", json={"starred": True})
        assert status == 404
    assert await site.get("/api/gallery/names") == (
        200,
        {"models": ["starter"], "families": ["Starter"]},
    )


async def test_a_picture_goes_into_the_trash_and_comes_back_even_where_its_name_is_taken(
    site: Site,
) -> None:
    saved(site, "day/a.png")
    content = (site.settings.output / "day/a.png").read_bytes()
    _, answer = await site.get("/api/gallery")
    number = answer["items"][0]["id"]
    status, item = await site.ask("DELETE", f"/api/gallery/{number}")
    assert status == 200
    assert item["trashed"] is not None
    assert not (site.settings.output / "day/a.png").exists()
    assert await files(site) == []
    assert await files(site, "trash=true") == ["day/a.png"]
    async with site.client.get(item["url"]) as picture:
        assert await picture.read() == content
    saved(site, "day/a.png", DOG)
    status, item = await site.post(f"/api/gallery/{number}/restore", {})
    assert (status, item["file"], item["trashed"]) == (200, "day/a (2).png", None)
    assert (site.settings.output / "day/a (2).png").read_bytes() == content
    assert await files(site, "search=cat") == ["day/a (2).png"]
    assert not list(site.settings.trash.iterdir())


async def test_an_emptied_trash_is_gone_for_good(site: Site) -> None:
    saved(site, "a.png")
    saved(site, "b.png")
    _, answer = await site.get("/api/gallery")
    await site.ask("DELETE", f"/api/gallery/{answer['items'][0]['id']}")
    assert await site.post("/api/gallery/trash/empty", {}) == (200, {"deleted": 1})
    assert not list(site.settings.trash.iterdir())
    assert await files(site) == ["a.png"]
    assert await files(site, "trash=true") == []
    status, _ = await site.post(f"/api/gallery/{answer['items'][0]['id']}/restore", {})
    assert status == 404


async def test_a_folder_that_is_away_hides_pictures_and_forgets_none(site: Site) -> None:
    for number in range(5):
        saved(site, f"p{number}.png")
    site.settings.output.rename(site.settings.data / "away")
    site.settings.output.mkdir()
    assert await files(site) == []
    site.settings.output.rmdir()
    (site.settings.data / "away").rename(site.settings.output)
    assert len(await files(site)) == 5


def test_pictures_that_came_by_another_way_are_found_at_the_next_start(settings: Any) -> None:
    settings.make_folders()
    queue = RunQueue(settings.database)
    gallery = Gallery(settings, queue.pictures)
    run = queue.add({"version": 1, "nodes": {}})
    queue.claim()
    queue._database.write(
        lambda found: found.execute(
            "UPDATE run SET outputs = "
            '\'[{"node": "5", "kind": "image", "file": "d/old.png", "area": "output"}]\''
        )
    )
    (settings.output / "d").mkdir()
    chunks = PngInfo()
    facts = CAT.model_dump_json()
    chunks.add_text("latent_loom_parameters", f'{{"node": "5", "picture": {facts}}}')
    Image.new("RGB", (4, 4)).save(settings.output / "d" / "old.png", pnginfo=chunks)
    Image.new("RGB", (4, 4)).save(settings.output / "plain.png")
    (settings.output / "empty.png").touch()
    (settings.output / ".x.png").write_bytes(b"a draft")
    (settings.output / "x.txt").write_text("no picture")
    assert gallery.look() == 2
    assert gallery.look() == 0
    (old,) = queue.pictures.newest(Sought("cat"), 10)
    assert (old.file, old.run, old.node, old.facts) == ("d/old.png", run.id, "5", CAT)
    assert len(queue.pictures.newest(Sought(), 10)) == 2
    queue.close()


def test_what_a_crash_left_half_way_to_the_trash_arrives_there(settings: Any) -> None:
    settings.make_folders()
    queue = RunQueue(settings.database)
    gallery = Gallery(settings, queue.pictures)
    Image.new("RGB", (4, 4)).save(settings.output / "a.png")
    gallery.look()
    (picture,) = queue.pictures.newest(Sought(), 10)
    queue.pictures.trash(picture.number)  # and here the program died
    assert gallery.look() == 0, "it is not taken for a new one"
    (trashed,) = queue.pictures.newest(Sought(trashed=True), 10)
    assert gallery.is_there(trashed)
    assert not (settings.output / "a.png").exists()
    queue.close()


@pytest.mark.parametrize(
    ("sought", "index"),
    [
        (Sought(), "picture"),
        (Sought("grey cat"), "picture_words VIRTUAL TABLE INDEX"),
        (Sought(model="m"), "tag USING"),
        (Sought(family="f", model="m"), "tag USING"),
        (Sought(starred=True), "picture_starred"),
        (Sought(trashed=True), "picture_trashed"),
        (Sought("cat", "m", "f", True), "picture_words VIRTUAL TABLE INDEX"),
    ],
)
@pytest.mark.parametrize("before", [None, 50_000])
def test_no_look_into_the_gallery_sorts_or_reads_all_of_it(
    settings: Any, sought: Sought, index: str, before: int | None
) -> None:
    queue = RunQueue(settings.database)
    steps = queue.pictures.explained(sought, before)
    queue.close()
    assert any(index in step for step in steps), steps
    assert not [step for step in steps if "TEMP B-TREE" in step], steps
    walks = [step for step in steps if step.startswith("SCAN") and "VIRTUAL" not in step]
    if sought == Sought():
        walks = [step for step in walks if step != "SCAN picture"]  # from its end, until full
    assert not [step for step in walks if "USING" not in step], steps
