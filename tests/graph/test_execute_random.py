"""Random graphs, with lazy inputs and expansions, against direct evaluation."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.cache import ResultCache
from graph.workflow import PlacedNode
from tests.graph.arithmetic import Box
from tests.graph.lab import Lab, placed, size_of

# A random graph: node k takes some of the nodes before it. Each entry is (kind, earlier nodes).
KINDS: dict[str, Callable[..., int]] = {
    "one_more": lambda a: a + 1,
    "scale": lambda a: 2 * a,
    "add": lambda a, b: a + b,
    "pick": lambda a, b: a,
    "both": lambda a, b: a + b,
    "total": lambda *items: sum(items),
    "add_times": lambda a: a + 1,
}
ARITY = {"one_more": 1, "scale": 1, "add": 2, "pick": 2, "both": 2, "total": 3, "add_times": 1}


@st.composite
def graphs(draw: st.DrawFn) -> list[tuple[str, tuple[int, ...]]]:
    made: list[tuple[str, tuple[int, ...]]] = [("box", ()), ("box", ())]
    for index in range(2, draw(st.integers(3, 25))):
        kind = draw(st.sampled_from(sorted(KINDS)))
        earlier = st.integers(0, index - 1)
        made.append((kind, tuple(draw(earlier) for _ in range(ARITY[kind]))))
    return made


def as_nodes(graph: list[tuple[str, tuple[int, ...]]]) -> dict[str, PlacedNode]:
    nodes = {}
    for index, (kind, earlier) in enumerate(graph):
        names = [f"items_{k}" for k in range(3)] if kind == "total" else ["a", "b"]
        wires = dict(zip(names, map(str, earlier), strict=False))
        values = {"number": index + 1} if kind == "box" else {}
        nodes[str(index)] = placed(kind, values=values, **wires)
    return nodes


def directly(graph: list[tuple[str, tuple[int, ...]]]) -> list[int]:
    numbers: list[int] = []
    for index, (kind, earlier) in enumerate(graph):
        values = [numbers[k] for k in earlier]
        numbers.append(KINDS[kind](*values) if kind in KINDS else index + 1)
    return numbers


@settings(max_examples=300, deadline=None)
@given(graph=graphs(), room=st.integers(0, 20), data=st.data())
def test_a_random_graph_gives_what_direct_evaluation_gives(
    graph: list[tuple[str, tuple[int, ...]]], room: int, data: st.DataObject
) -> None:
    """Whatever is wanted, whatever the cache has room for, however often it is run."""
    expected = directly(graph)
    nodes = as_nodes(graph)
    lab = Lab(cache=ResultCache(room * (1024 + size_of(Box())), size_of))
    for _ in range(3):
        wanted = data.draw(st.lists(st.sampled_from(sorted(nodes)), min_size=1, max_size=4))
        outcome = lab.run(nodes, *wanted)
        assert outcome.status == "finished", outcome.failure
        found = {node: outputs["box"].number for node, outputs in outcome.values.items()}
        assert found == {node: expected[int(node)] for node in wanted}
        if all(kind != "add_times" for kind, _ in graph):
            # An expansion may need once more what was done and freed before it was known.
            assert len(lab.ran()) == len(set(lab.ran())), "a node ran twice"
        assert lab.cache.statistics().bytes <= lab.cache.max_bytes
