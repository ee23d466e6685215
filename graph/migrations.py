"""Read a saved workflow of any version into today's form, or say in words why it is none.

A change of the saved form is one function in `FORMS`, a change of a node type one in `NODES`:

    FORMS[1] = rename_layout                 # from version 1 to version 2 of the form
    NODES["k_sampler"] = {1: split_sampler}  # from version 1 to version 2 of that node

Each takes plain JSON and returns it changed. What this version does not know (node types, fields)
survives reading and writing.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from graph.definition import Json
from graph.problem import Problem
from graph.workflow import VERSION, Subgraph, Workflow

Migration = Callable[[dict[str, Json]], dict[str, Json]]


def _with_subgraphs(data: dict[str, Json]) -> dict[str, Json]:
    """Version 1 had a place for subgraphs and nothing that used it: what is there is kept aside."""
    held = data.get("subgraphs")
    try:
        _Subgraphs.model_validate({"subgraphs": held or {}})
    except ValidationError:
        return {**data, "subgraphs": {}, "subgraphs_of_version_1": held}
    return {**data, "subgraphs": held or {}}


class _Subgraphs(BaseModel):
    subgraphs: dict[str, Subgraph]


FORMS: dict[int, Migration] = {1: _with_subgraphs}
"""From a version of the saved form to the next one."""

NODES: dict[str, dict[int, Migration]] = {}
"""For each node type, from a version of the saved node to the next one."""

DEEPEST = 100
"""How many lists and groups may lie inside each other; a workflow needs about ten."""


class WorkflowError(Exception):
    """A text that is no workflow. `place` is where in it ("nodes.3.inputs.vae"), or ""."""

    def __init__(self, message: str, place: str = "") -> None:
        self.place = place
        self.message = message
        super().__init__(f"{place}: {message}" if place else message)


@dataclass(frozen=True)
class Loaded:
    """A workflow as it was read; `read_only` where a newer version of the program wrote it."""

    workflow: Workflow
    read_only: bool = False
    problems: tuple[Problem, ...] = ()


def load_text(text: str | bytes) -> Loaded:
    """`load` of a file's text. Raises `WorkflowError`, also where the text is no JSON."""
    try:
        data = json.loads(text)
    except UnicodeDecodeError as error:
        raise WorkflowError("This is no text: a workflow is a JSON file in UTF-8.") from error
    except json.JSONDecodeError as error:
        raise WorkflowError(
            f"This is no JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from error
    except ValueError as error:
        raise WorkflowError("A number in this file has too many digits.") from error
    except RecursionError as error:
        raise WorkflowError("This file is nested too deeply to be a workflow.") from error
    return load(data)


def load(
    data: Json,
    *,
    forms: Mapping[int, Migration] = FORMS,
    nodes: Mapping[str, Mapping[int, Migration]] = NODES,
    version: int = VERSION,
) -> Loaded:
    """The workflow that the JSON holds, brought to today's form.

    Raises `WorkflowError`, which names the place. A workflow of a newer version is read as far as
    today's form goes, and marked read-only.
    """
    _refuse_what_cannot_be_written(data)
    if not isinstance(data, dict):
        raise WorkflowError(f"A workflow is a JSON object, and this is {_named(data)}.")
    written = data.get("version", version)
    if not isinstance(written, int) or isinstance(written, bool) or written < 1:
        raise WorkflowError("must be a whole number from 1 up.", "version")
    for step in range(written, version):
        data = _migrated(forms.get(step), data, f"version {step} of the workflow form")
    newer = written > version
    if newer:
        problems: tuple[Problem, ...] = (_newer(written, version),)
    else:
        data = _migrate_nodes({**data, "version": version}, nodes)
        problems = ()
    try:
        return Loaded(Workflow.model_validate(data), newer, problems)
    except ValidationError as error:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"]]
        hint = " A newer version of this program wrote this file: update it." if newer else ""
        raise WorkflowError(_sentence(dict(first)) + hint, ".".join(place)) from error


def _migrate_nodes(
    data: dict[str, Json], nodes: Mapping[str, Mapping[int, Migration]]
) -> dict[str, Json]:
    """The workflow, or subgraph, with all its nodes and those of its subgraphs in today's form."""
    data = dict(data)
    placed, subgraphs = data.get("nodes"), data.get("subgraphs")
    if isinstance(placed, dict):
        data["nodes"] = {id_: _migrate_node(node, nodes) for id_, node in placed.items()}
    if isinstance(subgraphs, dict):
        data["subgraphs"] = {
            id_: _migrate_nodes(inside, nodes) if isinstance(inside, dict) else inside
            for id_, inside in subgraphs.items()
        }
    return data


def _migrate_node(node: Json, nodes: Mapping[str, Mapping[int, Migration]]) -> Json:
    """The node in the newest version that the table knows; malformed ones are told later."""
    if not isinstance(node, dict) or not isinstance(node.get("type"), str):
        return node
    # A migration may change the type (a node that was renamed), hence the loop over both.
    while True:
        version = node.get("version", 1)
        step = nodes.get(node["type"], {}).get(version) if isinstance(version, int) else None
        if step is None:
            return node
        changed = _migrated(step, node, f"version {version} of {node['type']}")
        if (changed.get("type"), changed.get("version", 1)) == (node["type"], version):
            changed = {**changed, "version": version + 1}
        node = changed


def _migrated(step: Migration | None, data: dict[str, Json], what: str) -> dict[str, Json]:
    if step is None:
        raise WorkflowError(f"This program cannot read {what} any more.")
    try:
        return step(dict(data))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise WorkflowError(f"This does not have the form of {what}.") from error


def _newer(written: int, version: int) -> Problem:
    return Problem(
        code="newer_file",
        severity="warning",
        message=(
            f"A newer version of this program wrote this workflow (form {written}; this one knows "
            f"{version}). It is opened read-only: update the program, or save a copy."
        ),
        parameters={"written": written, "known": version},
    )


_NAMES: Sequence[tuple[type, str]] = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "an object"),
)

_WANTED = {
    "string_type": "a text",
    "dict_type": "an object",
    "model_type": "an object",
    "list_type": "a list",
    "tuple_type": "a list",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
}


def _named(value: Json) -> str:
    """What kind of JSON the value is, with its article."""
    return next((name for kind, name in _NAMES if isinstance(value, kind)), "null")


def _sentence(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors in our words."""
    kind = error["type"]
    if kind == "missing":
        return "is missing."
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, and is {_named(error['input'])}."
    if kind == "literal_error":
        return f"must be {error['ctx']['expected']}, and is {json.dumps(error['input'])}."
    if kind in ("too_short", "too_long"):
        return "has the wrong number of entries."
    return "does not have the form that a workflow has here."


def _refuse_what_cannot_be_written(data: Json) -> None:
    """Raise `WorkflowError` where the value is nested too deeply or could not be saved as JSON.

    A stack of our own, because the point is to be safe from values that are nested too deeply.
    """
    waiting: list[tuple[tuple[str, ...], Json]] = [((), data)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, float) and not math.isfinite(value):
            raise WorkflowError("is not a finite number, which JSON cannot hold.", ".".join(place))
        if isinstance(value, str) and not _writable(value):
            raise WorkflowError("holds half a character, which no file can.", ".".join(place))
        if not isinstance(value, dict | list):
            continue
        if len(place) >= DEEPEST:
            raise WorkflowError("is nested too deeply.", ".".join(place[:5]) + "…")
        if isinstance(value, dict):
            if not all(isinstance(key, str) and _writable(key) for key in value):
                raise WorkflowError("has a name that is no text.", ".".join(place))
            waiting += [((*place, key), item) for key, item in value.items()]
        else:
            waiting += [((*place, str(k)), item) for k, item in enumerate(value)]


def _writable(text: str) -> bool:
    """False for a lone surrogate, which JSON may spell but UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
