"""Which latent belongs to which VAE: conflicts, inference, gradual types, overruled wires."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.check import CheckResult, check
from graph.edits import apply
from graph.files import FileFacts
from graph.migrations import load_text
from graph.problem import Problem
from graph.workflow import PlacedNode, Wire, Workflow
from tests.graph.small_world import (
    DEFINITIONS,
    SHELF,
    Shelf,
    checkpoint,
    placed,
    text_to_image,
    vae,
    workflow,
)


def checked(flow: Workflow, files: Shelf = SHELF, **options: Any) -> CheckResult:
    return check(flow, DEFINITIONS, files, **options)


def conflicts(flow: Workflow, files: Shelf = SHELF) -> list[Problem]:
    return [item for item in checked(flow, files).problems if item.code == "space_mismatch"]


def places(problems: Sequence[Problem]) -> list[tuple[str | None, str | None]]:
    return [(item.node, item.socket) for item in problems]


def space(result: CheckResult, node: str, output: str, index: int = 0) -> tuple[Any, str]:
    found = result.types[node]["outputs"][output]["spaces"][index]
    return found["candidates"], found["certainty"]


def titled(flow: Workflow, **titles: str) -> Workflow:
    nodes = {
        id_: node.model_copy(update={"title": titles.get(id_, node.title)})
        for id_, node in flow.nodes.items()
    }
    return flow.model_copy(update={"nodes": nodes})


def rewired(flow: Workflow, node: str, **wires: str) -> Workflow:
    """The workflow with other wires into one node."""
    fresh = placed(flow.nodes[node].type, **wires).inputs
    changed = flow.nodes[node].model_copy(update={"inputs": {**flow.nodes[node].inputs, **fresh}})
    return flow.model_copy(update={"nodes": {**flow.nodes, node: changed}})


def moded(flow: Workflow, **modes: str) -> Workflow:
    nodes = {
        id_: node.model_copy(update={"mode": modes.get(id_, node.mode)})
        for id_, node in flow.nodes.items()
    }
    return flow.model_copy(update={"nodes": nodes})


def mended(flow: Workflow, problem: Problem, files: Shelf = SHELF) -> list[str]:
    """The titles of the fixes, each of which was seen to leave no conflict, and no other error."""
    before = {(item.code, item.node) for item in checked(flow, files).problems}
    for fix in problem.fixes:
        after = checked(apply(flow, fix.edits), files).problems
        assert (problem.node, problem.socket) not in places(
            [item for item in after if item.code == "space_mismatch"]
        ), fix.title
        errors = {(item.code, item.node) for item in after if item.severity == "error"}
        assert errors <= before, fix.title
    return [fix.title for fix in problem.fixes]


def test_a_starter_latent_cannot_enter_the_starter_b_vae() -> None:
    flow = text_to_image(vae_file="starter-b.safetensors")
    result = checked(titled(flow, sampler="Sample", decode="Decode"))
    (problem,) = result.problems
    assert (problem.code, problem.severity) == ("space_mismatch", "error")
    assert places([problem]) == [("decode", "latent")]
    assert problem.message == (
        "This latent is Starter: KSampler 'Sample' uses starter.safetensors. "
        "VAE Decode 'Decode' uses starter-b.safetensors, which is for Starter B."
    )
    arriving, present = problem.because
    assert (arriving.node, arriving.socket, arriving.space) == ("sampler", "latent", "starter")
    assert arriving.path == ("checkpoint", "sampler")
    assert (present.node, present.socket, present.space) == ("decode", "vae", "starter-b")
    assert present.path == ("vae_loader", "decode")
    assert present.evidence == "starter-b.safetensors: declared in the file's metadata"
    assert result.blocking == (problem,)
    assert not result.runnable


def test_every_way_out_of_the_mismatch_is_offered_and_leaves_it_gone() -> None:
    flow = text_to_image(vae_file="starter-b.safetensors")
    (problem,) = conflicts(flow)
    assert mended(flow, problem) == [
        "Use the VAE of starter.safetensors in VAE Decode",
        "Load starter.safetensors in Load VAE",
        "Convert it: put VAE Decode and VAE Encode in between",
        "I know better: allow this wire",
    ]


@pytest.mark.parametrize("file", ["sd15", "sdxl", "flux", "starter"])
@pytest.mark.parametrize("vae_file", ["sd1", "sdxl", "flux", "starter", "starter-b"])
def test_a_vae_file_fits_a_checkpoint_of_its_own_space_and_no_other(
    file: str, vae_file: str
) -> None:
    spaces = {"sd15": "sd1"}.get(file, file)
    flow = text_to_image(f"{file}.safetensors", f"{vae_file}.safetensors")
    found = conflicts(flow)
    assert (not found) == (spaces == vae_file)
    for problem in found:
        mended(flow, problem)


def test_models_that_share_a_latent_space_but_not_a_text_space_are_told_apart() -> None:
    other = {"other": placed("load_checkpoint", {"file": "sd21.safetensors"})}
    flow = text_to_image("sd15.safetensors", **other)
    assert conflicts(rewired(flow, "decode", vae="other.vae")) == []
    wrong = rewired(flow, "positive", clip="other.clip")
    (problem,) = conflicts(wrong)
    assert places([problem]) == [("sampler", "positive")]
    assert problem.parameters["axis"] == "text"
    assert "This conditioning is sd2" in problem.message
    titles = mended(wrong, problem)
    assert titles[0] == "Use the CLIP of sd15.safetensors in CLIP Text Encode (positive)"
    assert "I know better: allow this wire" not in titles, "another width never runs"


def test_a_channel_count_is_never_overruled() -> None:
    flow = text_to_image("sd15.safetensors", "flux.safetensors")
    (problem,) = conflicts(flow)
    assert not any("know better" in title for title in mended(flow, problem))
    node = flow.nodes["decode"]
    wire = Wire(node="sampler", output="latent", allow=("sd1", "flux1"))
    node = node.model_copy(update={"inputs": {**node.inputs, "latent": wire}})
    by_hand = flow.model_copy(update={"nodes": {**flow.nodes, "decode": node}})
    assert places(conflicts(by_hand)) == [("decode", "latent")]


def test_the_wire_where_two_long_paths_meet_is_to_blame_not_one_in_the_middle() -> None:
    more = {f"up{k}": placed("upscale_latent", latent=f"up{k - 1}.latent") for k in range(1, 9)}
    flow = text_to_image("sd15.safetensors", "sdxl.safetensors", **more)
    flow = rewired(flow, "up1", latent="sampler.latent")
    flow = rewired(flow, "decode", latent="up8.latent")
    (problem,) = conflicts(flow)
    assert places([problem]) == [("decode", "latent")]
    assert problem.because[0].node == "up8"
    assert problem.because[0].path == ("checkpoint", "sampler", *more)
    assert "comes from Upscale Latent (up8), and KSampler uses sd15.safetensors" in problem.message
    mended(flow, problem)


def test_every_wrong_wire_of_one_source_is_told_at_once() -> None:
    again = {
        "decode2": placed("vae_decode", latent="sampler.latent", vae="vae_loader.vae"),
        "save2": placed("save_image", image="decode2.image"),
    }
    flow = text_to_image("sd15.safetensors", "sdxl.safetensors", **again)
    found = conflicts(flow)
    assert places(found) == [("decode", "latent"), ("decode2", "latent")]
    for problem in found:
        mended(flow, problem)


def two_samplers() -> Workflow:
    return text_to_image(
        "sd15.safetensors",
        other=placed("load_checkpoint", {"file": "sdxl.safetensors"}),
        words=placed("encode_text", clip="other.clip"),
        sampler2=placed(
            "k_sampler",
            model="other.model",
            positive="words.conditioning",
            negative="words.conditioning",
            latent="empty.latent",
        ),
        decode2=placed("vae_decode", latent="sampler2.latent", vae="other.vae"),
        save2=placed("save_image", image="decode2.image"),
    )


def test_two_samplers_that_disagree_over_one_empty_latent_may_each_have_one() -> None:
    flow = two_samplers()
    (problem,) = conflicts(flow)
    assert places([problem]) == [("sampler2", "latent")]
    assert problem.message.startswith(
        "Empty Latent cannot serve both: KSampler (sampler) uses sd15"
    )
    assert [side.path for side in problem.because] == [
        ("checkpoint", "sampler"),
        ("other", "sampler2"),
    ]
    titles = mended(flow, problem)
    assert titles[0] == "Duplicate Empty Latent for KSampler (sampler2)"
    fixed = apply(flow, problem.fixes[0].edits)
    assert fixed.nodes["empty-copy"].type == "empty_latent"
    assert fixed.nodes["sampler2"].inputs["latent"].node == "empty-copy"
    result = checked(fixed)
    assert result.runnable
    assert result.bindings["empty"] == {"S": ("sd1",)}
    assert result.bindings["empty-copy"] == {"S": ("sdxl",)}


def test_what_lies_between_the_empty_latent_and_the_fork_is_duplicated_too() -> None:
    flow = two_samplers()
    nodes = {**flow.nodes, "up": placed("upscale_latent", latent="empty.latent")}
    flow = flow.model_copy(update={"nodes": nodes})
    flow = rewired(rewired(flow, "sampler", latent="up.latent"), "sampler2", latent="up.latent")
    (problem,) = conflicts(flow)
    assert "Duplicate Upscale Latent for KSampler (sampler2)" in mended(flow, problem)
    fixed = apply(flow, problem.fixes[0].edits)
    assert fixed.nodes["up-copy"].inputs["latent"].node == "empty-copy"


def test_each_branch_of_a_conflict_runs_alone() -> None:
    flow = two_samplers()
    assert not checked(flow).runnable
    for wanted, found in (("save", "sd1"), ("save2", "sdxl")):
        result = checked(flow, wanted=[wanted])
        assert result.runnable
        assert result.bindings["empty"] == {"S": (found,)}
        assert [item.code for item in result.problems] == ["space_mismatch"], "still shown"


def test_an_empty_latent_that_nothing_speaks_to_is_unresolved() -> None:
    flow = workflow(empty=placed("empty_latent"), s=placed("show", value="empty.latent"))
    result = checked(flow)
    (problem,) = result.problems
    assert (problem.code, problem.node) == ("unresolved_space", "empty")
    assert "nothing that it is wired to says its latent space" in problem.message
    assert result.blocking == (problem,)
    assert space(result, "empty", "latent") == (None, "unknown")


def test_an_unresolved_space_names_the_file_that_could_have_said_it() -> None:
    result = checked(text_to_image("mystery.safetensors"))
    found = {item.code: item for item in result.problems}
    assert "mystery.safetensors could not be identified" in found["unresolved_space"].message
    assert found["unidentified"].severity == "warning"
    result = checked(text_to_image("gone.safetensors"))
    found = {item.code: item for item in result.problems}
    assert set(found) == {"missing_file", "unresolved_space"}
    assert "Load Checkpoint, which would say it, has no file" in found["unresolved_space"].message


def test_an_unknown_file_into_a_known_space_is_allowed_with_a_warning() -> None:
    result = checked(text_to_image("sd15.safetensors", "unknown.safetensors"))
    (problem,) = result.problems
    assert (problem.code, problem.severity) == ("unidentified", "warning")
    assert places([problem]) == [("vae_loader", "file")]
    assert "It is taken for SD 1.x" in problem.message
    assert result.runnable
    assert space(result, "vae_loader", "vae") == (["sd1"], "assumed")
    assert space(result, "sampler", "latent") == (["sd1"], "certain")


def test_an_ambiguous_file_is_narrowed_by_its_use_and_shown_as_assumed() -> None:
    flow = text_to_image("sdxl.safetensors", "sd1-or-sdxl.safetensors")
    result = checked(flow)
    assert [item.code for item in result.problems] == ["unidentified"]
    assert "could be SD 1.x or SDXL" in result.problems[0].message
    assert space(result, "vae_loader", "vae") == (["sdxl"], "assumed")
    wrong = text_to_image("starter.safetensors", "sd1-or-sdxl.safetensors")
    (problem,) = conflicts(wrong)
    assert "which is for SD 1.x or SDXL" in problem.message
    mended(wrong, problem)


def test_an_ambiguous_file_that_nothing_narrows_shows_both_candidates() -> None:
    flow = workflow(
        loader=placed("load_vae", {"file": "sd1-or-sdxl.safetensors"}),
        image=placed("load_image", {"file": "photo.png"}),
        encode=placed("vae_encode", image="image.image", vae="loader.vae"),
        show=placed("show", value="encode.latent"),
    )
    result = checked(flow)
    assert space(result, "encode", "latent") == (["sd1", "sdxl"], "unknown")
    assert result.bindings["encode"] == {"S": ("sd1", "sdxl")}
    assert result.runnable


def test_one_file_is_not_two_things_in_one_workflow() -> None:
    flow = text_to_image("sd15.safetensors", "sd1-or-sdxl.safetensors")
    second = text_to_image("sdxl.safetensors", "sd1-or-sdxl.safetensors")
    renamed = {
        f"{id_}2": node.model_copy(
            update={
                "inputs": {
                    name: Wire(node=f"{wire.node}2", output=wire.output)
                    for name, wire in node.inputs.items()
                }
            }
        )
        for id_, node in second.nodes.items()
    }
    both = flow.model_copy(update={"nodes": {**flow.nodes, **renamed}})
    assert conflicts(flow) == []
    assert conflicts(second) == []
    (problem,) = conflicts(both)
    assert "sd1-or-sdxl.safetensors cannot serve both" in problem.message
    mended(both, problem)
    assert checked(both, wanted=["save"]).runnable
    assert checked(both, wanted=["save2"]).runnable


def test_a_file_is_known_by_its_content_not_by_its_name() -> None:
    twins = [
        vae(name, "sd1", "sdxl", content="the same bytes")
        for name in ("a.safetensors", "b.safetensors")
    ]
    shelf = Shelf(
        checkpoints=[
            checkpoint("sd15.safetensors", "sd1", "sd1"),
            checkpoint("sdxl.safetensors", "sdxl", "sdxl"),
        ],
        vae=twins,
    )
    flow = two_samplers()
    nodes = {
        **flow.nodes,
        "a": placed("load_vae", {"file": "a.safetensors"}),
        "b": placed("load_vae", {"file": "b.safetensors"}),
        "empty2": placed("empty_latent"),
    }
    flow = flow.model_copy(update={"nodes": nodes})
    flow = rewired(flow, "sampler2", latent="empty2.latent")
    assert conflicts(flow, shelf) == []
    flow = rewired(rewired(flow, "decode", vae="a.vae"), "decode2", vae="b.vae")
    assert len(conflicts(flow, shelf)) == 1


def test_a_node_that_fixes_its_space_says_so() -> None:
    flow = text_to_image(
        "sd15.safetensors", sharpen=placed("sharpen_sdxl", latent="sampler.latent")
    )
    flow = rewired(flow, "decode", latent="sharpen.latent")
    found = conflicts(flow)
    assert places(found) == [("decode", "latent"), ("sharpen", "latent")]
    assert "Sharpen SDXL gives nothing else" in found[0].message
    assert "Sharpen SDXL takes only SDXL" in found[1].message
    noisy = text_to_image("sd15.safetensors", noise=placed("add_noise", latent="sampler.latent"))
    assert conflicts(noisy) == []
    noisy = text_to_image(noise=placed("add_noise", latent="sampler.latent"))
    assert "Add Noise takes only SD 1.x or SDXL" in conflicts(noisy)[0].message


def test_a_node_between_two_spaces_joins_neither() -> None:
    flow = text_to_image(
        "sd15.safetensors",
        "sdxl.safetensors",
        turn=placed("translate_latent", latent="sampler.latent"),
    )
    flow = rewired(flow, "decode", latent="turn.latent")
    result = checked(flow)
    assert result.problems == ()
    assert result.bindings["turn"] == {"S": ("sd1",), "S2": ("sdxl",)}


def test_three_files_of_which_every_two_agree_but_not_all_are_told_together() -> None:
    shelf = Shelf(
        vae=[
            vae("ab.safetensors", "a", "b"),
            vae("bc.safetensors", "b", "c"),
            vae("ac.safetensors", "a", "c"),
        ],
        input=[FileFacts(name="photo.png", kind="image")],
    )
    nodes: dict[str, PlacedNode] = {
        "photo": placed("load_image", {"file": "photo.png"}),
        "ab": placed("load_vae", {"file": "ab.safetensors"}),
        "bc": placed("load_vae", {"file": "bc.safetensors"}),
        "ac": placed("load_vae", {"file": "ac.safetensors"}),
        "encode": placed("vae_encode", image="photo.image", vae="ab.vae"),
        "decode": placed("vae_decode", latent="encode.latent", vae="bc.vae"),
        "decode2": placed("vae_decode", latent="encode.latent", vae="ac.vae"),
        "save": placed("save_image", image="decode.image"),
        "save2": placed("save_image", image="decode2.image"),
    }
    (problem,) = conflicts(Workflow(nodes=nodes), shelf)
    for name in ("ab", "bc", "ac"):
        assert f"{name}.safetensors" in problem.message
    del nodes["decode2"], nodes["save2"]
    assert conflicts(Workflow(nodes=nodes), shelf) == []


def allowed(flow: Workflow, *pair: str) -> Workflow:
    node = flow.nodes["decode"]
    wire = Wire(node="sampler", output="latent", allow=pair)
    node = node.model_copy(update={"inputs": {**node.inputs, "latent": wire}})
    return flow.model_copy(update={"nodes": {**flow.nodes, "decode": node}})


def test_an_overruled_wire_keeps_both_sides_apart_and_lapses_when_either_changes() -> None:
    flow = text_to_image("sd15.safetensors", "sdxl.safetensors")
    result = checked(allowed(flow, "sd1", "sdxl"))
    assert result.problems == ()
    assert result.runnable
    assert space(result, "sampler", "latent") == (["sd1"], "certain")
    assert result.types["decode"]["inputs"]["latent"]["spaces"][0]["candidates"] == ["sdxl"]
    assert len(conflicts(allowed(flow, "starter", "sdxl"))) == 1
    assert len(conflicts(allowed(flow, "sdxl", "sd1"))) == 1
    other = text_to_image("starter.safetensors", "sdxl.safetensors")
    assert len(conflicts(allowed(other, "sd1", "sdxl"))) == 1
    agreeing = text_to_image("sd15.safetensors", "sd1.safetensors")
    assert conflicts(allowed(agreeing, "sd1", "sdxl")) == []


def test_an_overruled_wire_survives_saving() -> None:
    flow = allowed(text_to_image("sd15.safetensors", "sdxl.safetensors"), "sd1", "sdxl")
    assert checked(load_text(flow.to_text()).workflow).problems == ()


def test_an_overruled_wire_holds_although_one_before_it_has_lapsed() -> None:
    flow = text_to_image("sd15.safetensors", "sdxl.safetensors")
    up = PlacedNode(
        type="upscale_latent",
        inputs={"latent": Wire(node="sampler", output="latent", allow=("starter", "sdxl"))},
    )
    decode = flow.nodes["decode"]
    inputs = {**decode.inputs, "latent": Wire(node="up", output="latent", allow=("sd1", "sdxl"))}
    decode = decode.model_copy(update={"inputs": inputs})
    flow = flow.model_copy(update={"nodes": {**flow.nodes, "up": up, "decode": decode}})
    # The first wire counts again, so "up" is SD 1.x, which is what the second one was allowed for.
    result = checked(flow)
    assert result.problems == ()
    assert space(result, "up", "latent") == (["sd1"], "certain")


def test_muting_a_node_takes_its_equations_away() -> None:
    flow = two_samplers()
    assert conflicts(moded(flow, sampler2="mute")) == []
    result = checked(moded(flow, sampler2="mute"))
    assert result.runnable
    assert result.wanted == ("save",)


def test_a_bypassed_node_passes_the_type_of_what_enters_it() -> None:
    flow = text_to_image("sd15.safetensors", up=placed("upscale_latent", latent="sampler.latent"))
    flow = moded(rewired(flow, "decode", latent="up.latent"), up="bypass")
    result = checked(flow)
    assert result.problems == ()
    assert space(result, "up", "latent") == (["sd1"], "certain")
    wrong = rewired(flow, "decode", vae="other.vae")
    nodes = {**wrong.nodes, "other": placed("load_vae", {"file": "sdxl.safetensors"})}
    wrong = wrong.model_copy(update={"nodes": nodes})
    (problem,) = conflicts(wrong)
    assert places([problem]) == [("decode", "latent")]
    assert problem.because[0].node == "sampler"
    mended(wrong, problem)


FILES = ["starter.safetensors", "sd15.safetensors", "sdxl.safetensors", "mystery.safetensors"]
VAES = [
    None,
    "sd1.safetensors",
    "sdxl.safetensors",
    "unknown.safetensors",
    "sd1-or-sdxl.safetensors",
]


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    """One or two everyday workflows whose wires are partly crossed."""
    nodes: dict[str, PlacedNode] = {}
    for k in range(draw(st.integers(1, 2))):
        part = text_to_image(draw(st.sampled_from(FILES)), draw(st.sampled_from(VAES)))
        for id_, node in part.nodes.items():
            inputs = {
                name: Wire(node=f"{wire.node}{k}", output=wire.output)
                for name, wire in node.inputs.items()
            }
            nodes[f"{id_}{k}"] = node.model_copy(update={"inputs": inputs})
    wires = [(id_, name) for id_, node in nodes.items() for name in node.inputs]
    for id_, name in draw(st.lists(st.sampled_from(wires), max_size=3)):
        node = nodes[id_]
        twin = node.inputs[name].node[:-1] + str(draw(st.integers(0, 1)))
        if twin in nodes:
            wire = Wire(node=twin, output=node.inputs[name].output)
            nodes[id_] = node.model_copy(update={"inputs": {**node.inputs, name: wire}})
    return Workflow(nodes=nodes)


@settings(max_examples=60, deadline=None)
@given(flow=workflows(), data=st.data())
def test_the_answer_does_not_depend_on_the_order_of_nodes(flow: Workflow, data: Any) -> None:
    shuffled = data.draw(st.permutations(list(flow.nodes)))
    other = flow.model_copy(update={"nodes": {id_: flow.nodes[id_] for id_ in shuffled}})
    first, second = checked(flow), checked(other)

    def told(result: CheckResult) -> list[str]:
        return sorted(problem.model_dump_json() for problem in result.problems)

    assert first.types == second.types
    assert first.bindings == second.bindings
    assert told(first) == told(second)


@settings(max_examples=60, deadline=None)
@given(flow=workflows())
def test_adding_an_unrelated_node_changes_no_type(flow: Workflow) -> None:
    more = {
        "a": placed("empty_latent"),
        "z": placed("load_vae", {"file": "flux.safetensors"}),
        "m": placed("upscale_latent", latent="a.latent"),
    }
    first = checked(flow)
    second = checked(flow.model_copy(update={"nodes": {**more, **flow.nodes}}))
    assert {node: second.types[node] for node in first.types} == first.types
    assert {node: second.bindings[node] for node in first.bindings} == first.bindings
    # Sentences may change: a second Empty Latent makes names longer.
    told = [(item.code, item.node, item.socket) for item in first.problems]
    assert told == [
        (item.code, item.node, item.socket) for item in second.problems if item.node not in more
    ]


@settings(max_examples=60, deadline=None)
@given(flow=workflows())
def test_saving_and_loading_keeps_the_answer(flow: Workflow) -> None:
    again = load_text(flow.to_text()).workflow
    assert checked(again).to_json() == checked(flow).to_json()


@settings(max_examples=60, deadline=None)
@given(flow=workflows())
def test_every_fix_that_is_offered_leaves_its_problem_gone(flow: Workflow) -> None:
    for problem in checked(flow).problems:
        for fix in problem.fixes:
            after = checked(apply(flow, fix.edits)).problems
            there = [(item.code, item.node, item.socket) for item in after]
            assert (problem.code, problem.node, problem.socket) not in there, fix.title


@settings(max_examples=60, deadline=None)
@given(flow=workflows())
def test_a_workflow_has_a_conflict_exactly_when_some_claims_have_nothing_in_common(
    flow: Workflow,
) -> None:
    """Against the plainest possible solver: repeat every equation until nothing changes."""
    assert bool(conflicts(flow)) == contradicts(flow)


def contradicts(flow: Workflow) -> bool:
    sets: dict[tuple[str, ...], set[str] | None] = {}
    equal: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    for id_, node in flow.nodes.items():
        definition = DEFINITIONS[node.type]
        for widget in definition.widgets:
            facts = SHELF.facts(widget.folder or "", str(node.values.get(widget.name)))
            for argument in widget.term.arguments if widget.term and facts else ():
                shared = ("file", facts.name, argument.axis)
                known = facts.spaces.get(argument.axis)
                sets[shared] = set(known) if known else None
                equal.append((shared, (id_, argument.axis, str(argument.variable))))
        for taken in definition.inputs:
            wire = node.inputs.get(taken.name)
            if wire is None:
                continue
            outputs = DEFINITIONS[flow.nodes[wire.node].type].outputs
            given_ = next(item for item in outputs if item.name == wire.output)
            for left, right in zip(given_.term.arguments, taken.term.arguments, strict=True):
                equal.append(
                    (
                        (wire.node, left.axis, str(left.variable)),
                        (id_, right.axis, str(right.variable)),
                    )
                )
    changed = True
    while changed:
        changed = False
        for left_key, right_key in equal:
            left_set, right_set = sets.get(left_key), sets.get(right_key)
            known = [item for item in (left_set, right_set) if item is not None]
            common = set.intersection(*known) if known else None
            if common == set():
                return True
            changed |= left_set != common or right_set != common
            sets[left_key] = sets[right_key] = common
    return False
