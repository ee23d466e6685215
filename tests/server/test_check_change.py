"""An answer to what changed in a workflow is, put together, the answer for all of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.check import check
from graph.recent import Recent
from graph.socket_types import SocketTypes
from graph.workflow import Workflow
from server.bases import KEPT, Base, Bases, BaseUnknown, changes
from server.check_change import CheckRequest, read_after
from server.routes.check import CheckAnswer
from tests.graph.small_world import DEFINITIONS, SHELF, text_to_image
from tests.graph.test_recent import changes as edits_of
from tests.graph.test_space_properties import workflows
from tests.helpers.packing import packed
from tests.server.site import Site, site_at

Json = dict[str, Any]


def changed(before: Json, now: Json) -> Json:
    """What the page sends of two saved workflows: what is other, and the order where that is."""

    def part(name: str) -> tuple[Json, list[str] | None]:
        old, new = before.get(name, {}), now.get(name, {})
        other = {id_: item for id_, item in new.items() if old.get(id_) != item}
        return other, None if list({**old, **other}) == list(new) else list(new)

    nodes, subgraphs = part("nodes"), part("subgraphs")
    return {
        "workflow": {"version": now["version"], "nodes": nodes[0], "subgraphs": subgraphs[0]},
        "order": {"nodes": nodes[1], "subgraphs": subgraphs[1]},
    }


def packed_twice(flow: Workflow, inside: list[str]) -> Workflow:
    """The workflow with these nodes in a subgraph that two nodes stand for; none: as it is."""
    ids = [id_ for id_ in inside if id_ in flow.nodes]
    if not ids:
        return flow
    once = packed(flow, ids, "p")
    return once.model_copy(update={"nodes": {**once.nodes, "again": once.nodes["p"]}})


@settings(max_examples=60, deadline=None)
@given(flow=workflows(), data=st.data())
def test_told_change_by_change_a_session_has_the_answers_of_whole_workflows(
    flow: Workflow, data: Any
) -> None:
    recent, bases = Recent(), Bases()
    name: str | None = None
    sent: Json = {}
    types: dict[str, SocketTypes] = {}
    inside = data.draw(st.lists(st.sampled_from(list(flow.nodes)), unique=True))
    for _ in range(6):
        saved = packed_twice(flow, inside).to_json()
        asked = {"workflow": saved} if name is None else {"base": name, **changed(sent, saved)}
        body = CheckRequest.model_validate(asked)
        base = bases.find(body.base)
        loaded = read_after(base, body)
        found = check(loaded.workflow, DEFINITIONS, SHELF, recent=recent)
        whole = check(Workflow.model_validate(saved), DEFINITIONS, SHELF).to_json()
        new, gone = changes(base, found.types)
        now = {id_: one for id_, one in {**types, **new}.items() if id_ not in gone}
        assert {**found.to_json(), "types": now} == whole
        if data.draw(st.booleans()) or name is None:  # else the page never got the answer
            name = bases.keep(Base(loaded.workflow, found.types), name)
            sent, types = saved, now
        flow = data.draw(edits_of(flow))


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


SAVED = text_to_image().to_json()
MIXED_UP = text_to_image("starter.safetensors", "starter-b.safetensors").to_json()


async def test_the_editor_is_told_only_what_became_other(site: Site) -> None:
    _, first = await site.post("/api/check", {"workflow": SAVED})
    CheckAnswer.model_validate(first)
    body = {"base": first["base"], **changed(SAVED, MIXED_UP)}
    assert len(body["workflow"]["nodes"]) < len(SAVED["nodes"])
    status, second = await site.post("/api/check", body)
    assert status == 200
    _, whole = await site.post("/api/check", {"workflow": MIXED_UP})
    assert second["problems"] == whole["problems"] != []
    assert 0 < len(second["types"]) < len(whole["types"])
    told = {**first["types"], **second["types"]}
    assert {id_: told[id_] for id_ in told if id_ not in second["gone"]} == whole["types"]

    # The answer to the second may have been lost on its way: the first is still there.
    again = {"base": first["base"], **changed(SAVED, SAVED)}
    _, third = await site.post("/api/check", again)
    assert (third["problems"], third["types"], third["gone"]) == ([], {}, [])


async def test_a_forgotten_base_is_told_so_that_the_whole_is_sent(site: Site) -> None:
    _, first = await site.post("/api/check", {"workflow": SAVED})
    for _ in range(KEPT):
        await site.post("/api/check", {"workflow": SAVED})
    for name in (first["base"], "never-given"):
        body = {"base": name, **changed(SAVED, SAVED)}
        status, answer = await site.post("/api/check", body)
        assert (status, answer["error"]["code"]) == (409, "unknown_base")


async def test_an_older_form_is_always_sent_whole(site: Site) -> None:
    _, older = await site.post("/api/check", {"workflow": {**SAVED, "version": 1}})
    assert older["base"] is None
    _, first = await site.post("/api/check", {"workflow": SAVED})
    body = {"base": first["base"], "workflow": {"version": 1, "nodes": {}}}
    status, answer = await site.post("/api/check", body)
    assert (status, answer["error"]["code"]) == (409, "unknown_base")


async def test_an_order_of_unknown_nodes_is_refused_in_words(site: Site) -> None:
    _, first = await site.post("/api/check", {"workflow": SAVED})
    body = {"base": first["base"], "workflow": {"nodes": {}}, "order": {"nodes": ["nobody"]}}
    status, answer = await site.post("/api/check", body)
    assert status == 400
    assert "'nobody'" in answer["error"]["message"]


def test_a_base_that_is_used_is_kept_longest() -> None:
    bases = Bases()
    first = bases.keep(Base(text_to_image(), {}), None)
    for _ in range(2 * KEPT):
        bases.keep(Base(text_to_image(), {}), first)
    assert bases.find(first) is not None
    for _ in range(KEPT):
        bases.keep(Base(text_to_image(), {}), None)
    with pytest.raises(BaseUnknown):
        bases.find(first)
