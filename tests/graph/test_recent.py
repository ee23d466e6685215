"""A check that remembers the last ones gives the answers of one that does not."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.check import check, targets
from graph.edits import apply
from graph.files import FileFacts
from graph.problem import Connect, Disconnect, Edit, RemoveNode, SetValue
from graph.recent import KEPT, Recent
from graph.workflow import PlacedNode, Wire, Workflow
from tests.graph.small_world import DEFINITIONS, SHELF, placed, text_to_image
from tests.graph.test_space_properties import FILES, workflows

Change = Workflow | list[Edit]


@st.composite
def changes(draw: st.DrawFn, flow: Workflow) -> Workflow:
    """The workflow after something that a person may do to it."""
    nodes = dict(flow.nodes)
    id_ = draw(st.sampled_from(sorted(nodes)))
    node = nodes[id_]
    what = draw(st.sampled_from(["value", "file", "title", "mode", "wire", "cut", "remove", "add"]))
    wires = [Wire(node=other, output=item.name)
             for other in nodes for item in DEFINITIONS[nodes[other].type].outputs]  # fmt: skip
    if what == "value":
        return apply(flow, [SetValue(node=id_, name="steps", value=draw(st.integers(-1, 9)))])
    if what == "file" and node.type == "load_checkpoint":
        return apply(flow, [SetValue(node=id_, name="file", value=draw(st.sampled_from(FILES)))])
    if what == "remove" and len(nodes) > 2:
        if draw(st.booleans()):  # as a file may have it that was edited by hand
            return flow.model_copy(update={"nodes": {k: v for k, v in nodes.items() if k != id_}})
        return apply(flow, [RemoveNode(node=id_)])
    if what == "add":
        nodes[f"new{len(nodes)}"] = placed("vae_decode")
    if what == "title":
        nodes[id_] = node.model_copy(update={"title": draw(st.sampled_from(["", "Sky"]))})
    if what == "mode":
        mode = draw(st.sampled_from(["run", "mute", "bypass"]))
        nodes[id_] = node.model_copy(update={"mode": mode})
    if what == "wire" and node.inputs and wires:
        name = draw(st.sampled_from(sorted(node.inputs)))
        return apply(flow, [Connect(node=id_, socket=name, wire=draw(st.sampled_from(wires)))])
    if what == "cut" and node.inputs:
        return apply(
            flow, [Disconnect(node=id_, socket=draw(st.sampled_from(sorted(node.inputs))))]
        )
    return flow.model_copy(update={"nodes": nodes})


@settings(max_examples=60, deadline=None)
@given(flow=workflows(), data=st.data())
def test_a_session_of_edits_is_told_the_same_with_and_without_a_memory(
    flow: Workflow, data: Any
) -> None:
    recent = Recent()
    past: list[Workflow] = []
    for _ in range(8):
        first = check(flow, DEFINITIONS, SHELF)
        second = check(flow, DEFINITIONS, SHELF, recent=recent)
        assert second.to_json() == first.to_json()
        assert dict(second.bindings) == dict(first.bindings)
        assert second.blocking == first.blocking
        node = next(iter(flow.nodes))
        for output in DEFINITIONS[flow.nodes[node].type].outputs:
            asked: Any = (flow, DEFINITIONS, SHELF, node)
            fresh = targets(*asked, output=output.name)
            assert targets(*asked, output=output.name, recent=recent) == fresh
        past.append(flow)
        undone = data.draw(st.booleans())
        flow = data.draw(st.sampled_from(past) if undone else changes(flow))


def test_a_file_that_was_replaced_under_its_name_is_noticed() -> None:
    class Shelf:
        """The small shelf, on which one checkpoint can become another."""

        instead = ""
        names, fits, space_title = SHELF.names, SHELF.fits, SHELF.space_title
        mentioned, embeddings = SHELF.mentioned, SHELF.embeddings
        embedding_fit = SHELF.embedding_fit

        def facts(self, folder: str, name: str) -> FileFacts | None:
            if self.instead and folder == "checkpoints":
                found = SHELF.facts(folder, self.instead)
                return found and found.model_copy(update={"name": name})
            return SHELF.facts(folder, name)

    shelf, recent, flow = Shelf(), Recent(), text_to_image("sd15.safetensors")
    before = check(flow, DEFINITIONS, shelf, recent=recent)
    shelf.instead = "sdxl.safetensors"
    after = check(flow, DEFINITIONS, shelf, recent=recent)
    assert before.bindings["sampler"]["S"] == ("sd1",)
    assert after.bindings["sampler"]["S"] == ("sdxl",)
    assert after.to_json() == check(flow, DEFINITIONS, shelf).to_json()


def test_only_a_few_workflows_are_kept() -> None:
    recent = Recent()
    for number in range(3 * KEPT):
        nodes: dict[str, PlacedNode] = {f"n{number}": placed("empty_latent")}
        check(Workflow(nodes=nodes), DEFINITIONS, SHELF, recent=recent)
    assert len(recent._known) == KEPT


def test_a_hundred_conflicts_that_are_alike_each_have_fixes_that_mend_them() -> None:
    nodes: dict[str, PlacedNode] = {}
    for k in range(100):
        for id_, node in text_to_image("sd15.safetensors", "sdxl.safetensors").nodes.items():
            inputs = {
                name: Wire(node=f"{wire.node}{k}", output=wire.output)
                for name, wire in node.inputs.items()
            }
            nodes[f"{id_}{k}"] = node.model_copy(update={"inputs": inputs})
    flow = Workflow(nodes=nodes)
    found = [item for item in check(flow, DEFINITIONS, SHELF).problems if item.fixes]
    assert len(found) == 100
    assert (
        len({tuple(fix.title for fix in item.fixes if "(" not in fix.title) for item in found}) == 1
    )
    for problem in found[::33]:
        for fix in problem.fixes:
            after = check(apply(flow, fix.edits), DEFINITIONS, SHELF).problems
            left = [item.node for item in after if item.code == "space_mismatch"]
            assert problem.node not in left, fix.title
            assert len(left) == 99
