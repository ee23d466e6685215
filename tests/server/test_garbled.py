"""What server and worker cannot make out of each other is told; nobody waits for it in silence."""

from collections.abc import AsyncIterator

import pytest

from graph.events import Produced
from server import questions, run_at_work, trial_desk
from server.queue import ATTEMPTS
from server.settings import Settings
from server.worker_messages import Ended, Happened, Start
from server.worker_questions import AskTrial, AskValue
from server.worker_wire import Garbled, joined, pack, read_said, read_told
from tests.helpers.desk import Desk, at_desk
from tests.helpers.fake_worker import Newer


class NewerStart(Start):
    novelty: int = 1


class NewerTrial(AskTrial):
    novelty: int = 1


class NewerQuestion(AskValue):
    novelty: int = 1


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with at_desk(settings) as desk:
        yield desk


def test_one_message_that_cannot_be_read_takes_no_other_along() -> None:
    good = Start(run="a", workflow={})
    bad = NewerStart(run="b", workflow={})
    first, second, third = read_told(joined([pack(good), pack(bad), b"3"]))
    assert first == good
    assert second == Garbled("start.novelty: Extra inputs are not permitted", "start", ("b",))
    assert isinstance(third, Garbled)
    assert not third.runs


@pytest.mark.parametrize("packed", [b"", b"\xff", b"[", b"[" * 100_000])
def test_bytes_that_are_no_message_are_told_and_not_raised(packed: bytes) -> None:
    (found,) = read_said(packed)
    assert isinstance(found, Garbled)
    assert "it is not JSON" in found.why


def test_half_a_character_is_told_as_the_sign_for_what_cannot_be_shown() -> None:
    ended = Ended(run="a", status="failed", error="no file caf\udce9.png, but 🦊")
    (read,) = read_said(joined([pack(ended)]))
    assert read == Ended(run="a", status="failed", error="no file caf�.png, but 🦊")


def test_what_json_cannot_say_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ValueError, match="not JSON serializable"):
        pack(Happened(run="a", event=Produced(node="a", kind="text", data={"of": object()})))


async def test_a_run_that_the_worker_cannot_read_fails_with_a_sentence_and_the_next_one_runs(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run_at_work, "Start", NewerStart)
        failed = await desk.ended(desk.add("quick"))
    assert (failed.status, failed.attempts) == ("failed", 1)
    assert "cannot read what it was told (start.novelty" in str(failed.error)
    assert "restart it" in str(failed.error)
    assert (await desk.ended(desk.add("quick"))).status == "finished"
    states = [message["state"] for message in desk.of_type("worker")]
    assert "starting" not in states, "the worker need not end for that"


async def test_a_question_that_the_worker_cannot_read_is_answered_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (station,) = desk.dispatcher.stations
    await station.is_ready()
    monkeypatch.setattr(questions, "AskValue", NewerQuestion)
    monkeypatch.setattr(trial_desk, "AskTrial", NewerTrial)
    monkeypatch.setattr(questions, "PATIENCE", 600.0)  # it would be waited for otherwise
    assert (await station.ask.value("a", "b", "c")).kind == "gone"
    tried = await station.trials.ask("x")
    assert tried is not None
    assert "cannot read" in tried.trouble


async def test_a_worker_that_does_not_understand_what_it_shall_do_ends_and_another_one_comes(
    desk: Desk,
) -> None:
    (station,) = desk.dispatcher.stations
    await station.is_ready()
    await station._client.send(Newer())
    await desk.until(lambda: any("it was told" in m["message"] for m in desk.of_type("worker")))
    assert (await desk.ended(desk.add("quick"))).status == "finished"


@pytest.mark.parametrize("title", ["", "and finish"])
async def test_a_run_of_which_something_unreadable_is_said_fails_with_a_sentence(
    desk: Desk, title: str
) -> None:
    nodes = {"n0": {"type": "mumble", "title": title}, "n1": {"type": "quick"}}
    failed = await desk.ended(desk.add_workflow({"version": 1, "nodes": nodes}))
    assert (failed.status, failed.attempts) == ("failed", 1)
    assert "did not get through: happened.event" in str(failed.error)
    assert (await desk.ended(desk.add("quick"))).status == "finished"


async def test_a_worker_that_raves_is_replaced_and_costs_its_run_an_attempt(desk: Desk) -> None:
    failed = await desk.ended(desk.add("rave"))
    assert (failed.status, failed.attempts) == ("failed", ATTEMPTS)
    assert "do not understand each other: it is not JSON" in str(failed.error)
    assert (await desk.ended(desk.add("quick"))).status == "finished"


async def test_a_run_that_cannot_be_written_fails_with_a_sentence(desk: Desk) -> None:
    (station,) = desk.dispatcher.stations
    await station.is_ready()
    run = desk.add("slow")
    await desk.running(run)
    await station._client.send(Start(run=run, workflow={"a": object()}))
    failed = await desk.ended(run)
    assert failed.status == "failed"
    assert "it cannot be written" in str(failed.error)
    assert (await desk.ended(desk.add("quick"))).status == "finished"
