"""Files are identified beside everything else, and people may say what one is."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from server import worker
from server.keys import CATALOGUE
from server.settings import Settings
from server.worker_questions import AskTrial
from server.worker_trials import tried
from tests.helpers.desk import at_desk
from tests.server.site import STOOD_IN, Site, site_at
from tests.server.vae_shelf import tiny, trial_of

NAME = "tiny.safetensors"


@asynccontextmanager
async def here(folder: Path) -> AsyncIterator[Site]:
    """A site that answers of the files that are there, not of the small world's."""
    async with site_at(folder) as site:
        app = site.client.app
        assert app is not None
        for name in STOOD_IN:
            delattr(app[CATALOGUE], name)
        yield site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    tiny(tmp_path / "models" / "vae" / NAME)
    async with here(tmp_path) as site:
        yield site


async def facts(site: Site, name: str = NAME) -> dict[str, Any]:
    _, models = await site.get("/api/models")
    nothing = {"rule": None}  # the folders are looked at again after the answer
    return next((file for file in models["vae"] if file["name"] == name), nothing)


async def until(site: Site, rule: str, name: str = NAME) -> dict[str, Any]:
    """The file's facts once this kind of evidence decides."""
    async with asyncio.timeout(30):
        while (found := await facts(site, name))["rule"] != rule:
            await asyncio.sleep(0.05)
    return found


def state(space: str | None, name: str = NAME, folder: str = "vae") -> dict[str, Any]:
    return {"folder": folder, "name": name, "space": space}


async def say(site: Site, **statement: Any) -> tuple[int, Any]:
    return await site.ask("PUT", "/api/models/statement", json=state(**statement))


async def test_a_file_that_comes_is_tried_and_its_answer_is_an_event(tmp_path: Path) -> None:
    tiny(tmp_path / "models" / "vae" / NAME)
    async with here(tmp_path) as site:
        site.worker.trial = trial_of("sdxl")
        events = site.hub.subscribe(0, site.hub.epoch)
        found = await until(site, "probe")
        assert found["spaces"] == {"latent": ["sdxl"]}
        assert found["certainty"] == "certain"
        layers = [item["layer"] for item in found["findings"]]
        assert layers == ["header", "probe"]
        assert [Path(path).name for path in site.worker.tried] == [NAME]
        told = []
        while len(told) < 2 and (message := await events.next()) is not None:
            told += [message] if message["type"] == "models" else []
    async with here(tmp_path) as again:  # the next start knows it at once
        await until(again, "probe")
        await asyncio.sleep(0.2)
        assert again.worker.tried == []


async def test_a_vae_that_no_machine_could_try_says_why_until_one_can(tmp_path: Path) -> None:
    tiny(tmp_path / "models" / "vae" / NAME)
    async with here(tmp_path) as site:
        site.worker.trial = trial_of("sdxl")
        site.worker.untried = "The machine far has no such file."

        async def probed() -> list[dict[str, Any]]:
            found = (await facts(site)).get("findings", [])
            return [one for one in found if one["layer"] == "probe"]

        async with asyncio.timeout(30):
            while not (findings := await probed()):
                await asyncio.sleep(0.05)
        (said,) = findings
        assert said["spaces"] == []
        assert said["reason"] == "it could not be tried: The machine far has no such file."
        site.worker.untried = ""  # somebody copied it there
        await until(site, "probe")


async def test_a_model_that_another_machine_alone_has_is_missing_with_a_reason(
    site: Site,
) -> None:
    site.worker.elsewhere["vae", "far.safetensors"] = "far (10.0.0.7)"
    assert site.client.app is not None
    catalogue = site.client.app[CATALOGUE]
    found = catalogue.facts("vae", "far.safetensors")
    assert found is not None
    assert found.code == "missing_file"
    assert "on the machine far (10.0.0.7), but not on this one" in str(found.trouble)
    assert catalogue.facts("vae", "nobodys.safetensors") is None


async def test_a_person_says_what_a_file_is_and_takes_it_back(site: Site) -> None:
    await until(site, "header")
    status, answer = await say(site, space="sdxl")
    assert status == 200
    assert (answer["spaces"], answer["rule"]) == ({"latent": ["sdxl"]}, "statement")
    assert answer["choices"] == ["sd1", "sdxl"]
    assert (await facts(site))["spaces"] == {"latent": ["sdxl"]}
    events = site.hub.subscribe(site.hub.seq, site.hub.epoch)
    status, answer = await say(site, space=None)
    assert (status, answer["rule"]) == (200, "header")
    while (message := await events.next()) is not None and message["type"] != "models":
        pass
    assert message is not None


async def test_what_is_said_may_come_before_the_survey_and_survives_a_start(tmp_path: Path) -> None:
    path = tiny(tmp_path / "models" / "vae" / NAME)
    async with here(tmp_path) as site:
        assert (await say(site, space="sd1"))[0] == 200
    async with here(tmp_path) as again:
        found = await until(again, "statement")
        assert found["spaces"] == {"latent": ["sd1"]}
        os.rename(path, path.with_name("renamed.safetensors"))
        found = await until(again, "statement", "renamed.safetensors")
        assert found["spaces"] == {"latent": ["sd1"]}
        other = tiny(tmp_path / "other.safetensors", 1)
        os.replace(other, path.with_name("renamed.safetensors"))
        found = await until(again, "header", "renamed.safetensors")
        assert found["spaces"] == {"latent": ["sd1", "sdxl"]}


@pytest.mark.parametrize(
    ("statement", "status", "words"),
    [
        ({"space": "flux1"}, 400, "cannot be FLUX.1: it could be SD 1.x or SDXL"),
        ({"space": "nowhere"}, 400, "cannot be nowhere"),
        ({"space": "sd1", "name": "absent.safetensors"}, 404, "no file"),
        ({"space": "sd1", "name": "../x.safetensors"}, 404, "no file"),
        ({"space": "sd1", "folder": "nowhere"}, 404, "no file"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_reason(
    site: Site, statement: dict[str, Any], status: int, words: str
) -> None:
    found, answer = await say(site, **statement)
    assert found == status
    assert words in answer["error"]["message"]


async def test_a_file_that_says_what_it_is_is_not_overruled(tmp_path: Path) -> None:
    declared = '{"id": "own", "title": "Own", "channels": 4, "downscale": 8, "scale": 0.5}'
    tiny(tmp_path / "models" / "vae" / NAME, latent_loom__latent_space=declared)
    async with here(tmp_path) as site:
        status, answer = await say(site, space="sd1")
        assert status == 400
        assert "its header says what it is" in answer["error"]["message"]


async def test_a_vae_that_kills_the_worker_is_tried_once_at_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny(tmp_path / "models" / "vae" / NAME)
    async with here(tmp_path) as site:

        async def died(path: str) -> None:
            site.worker.tried.append(path)

        monkeypatch.setattr(site.worker, "ask", died)
        await until(site, "header")
        for _ in range(3):
            await site.get("/api/models")
            await asyncio.sleep(0.1)
        assert len(site.worker.tried) == 1


async def test_the_real_worker_tries_a_vae_and_tells_what_is_wrong(
    settings: Settings, tmp_path: Path
) -> None:
    path = tiny(tmp_path / NAME)
    (tmp_path / "bad.safetensors").write_bytes(b"no")
    modules = ["tests.helpers.trivial_nodes"]
    async with at_desk(settings, worker.main, modules=modules) as desk:
        async with asyncio.timeout(120):
            answer = await desk.dispatcher.trials.ask(str(path))
            bad = await desk.dispatcher.trials.ask(str(tmp_path / "bad.safetensors"))
    assert answer is not None
    assert answer.trial == tried(AskTrial(id=0, path=str(path))).trial
    assert bad is not None
    assert bad.trial is None
    assert "not a safetensors file" in bad.trouble


async def test_a_worker_that_dies_over_a_trial_answers_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    async with at_desk(settings) as desk:  # its worker never answers a trial
        trials = desk.dispatcher.stations[0].trials
        asked = asyncio.create_task(desk.dispatcher.trials.ask(str(tmp_path / "x")))
        await desk.until(lambda: bool(trials._waiting))
        trials.died()
        assert await asked is None
