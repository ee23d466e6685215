"""Embeddings that prompts name are checked as files are: there, of use, and for this text space."""

from typing import Any

import pytest

from graph.check import check
from graph.completion import completions
from graph.definition import NodeDefinition, OutputDefinition, Term, WidgetDefinition
from graph.edits import apply
from graph.files import FileFacts
from graph.plan import plan
from graph.problem import Problem
from graph.prompts import without
from graph.workflow import Workflow
from tests.graph.checking import checked, mended, only, place, problems
from tests.graph.small_world import DEFINITIONS, SHELF, Shelf, placed, text_to_image


def flow(text: str, file: str = "sd15.safetensors", **more: Any) -> Workflow:
    prompt = placed("encode_text", {"text": text}, clip="checkpoint.clip")
    return text_to_image(file, **{"positive": prompt, **more})


def texts(workflow: Workflow, problem: Problem) -> list[str]:
    """What the prompt is after each fix."""
    return [apply(workflow, fix.edits).nodes["positive"].values["text"] for fix in problem.fixes]


def test_an_embedding_that_is_there_and_fits_is_no_problem() -> None:
    good = flow("a cat, (embedding:inky:1.2), embedding:styles/oily.safetensors")
    assert checked(good).runnable
    assert not checked(good).problems


def test_one_that_is_not_there_blocks_with_the_nearest_names_and_the_way_out() -> None:
    wrong = flow("a cat, embedding:inkyy, on a mat")
    problem = only(wrong, "missing_embedding")
    assert place(problem) == ("positive", "text")
    assert problem.message == (
        "The prompt of CLIP Text Encode (positive) names the embedding 'inkyy', which is not in "
        "the folder 'embeddings': put its file there, choose another one, or take it out of the "
        "prompt."
    )
    assert mended(wrong, problem) == ["Use 'inky'", "Take 'inkyy' out of the prompt"]
    assert texts(wrong, problem) == ["a cat, embedding:inky, on a mat", "a cat, on a mat"]
    start, end = problem.parameters["start"], problem.parameters["end"]
    assert "a cat, embedding:inkyy, on a mat"[start:end] == "embedding:inkyy"
    assert not checked(wrong).runnable


def test_one_of_another_model_is_told_with_both_sides() -> None:
    wrong = flow("(embedding:inky:1.2), a cat", "sdxl.safetensors")
    problem = only(wrong, "embedding_mismatch")
    assert problem.message == (
        "'inky' was made for SD 1.x (768 numbers a token), and CLIP Text Encode (positive) encodes "
        "for SDXL (768 and 1280 numbers a token): use one that was made for SDXL, or take it out "
        "of the prompt."
    )
    own, other = problem.because
    assert (own.space, own.evidence) == ("sd1", "inky.safetensors: the width of its vectors")
    assert (other.space, other.path[0]) == ("sdxl", "checkpoint")
    assert mended(wrong, problem) == ["Use 'inky-xl'", "Take 'inky' out of the prompt"]
    assert texts(wrong, problem) == ["(embedding:inky-xl:1.2), a cat", "a cat"]


def test_encoders_that_take_none_are_told_as_such() -> None:
    problem = only(flow("embedding:inky", "flux.safetensors"), "embedding_mismatch")
    assert "encodes for FLUX.1, which takes no such embeddings: take it out" in problem.message
    assert [fix.title for fix in problem.fixes] == ["Take 'inky' out of the prompt"]


def test_nothing_is_said_of_fitting_while_no_encoder_is_known() -> None:
    alone = flow("embedding:inky", "mystery.safetensors")
    assert not problems(alone, "embedding_mismatch")


def test_one_whose_file_is_of_no_use_says_why() -> None:
    problem = only(flow("embedding:old"), "unusable_file")
    assert problem.message.endswith("'old', which cannot be used: old.pt is a pickle file.")
    assert place(problem) == ("positive", "text")


def test_each_of_several_is_told() -> None:
    found = problems(flow("embedding:one and embedding:two"), "missing_embedding")
    assert [item.parameters["embedding"] for item in found] == ["one", "two"]


def test_what_a_wire_replaces_and_what_no_encoder_reads_is_not_looked_at() -> None:
    wired = flow("a cat")
    nodes = {**wired.nodes, "note": placed("encode_text", {"text": "embedding:none"}, mode="mute")}
    assert not problems(wired.model_copy(update={"nodes": nodes}), "missing_embedding")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a, X, b", "a, b"),
        ("X, b", "b"),
        ("a, X", "a"),
        ("X", ""),
        ("a X b", "a b"),
        ("(X:1.2), b", "b"),
        ("a, ((X)), b", "a, b"),
        ("a, (X and more), b", "a, ( and more), b"),
        ("a\nX, b", "a\nb"),
        ("\\(X\\)", "\\(\\)"),
    ],
)
def test_taking_one_out_leaves_a_tidy_prompt(text: str, expected: str) -> None:
    start = text.index("X")
    assert without(text, start, start + 1) == expected


# Keys


WORDS = NodeDefinition(
    type="words",
    title="Words",
    category="test",
    widgets=(
        WidgetDefinition(
            name="words",
            title="Words",
            schema={"type": "string"},
            control="multiline",
            default="",
            wire="Text",
        ),
    ),
    outputs=(OutputDefinition(name="text", title="Text", term=Term(kind="Text")),),
)
TYPES = {**DEFINITIONS, "words": WORDS}


def keys(workflow: Workflow, shelf: Any = SHELF) -> dict[str, str]:
    bindings = check(workflow, TYPES, shelf).bindings
    made = plan(workflow, TYPES, bindings, wanted=["positive"], files=shelf, engine="test")
    return dict(made.keys)


def replaced(name: str) -> Shelf:
    """The shelf with another content of one embedding."""
    files = [*SHELF.folders["embeddings"].values()]
    changed = [
        item.model_copy(update={"content": "another"}) if item.name == name else item
        for item in files
    ]
    rest = {folder: list(found.values()) for folder, found in SHELF.folders.items()}
    return Shelf(**{**rest, "embeddings": changed})


def test_a_replaced_embedding_gives_another_result_and_others_do_not_matter() -> None:
    named = flow("a cat, embedding:inky")
    assert keys(named) == keys(named)
    assert keys(named, replaced("inky.safetensors"))["positive"] != keys(named)["positive"]
    assert keys(named, replaced("odd.safetensors")) == keys(named)
    plain = flow("a cat")
    assert keys(plain, replaced("inky.safetensors")) == keys(plain)


def test_a_prompt_along_a_wire_may_name_any_embedding() -> None:
    wired = placed("encode_text", clip="checkpoint.clip", text="words.text")
    flowing = flow("", positive=wired, words=placed("words"))
    assert keys(flowing, replaced("odd.safetensors"))["positive"] != keys(flowing)["positive"]


def test_a_text_along_wires_is_told_of_where_it_stands_and_once() -> None:
    wired = {
        "positive": placed("encode_text", clip="checkpoint.clip", text="last.text"),
        "negative": placed("encode_text", clip="checkpoint.clip", text="last.text"),
        "last": placed("words", words="first.text"),
        "first": placed("words", {"words": "a cat, embedding:inky"}),
        "other": placed("words", {"words": "embedding:nobody-reads-this"}),
    }
    flowing = flow("", "sdxl.safetensors", **wired)
    result = check(flowing, TYPES, SHELF)
    (problem,) = [item for item in result.problems if "embedding" in item.code]
    assert (problem.code, problem.node, problem.socket) == ("embedding_mismatch", "first", "words")
    assert "and CLIP Text Encode (positive) encodes for SDXL" in problem.message
    changed = apply(flowing, problem.fixes[0].edits)
    assert changed.nodes["first"].values["words"] == "a cat, embedding:inky-xl"
    assert not result.runnable


def test_a_step_names_the_embeddings_that_it_hangs_on() -> None:
    workflow = flow("a cat, embedding:inky")
    made = plan(
        workflow,
        DEFINITIONS,
        checked(workflow).bindings,
        wanted=["positive"],
        files=SHELF,
        engine="test",
    )
    step = made.steps[made.keys["positive"]]
    assert list(step.files()) == [("embeddings", "inky.safetensors")]
    loader = made.steps[made.keys["checkpoint"]]
    assert list(loader.files()) == [("checkpoints", "sd15.safetensors")]
    assert isinstance(SHELF.facts("embeddings", "inky.safetensors"), FileFacts)


# What is offered while one types


def offered(workflow: Workflow, prompt: str = "text") -> dict[str, str]:
    found = completions(workflow, DEFINITIONS, SHELF, "positive", prompt)
    return {item.text: item.against for item in found}


def test_those_that_suit_the_text_space_come_first_and_others_say_why_not() -> None:
    found = offered(flow("a cat"))
    fitting = ["embedding:inky", "embedding:styles/oily"]
    assert list(found)[:2] == fitting
    assert [name for name, against in found.items() if not against] == fitting
    assert "'inky-xl' was made for SDXL" in found["embedding:inky-xl"]
    assert found["embedding:old"] == "old.pt is a pickle file."


def test_an_encoder_that_is_not_wired_yet_is_known_by_what_its_prompt_goes_to() -> None:
    unwired = text_to_image("sd15.safetensors", positive=placed("encode_text", {"text": ""}))
    assert offered(unwired)["embedding:inky-xl"]


def test_without_encoders_all_are_offered_and_to_other_values_none() -> None:
    unwired = Workflow(nodes={"positive": placed("encode_text", {"text": ""})})
    assert sum(not against for against in offered(unwired).values()) == 4
    assert offered(unwired, "nothing") == {}
