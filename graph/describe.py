"""Describe a Python annotation as a widget: its JSON Schema, its control, its title."""

import re
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import ConfigDict, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, SchemaError

from graph.definition import Json
from graph.types import PLAIN_KINDS
from graph.widgets import Control, OneOf, Slider


class NodeError(Exception):
    """A function that cannot be a node; the sentence says where and what to write instead."""


_HOW = "use int, float, str, bool, Literal of texts, OneOf, a list of these, or `| None`"

_LIMITS = (annotated_types.Ge, annotated_types.Gt, annotated_types.Le, annotated_types.Lt)
_LENGTHS = (annotated_types.MinLen, annotated_types.MaxLen)


def adapter_of(annotation: Any) -> TypeAdapter[Any]:
    """The strict validator of a widget's value.

    Refuses, with a `NodeError`, whatever JSON Schema and pydantic would not judge alike: the server
    checks a workflow by the one, the worker by the other, and they must agree.
    """
    _refuse_inexpressible(annotation)
    try:
        return TypeAdapter(annotation, config=ConfigDict(strict=True, allow_inf_nan=False))
    except (PydanticUserError, SchemaError, TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise NodeError(f"its limits do not suit its type ({reason}).") from error


def schema_of(adapter: TypeAdapter[Any], notes: list[Any]) -> dict[str, Json]:
    """The JSON Schema of a widget; "step" (no JSON Schema word) is the editor's grain."""
    schema = adapter.json_schema()
    for word in ("title", "description"):
        schema.pop(word, None)
    steps = [note.step for note in notes if isinstance(note, Slider) and note.step]
    return {**schema, "step": steps[0]} if steps else schema


def control_of(base: Any, notes: list[Any]) -> str:
    """The name of the editor's widget for a value of the type `base`."""
    for note in notes:
        if isinstance(note, Control):
            return note.name
        if isinstance(note, OneOf):
            return "choice"
        if isinstance(note, Slider):
            return "slider"
    if get_origin(base) is Literal:
        return "choice"
    if get_origin(base) is list:
        return "list"
    return {bool: "toggle", int: "number", float: "number"}.get(base, "text")


_SHORT = {
    "cfg": "CFG", "clip": "CLIP", "controlnet": "ControlNet", "id": "ID", "lora": "LoRA",
    "psnr": "PSNR", "ssim": "SSIM", "url": "URL", "vae": "VAE", "vaes": "VAEs",
}  # fmt: skip


def title_of(name: str) -> str:
    """A name for people: "sampler_name" is "Sampler name", "vae" is "VAE", "ControlNet" stays."""
    words = [_SHORT.get(word.lower(), word) for word in name.strip("_").split("_") if word]
    title = " ".join(words)
    return title if re.search("[A-Z]", title[:1]) else title[:1].upper() + title[1:]


def _refuse_inexpressible(annotation: Any) -> None:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        for note in annotation.__metadata__:
            _refuse_note(note, annotation.__origin__)
        _refuse_inexpressible(annotation.__origin__)
    elif origin in (Union, UnionType):
        others = [item for item in arguments if item is not NoneType]
        if len(others) != 1 or len(arguments) != 2:
            raise NodeError(f"a value has one type or is empty; {_HOW}.")
        _refuse_inexpressible(others[0])
    elif origin is list:
        _refuse_inexpressible(arguments[0])
    elif origin is Literal:
        if not all(isinstance(choice, str) for choice in arguments):
            raise NodeError("choices are texts: write them in quotes.")
    elif annotation not in PLAIN_KINDS:
        raise NodeError(f"{annotation!r} is no socket and JSON Schema cannot express it; {_HOW}.")


def _refuse_note(note: Any, base: Any) -> None:
    if isinstance(note, FieldInfo):
        if note.default is not PydanticUndefined or note.default_factory is not None:
            raise NodeError("write its default with '=', not in Field.")
        for constraint in note.metadata:
            _refuse_note(constraint, base)
    elif isinstance(note, annotated_types.MultipleOf):
        if base is not int:
            raise NodeError(
                "only whole numbers can be multiples; for a float use Slider(step=...)."
            )
    elif isinstance(note, (*_LIMITS, Slider)):
        if base not in (int, float):
            raise NodeError(f"{note!r} limits a number, and this is none.")
    elif isinstance(note, _LENGTHS):
        if base is not str and get_origin(base) is not list:
            raise NodeError(f"{note!r} limits a text or a list, and this is neither.")
    elif not isinstance(note, Control | OneOf | str):
        raise NodeError(f"JSON Schema cannot express {note!r}; use limits, OneOf or Slider.")
