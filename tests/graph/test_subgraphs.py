"""Nodes that stand for subgraphs, checked as what is inside them."""

from typing import Any

import pytest

from graph.check import check
from graph.edits import EditError, apply
from graph.migrations import load, load_text
from graph.problem import AddInput, Connect, RemoveNode, SetValue
from graph.subgraphs import Flat
from graph.workflow import PlacedNode, Subgraph, SubgraphOutput, SubgraphWidget, Wire, Workflow
from tests.graph.checking import checked, codes, mended, only, place, problems
from tests.graph.small_world import DEFINITIONS, SHELF, placed, text_to_image
from tests.helpers.packing import packed

SAMPLING = ("positive", "negative", "empty", "sampler")


def sampling_packed(**options: Any) -> Workflow:
    return packed(text_to_image(**options), SAMPLING, "draw")


def space(flow: Workflow, node: str, socket: str, side: str = "outputs") -> list[str] | None:
    return checked(flow).types[node][side][socket]["spaces"][-1]["candidates"]


class TestTheForm:
    def test_a_workflow_with_subgraphs_is_read_as_it_was_written(self) -> None:
        flow = sampling_packed()
        flow.subgraphs["draw"].title = "Draw"
        loaded = load_text(flow.to_text())
        assert loaded.workflow == flow
        assert not loaded.read_only

    def test_what_version_1_held_in_its_place_is_kept_aside(self) -> None:
        old = {"version": 1, "nodes": {}, "subgraphs": {"a": [1]}}
        saved = load(old).workflow.to_json()
        assert saved["version"] == 2
        assert saved["subgraphs"] == {}
        assert saved["subgraphs_of_version_1"] == {"a": [1]}

    def test_nodes_inside_are_migrated_like_others(self) -> None:
        def renamed(node: dict[str, Any]) -> dict[str, Any]:
            return {**node, "type": "invert", "version": 1}

        data = {"nodes": {}, "subgraphs": {"s": {"nodes": {"a": {"type": "negate"}}}}}
        loaded = load(data, nodes={"negate": {1: renamed}})
        assert loaded.workflow.subgraphs["s"].nodes["a"].type == "invert"


class TestTypes:
    def test_spaces_go_through_the_interface(self) -> None:
        flow = sampling_packed()
        assert checked(flow).runnable
        assert space(flow, "draw", "sampler.latent") == ["starter"]
        assert space(flow, "draw/empty", "latent") == ["starter"]
        assert space(flow, "draw", "in0", "inputs") == ["starter"]

    def test_every_placed_node_has_variables_of_its_own(self) -> None:
        flow = packed(text_to_image(), ["decode"], "see")
        other = text_to_image("sdxl.safetensors")
        for id_ in ("checkpoint", "positive", "negative", "empty", "sampler"):
            wires = {
                name: Wire(node=f"{wire.node}2", output=wire.output)
                for name, wire in other.nodes[id_].inputs.items()
            }
            flow.nodes[f"{id_}2"] = other.nodes[id_].model_copy(update={"inputs": wires})
        flow.nodes["see2"] = PlacedNode(
            type="subgraph:see",
            inputs={
                "in0": Wire(node="sampler2", output="latent"),
                "in1": Wire(node="checkpoint2", output="vae"),
            },
        )
        flow.nodes["save2"] = placed("save_image")
        flow.nodes["save2"].inputs["image"] = Wire(node="see2", output="decode.image")
        assert codes(flow) == []
        assert space(flow, "see", "in0", "inputs") == ["starter"]
        assert space(flow, "see2", "in0", "inputs") == ["sdxl"]

    def test_a_subgraph_may_hold_another(self) -> None:
        flow = packed(sampling_packed(), ["draw", "decode"], "whole")
        assert codes(flow) == []
        assert space(flow, "whole/draw/empty", "latent") == ["starter"]
        assert space(flow, "whole/draw", "sampler.latent") == ["starter"]

    def test_the_nodes_of_a_pack_may_lie_on_both_sides_of_another_node(self) -> None:
        flow = text_to_image()
        assert codes(packed(flow, ["checkpoint", "sampler"], "odd")) == []

    def test_an_input_that_nothing_uses_takes_anything(self) -> None:
        flow = apply(sampling_packed(), [AddInput(node="draw", name="spare")])
        assert codes(flow) == []
        assert checked(flow).types["draw"]["inputs"]["spare"]["kind"] == "Any"

    def test_what_only_hands_on_is_seen_through(self) -> None:
        flow = text_to_image()
        through = Subgraph(inputs={"a": {}}, outputs={"b": SubgraphOutput(node="$", output="a")})  # type: ignore[dict-item]
        flow.subgraphs["through"] = Subgraph.model_validate(through.model_dump())
        flow.nodes["pipe"] = PlacedNode(
            type="subgraph:through", inputs={"a": flow.nodes["save"].inputs["image"]}
        )
        flow.nodes["save"].inputs["image"] = Wire(node="pipe", output="b")
        assert codes(flow) == []
        flow.nodes["pipe"].inputs["a"] = Wire(node="pipe", output="b")  # it hands on its own
        assert "unknown_output" in codes(flow)


class TestProblems:
    def test_a_conflict_inside_names_the_outer_and_the_inner_node(self) -> None:
        flow = packed(text_to_image(vae_file="sdxl.safetensors"), [*SAMPLING, "decode"], "draw")
        flow.subgraphs["draw"].title = "Draw it"
        problem = only(flow, "space_mismatch")
        assert place(problem) == ("draw/decode", "latent")
        assert "Draw it / VAE Decode" in problem.message

    def test_a_missing_wire_is_missing_at_the_outer_socket_once(self) -> None:
        flow = sampling_packed()
        del flow.nodes["draw"].inputs["in0"]  # both prompts' encoder
        problem = only(flow, "missing_input")
        assert place(problem) == ("draw", "in0")
        assert problem.message == "'CLIP' of draw is not connected: wire a CLIP to it."
        assert mended(flow, problem) == ["Connect 'CLIP' of Load Checkpoint"]

    def test_a_wrong_value_of_a_shown_widget_is_told_where_it_is_set(self) -> None:
        flow = packed(text_to_image(), SAMPLING, "draw", {"steps": ("sampler", "steps")})
        flow.nodes["draw"].values["steps"] = 0
        problem = only(flow, "out_of_range")
        assert place(problem) == ("draw", "steps")
        assert "Set 'Steps' to 1" in mended(flow, problem)

    def test_a_subgraph_inside_itself_is_told_with_a_way_out(self) -> None:
        flow = sampling_packed()
        flow.subgraphs["draw"].nodes["again"] = PlacedNode(type="subgraph:draw")
        problem = only(flow, "recursive_subgraph")
        assert place(problem) == ("draw/again", None)
        assert "lies inside itself (draw → draw)" in problem.message
        assert mended(flow, problem) == ["Remove the node"]
        assert checked(flow).runnable, "nothing that is wanted needs it"

    def test_two_subgraphs_that_hold_each_other_are_told(self) -> None:
        flow = Workflow(
            nodes={"x": PlacedNode(type="subgraph:a")},
            subgraphs={
                "a": Subgraph(nodes={"b": PlacedNode(type="subgraph:b")}),
                "b": Subgraph(nodes={"a": PlacedNode(type="subgraph:a")}),
            },
        )
        assert "(a → b → a)" in only(flow, "recursive_subgraph").message

    def test_a_subgraph_that_is_not_there_is_told(self) -> None:
        flow = text_to_image(odd=PlacedNode(type="subgraph:gone"))
        problem = only(flow, "unknown_subgraph")
        assert place(problem) == ("odd", None)
        assert "library" in problem.message
        assert codes(flow) == ["unknown_subgraph"]

    def test_subgraphs_that_double_each_other_forty_times_end_in_a_sentence(self) -> None:
        twice = {"a": Subgraph(nodes={"i": placed("invert")})}
        for k in range(40):
            below = f"s{k - 1}" if k else "a"
            inner = PlacedNode(type=f"subgraph:{below}")
            twice[f"s{k}"] = Subgraph(nodes={"l": inner, "r": inner})
        flow = Workflow(nodes={"x": PlacedNode(type="subgraph:s39")}, subgraphs=twice)
        assert any("20,000" in one.message for one in problems(flow, "too_many_nodes"))

    def test_subgraphs_inside_each_other_a_thousand_deep_end_in_a_sentence(self) -> None:
        deep = {"s0": Subgraph(nodes={"i": placed("invert")})}
        for k in range(1, 1000):
            deep[f"s{k}"] = Subgraph(nodes={"i": PlacedNode(type=f"subgraph:s{k - 1}")})
        flow = Workflow(nodes={"x": PlacedNode(type="subgraph:s999")}, subgraphs=deep)
        assert "inside 50 others" in only(flow, "too_many_nodes").message

    def test_wires_at_sockets_that_the_interface_lacks_are_told(self) -> None:
        flow = sampling_packed()
        flow.nodes["draw"].inputs["extra"] = Wire(node="checkpoint", output="vae")
        assert place(only(flow, "unknown_input")) == ("draw", "extra")
        assert mended(flow, only(flow, "unknown_input")) == ["Disconnect"]
        flow = sampling_packed()
        flow.nodes["decode"].inputs["latent"] = Wire(node="draw", output="nothing")
        problem = only(flow, "unknown_output")
        assert place(problem) == ("decode", "latent")
        assert "'nothing' of draw" in problem.message
        assert not checked(flow).runnable
        assert "missing_input" not in codes(flow)

    def test_two_placed_nodes_of_one_subgraph_are_told_apart(self) -> None:
        flow = packed(text_to_image(vae_file="sdxl.safetensors"), ["decode"], "see")
        flow.nodes["see2"] = flow.nodes["see"]
        flow.nodes["save2"] = placed("save_image")
        flow.nodes["save2"].inputs["image"] = Wire(node="see2", output="decode.image")
        named = {
            one.message.split(" / ")[0].split()[-2:][0] for one in problems(flow, "space_mismatch")
        }
        assert len(problems(flow, "space_mismatch")) == 2
        assert any(
            "see (see2) / VAE Decode" in one.message for one in problems(flow, "space_mismatch")
        ), named


class TestModes:
    def test_what_hangs_on_a_muted_subgraph_does_not_run(self) -> None:
        flow = sampling_packed()
        flow.nodes["draw"].mode = "mute"
        problem = only(flow, "nothing_to_run")
        assert "muted" in problem.message
        assert "draw/sampler" not in checked(flow).types

    def test_a_bypassed_subgraph_passes_what_fits(self) -> None:
        flow = text_to_image(up=placed("upscale_latent", latent="sampler.latent"))
        flow.nodes["decode"].inputs["latent"] = Wire(node="up", output="latent")
        flow = packed(flow, ["up"], "bigger")
        flow.nodes["bigger"].mode = "bypass"
        assert codes(flow) == []
        assert space(flow, "bigger", "up.latent") == ["starter"]

    def test_a_bypassed_subgraph_with_nothing_to_pass_is_told(self) -> None:
        flow = sampling_packed()
        flow.nodes["draw"].mode = "bypass"
        assert "draw" in only(flow, "bypass_impossible").message

    def test_a_node_that_is_muted_inside_stops_what_hangs_on_it_outside(self) -> None:
        flow = sampling_packed()
        flow.subgraphs["draw"].nodes["empty"].mode = "mute"
        assert not checked(flow).runnable

    def test_a_wanted_subgraph_is_what_gives_its_outputs(self) -> None:
        assert checked(sampling_packed(), wanted=["draw"]).wanted == ("draw/sampler",)
        flow = packed(text_to_image(), ["decode", "save"], "end")
        assert checked(flow, wanted=["end"]).wanted == ("end/save",)
        silent = packed(text_to_image(odd=placed("empty_latent")), ["odd"], "p")
        assert checked(silent, wanted=["p"]).wanted == ("p/odd",)


class TestWidgets:
    def test_the_placed_nodes_values_count_before_those_inside(self) -> None:
        shown = {"steps": ("sampler", "steps"), "seed": ("sampler", "seed")}
        flow = packed(text_to_image(), SAMPLING, "draw", shown)
        flow.nodes["draw"].values["steps"] = 7
        flow = packed(flow, ["draw"], "outer", {"many": ("draw", "steps")})
        assert Flat(flow, DEFINITIONS).workflow.nodes["outer/draw/sampler"].values["steps"] == 7
        flow.nodes["outer"].values["many"] = 9
        assert Flat(flow, DEFINITIONS).workflow.nodes["outer/draw/sampler"].values["steps"] == 9

    def test_a_wire_may_take_a_shown_widgets_place(self) -> None:
        flow = packed(text_to_image(), SAMPLING, "draw", {"steps": ("sampler", "steps")})
        flow.nodes["n"] = placed("whole_number", {"value": 9})
        flow.nodes["draw"].inputs["steps"] = Wire(node="n", output="integer")
        found = Flat(packed(flow, ["draw"], "outer"), DEFINITIONS).workflow
        assert found.nodes["outer/draw/sampler"].inputs["steps"].node == "n"
        assert codes(flow) == []

    def test_the_interface_says_what_a_widget_inside_holds_by_itself(self) -> None:
        flow = packed(text_to_image(), ["checkpoint"], "load", {"file": ("checkpoint", "file")})
        (widget,) = Flat(flow, DEFINITIONS).interfaces.of("load").widgets  # type: ignore[union-attr]
        assert (widget.default, widget.required) == ("starter.safetensors", False)


class TestFixes:
    def test_a_fix_inside_changes_the_subgraph(self) -> None:
        flow = packed(
            text_to_image(vae_file="sdxl.safetensors"), [*SAMPLING, "decode", "vae_loader"], "draw"
        )
        problem = only(flow, "space_mismatch")
        titles = mended(flow, problem)
        assert "Load starter.safetensors in draw / Load VAE" in titles
        fix = next(one for one in problem.fixes if one.title.startswith("Load starter.s"))
        after = apply(flow, fix.edits)
        assert after.subgraphs["draw"].nodes["vae_loader"].values["file"] == "starter.safetensors"

    def test_a_wire_from_outside_comes_in_by_a_socket(self) -> None:
        inside = [*SAMPLING, "decode", "vae_loader"]
        flow = packed(text_to_image(vae_file="sdxl.safetensors"), inside, "draw")
        problem = only(flow, "space_mismatch")
        fix = next(one for one in problem.fixes if "VAE of starter.safetensors" in one.title)
        after = apply(flow, fix.edits)
        assert after.nodes["draw"].inputs["vae"] == Wire(node="checkpoint", output="vae")
        assert after.subgraphs["draw"].nodes["decode"].inputs["vae"] == Wire(node="$", output="vae")
        assert codes(after) == []

    def test_a_wire_that_came_from_outside_is_changed_outside(self) -> None:
        flow = packed(text_to_image(vae_file="sdxl.safetensors"), [*SAMPLING, "decode"], "draw")
        problem = only(flow, "space_mismatch")
        fix = next(one for one in problem.fixes if "VAE of starter.safetensors" in one.title)
        after = apply(flow, fix.edits)
        assert after.subgraphs == flow.subgraphs
        assert codes(after) == []

    def test_every_fix_offered_for_what_is_inside_mends_it(self) -> None:
        plain = text_to_image(vae_file="sdxl.safetensors")
        for inside in ([*SAMPLING], ["decode"], ["vae_loader", "save"], [*SAMPLING, "decode"]):
            flow = packed(plain, inside, "p")
            assert mended(flow, only(flow, "space_mismatch"))
            deep = packed(flow, ["p"], "q")
            assert mended(deep, only(deep, "space_mismatch"))

    def test_what_is_allowed_inside_counts(self) -> None:
        flow = packed(text_to_image(vae_file="sdxl.safetensors"), ["decode"], "see")
        problem = only(flow, "space_mismatch")
        fix = next(one for one in problem.fixes if "allow" in one.title)
        assert codes(apply(flow, fix.edits)) == []

    def test_no_fix_takes_a_wire_away_from_another_placed_node(self) -> None:
        inside = [*SAMPLING, "decode", "vae_loader"]
        flow = packed(text_to_image(vae_file="sdxl.safetensors"), inside, "draw")
        flow.nodes["draw2"] = flow.nodes["draw"]
        (first, _) = problems(flow, "space_mismatch")
        assert not any("VAE of starter.safetensors" in one.title for one in first.fixes)
        assert any(one.title.startswith("Load starter") for one in first.fixes)

    def test_edits_reach_into_subgraphs_and_say_what_is_gone(self) -> None:
        flow = sampling_packed()
        after = apply(flow, [SetValue(node="draw/sampler", name="steps", value=3)])
        assert after.subgraphs["draw"].nodes["sampler"].values["steps"] == 3
        assert "steps" not in flow.subgraphs["draw"].nodes["sampler"].values
        after = apply(flow, [RemoveNode(node="draw/sampler")])
        assert after.subgraphs["draw"].outputs["sampler.latent"].node == ""
        with pytest.raises(EditError, match="no node 'draw/gone'"):
            apply(flow, [Connect(node="draw/gone", socket="a", wire=Wire(node="x", output="y"))])
        with pytest.raises(EditError, match="stands for no subgraph"):
            apply(flow, [AddInput(node="decode", name="a")])


def test_ids_with_slashes_of_their_own_stay_apart() -> None:
    flow = sampling_packed()
    flow.nodes["draw/sampler"] = placed("load_image", {"file": "photo.png"})
    found = Flat(flow, DEFINITIONS)
    assert found.workflow.nodes["draw/sampler"].type == "load_image"
    assert found.workflow.nodes["draw/sampler'"].type == "k_sampler"
    assert check(flow, DEFINITIONS, SHELF).runnable


def test_a_shown_widget_of_a_node_that_is_gone_is_passed_over() -> None:
    flow = sampling_packed()
    flow.subgraphs["draw"].widgets["old"] = SubgraphWidget(node="gone", name="steps")
    flow.nodes["draw"].values["old"] = 3
    assert codes(flow) == []
