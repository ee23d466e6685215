"""A person may say what a file is: offered where it helps, and tried before it is offered."""

from graph.check import check
from graph.files import FileFacts
from graph.problem import Problem
from graph.statements import StatedFiles
from graph.workflow import Workflow
from tests.graph.small_world import DEFINITIONS, Shelf, checkpoint, placed, text_to_image, vae

BOTH = ("sd1", "sdxl")


def shelf(*vaes: FileFacts) -> Shelf:
    return Shelf(
        checkpoints=[
            checkpoint("sd15.safetensors", "sd1", "sd1"),
            checkpoint("sdxl.safetensors", "sdxl", "sdxl"),
            checkpoint("flux.safetensors", "flux1", "flux1"),
        ],
        vae=vaes,
    )


def open_vae(name: str = "open.safetensors", **more: object) -> FileFacts:
    return vae(name, *BOTH).model_copy(update={"choices": BOTH, "rule": "header", **more})


def likely(space: str, contradiction: str = "", certainty: str = "likely") -> FileFacts:
    return vae("guess.safetensors", space).model_copy(
        update={
            "choices": BOTH,
            "rule": "probe",
            "certainty": certainty,
            "contradiction": contradiction,
            "evidence": "the colours come out right",
        }
    )


def problems(flow: Workflow, files: Shelf, *codes: str) -> list[Problem]:
    return [item for item in check(flow, DEFINITIONS, files).problems if item.code in codes]


def said(problem: Problem) -> list[str]:
    return [fix.title for fix in problem.fixes if fix.statement is not None]


def test_a_file_that_could_be_several_may_be_said_to_be_each_what_it_is_taken_for_first() -> None:
    files = shelf(open_vae())
    flow = text_to_image("sdxl.safetensors", "open.safetensors")
    (problem,) = problems(flow, files, "unidentified")
    assert [fix.title for fix in problem.fixes] == [
        "Say that open.safetensors is SDXL",
        "Say that open.safetensors is SD 1.x",
    ]
    statement = problem.fixes[0].statement
    assert statement is not None
    assert (statement.folder, statement.name, statement.space) == (
        "vae", "open.safetensors", "sdxl",
    )  # fmt: skip
    assert problem.fixes[0].edits == ()
    after = StatedFiles(files, statement)
    assert check(flow, DEFINITIONS, after).problems == ()


def test_saying_the_other_space_tells_the_mismatch() -> None:
    files = shelf(open_vae())
    flow = text_to_image("sdxl.safetensors", "open.safetensors")
    (problem,) = problems(flow, files, "unidentified")
    statement = problem.fixes[1].statement
    assert statement is not None
    after = check(flow, DEFINITIONS, StatedFiles(files, statement))
    assert [item.code for item in after.problems] == ["space_mismatch"]


def test_where_a_likely_file_does_not_fit_saying_what_it_is_mends_it() -> None:
    files = shelf(likely("sd1"))
    flow = text_to_image("sdxl.safetensors", "guess.safetensors")
    (problem,) = problems(flow, files, "space_mismatch")
    assert said(problem) == ["Say that guess.safetensors is SDXL"]
    (statement,) = [fix.statement for fix in problem.fixes if fix.statement is not None]
    assert check(flow, DEFINITIONS, StatedFiles(files, statement)).problems == ()


def test_a_file_that_is_certain_is_not_doubted_by_a_fix() -> None:
    files = shelf(likely("sd1", certainty="certain"))
    flow = text_to_image("sdxl.safetensors", "guess.safetensors")
    (problem,) = problems(flow, files, "space_mismatch")
    assert said(problem) == []


def test_nothing_is_offered_to_be_said_that_the_file_cannot_be() -> None:
    flow = text_to_image("flux.safetensors", "guess.safetensors")
    (problem,) = problems(flow, shelf(likely("sd1")), "space_mismatch")
    assert said(problem) == []


def test_saying_what_would_only_move_the_conflict_is_not_offered() -> None:
    # The file serves both models: whatever it is, one of the two does not fit.
    files = shelf(likely("sd1"))
    flow = text_to_image("sdxl.safetensors", "guess.safetensors")
    other = text_to_image("sd15.safetensors", "guess.safetensors")
    renamed = {
        f"b-{id_}": node.model_copy(
            update={
                "inputs": {
                    name: wire.model_copy(update={"node": f"b-{wire.node}"})
                    for name, wire in node.inputs.items()
                }
            }
        )
        for id_, node in other.nodes.items()
    }
    both = flow.model_copy(update={"nodes": {**flow.nodes, **renamed}})
    found = problems(both, files, "space_mismatch")
    assert len(found) == 1
    assert said(found[0]) == []


def test_a_contradiction_is_a_warning_that_says_both_and_lets_a_person_decide() -> None:
    told = "But its metadata says SD 1.x (its metadata names the architecture x)."
    files = shelf(likely("sdxl", told))
    flow = text_to_image("sdxl.safetensors", "guess.safetensors")
    (problem,) = problems(flow, files, "contradictory_file")
    assert problem.severity == "warning"
    assert problem.message == (
        f"guess.safetensors is taken for SDXL: the colours come out right. {told}"
    )
    assert len(said(problem)) == 2
    assert check(flow, DEFINITIONS, files).runnable


def test_what_a_person_said_is_not_asked_again_but_shown() -> None:
    facts = likely("sdxl", "But a trial says SD 1.x.").model_copy(update={"rule": "statement"})
    flow = text_to_image("sdxl.safetensors", "guess.safetensors")
    (problem,) = problems(flow, shelf(facts), "contradictory_file")
    assert problem.fixes == ()


def test_a_statement_holds_for_every_name_of_the_content() -> None:
    copy = open_vae("copy.safetensors", content="content of open.safetensors")
    files = shelf(open_vae(), copy)
    flow = Workflow(nodes={
        **text_to_image("sdxl.safetensors", "open.safetensors").nodes,
        "again": placed("load_vae", {"file": "copy.safetensors"}),
        "decode2": placed("vae_decode", latent="sampler.latent", vae="again.vae"),
        "save2": placed("save_image", image="decode2.image"),
    })  # fmt: skip
    first, *_ = problems(flow, files, "unidentified")
    statement = first.fixes[0].statement
    assert statement is not None
    after = check(flow, DEFINITIONS, StatedFiles(files, statement))
    assert after.problems == ()
