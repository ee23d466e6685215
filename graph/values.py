"""Whether a value may stand in a widget, strictly as JSON: true is no number, 1.0 is no integer."""

import json
import math
import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from graph.definition import Json
from graph.words import spoken, t
from graph.workflow import EXACT_INTEGER

Schema = Mapping[str, Json]


class Wrong(NamedTuple):
    """Why a value does not fit: a stable code, and how a sentence about it goes on."""

    code: str
    reason: str


def unpack(schema: Schema, value: Json) -> Json:
    """`value` with the decimal strings of large integers turned into integers where numbers belong.

    The saved form writes integers of 2**53 or more as texts; see `graph.workflow`.
    """
    if isinstance(value, str):
        return _unpacked(schema, value)
    if isinstance(value, list) and "items" in schema:
        return [unpack(schema["items"], item) for item in value]
    for part in schema.get("anyOf", ()):
        if isinstance(value, list) and "items" in part:
            return unpack(part, value)
    return value


def fault(schema: Schema, value: Json) -> Wrong | None:
    """What is wrong with an unpacked value, or None."""
    return Checker(schema).fault(value)


class Checker:
    """Judges the values of one schema, whose text (the key of the caches) is made once."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._text = json.dumps(schema, sort_keys=True)

    def fault(self, value: Json) -> Wrong | None:
        """What is wrong with the value, packed or not, or None."""
        long = isinstance(value, str) and len(value) > 200
        if long or isinstance(value, list | dict):  # too much to remember, or no key of a cache
            return _fault(self._text, value)
        return _remembered(self._text, type(value).__name__, value, spoken().tag)


_DECIMAL = re.compile(r"-?[1-9][0-9]{15,19}")


def _unpacked(schema: Schema, text: str) -> Json:
    kinds = [part.get("type") for part in (schema, *schema.get("anyOf", ()))]
    if {"integer", "number"} & set(kinds) and _DECIMAL.fullmatch(text):
        number = int(text)
        if abs(number) >= EXACT_INTEGER:
            return number
    return text


def _is_integer(_: Any, value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_: Any, value: Json) -> bool:
    return _is_integer(_, value) or (isinstance(value, float) and math.isfinite(value))


def _type(
    validator: Validator, types: Json, value: Json, schema: Schema
) -> Iterator[ValidationError]:
    """The keyword "type", which also refuses an integer that is too large to become a float."""
    large = isinstance(value, int) and abs(value) > sys.float_info.max
    if not validator.is_type(value, types) or (types == "number" and large):
        yield ValidationError("wrong type")


_Strict: type[Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    validators={"type": _type},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)


@lru_cache(maxsize=4096)
def _validator(schema: str) -> Validator:
    return _Strict(json.loads(schema))


@lru_cache(maxsize=65536)
def _remembered(schema: str, kind: str, value: str | float | None, language: str) -> Wrong | None:
    """`_fault`, remembered; `kind` keeps 1, 1.0 and True apart, which Python holds to be equal."""
    return _fault(schema, value)


def _fault(schema: str, value: Json) -> Wrong | None:
    validator = _validator(schema)
    value = unpack(cast(Schema, validator.schema), value)
    # A wrong type makes every other complaint about the same value void, so it is told first.
    errors = sorted(validator.iter_errors(value), key=lambda error: error.validator != "type")
    return _wrong(errors[0]) if errors else None


_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a group of values",
    "null": "empty",
}

_LIMITS = {
    "minimum": "must be at least {limit}",
    "maximum": "must be at most {limit}",
    "exclusiveMinimum": "must be more than {limit}",
    "exclusiveMaximum": "must be less than {limit}",
    "multipleOf": "must be a multiple of {limit}",
    "minLength": "must have at least {limit} characters",
    "maxLength": "must have at most {limit} characters",
    "minItems": "must have at least {limit} entries",
    "maxItems": "must have at most {limit} entries",
}


def _wrong(error: ValidationError) -> Wrong:
    """The complaint in words; a place inside a list is named from 1."""
    keyword, value = str(error.validator), error.instance
    limit: Any = error.validator_value
    if keyword == "anyOf" and error.context:
        # An optional value: what the other branch (not "null") says is the useful complaint.
        return _wrong(max(error.context, key=lambda inner: inner.validator_value != "null"))
    where = "".join(
        t("entry {value} ", value=step + 1) for step in error.absolute_path if isinstance(step, int)
    )
    if keyword in _LIMITS:
        return Wrong(
            "out_of_range",
            t(
                "{where}{limits}, not {given}",
                where=where,
                limits=t(_LIMITS[keyword], limit=limit),
                given=_short(value),
            ),
        )
    if keyword == "type":
        return Wrong(
            "invalid_value",
            t(
                "{where}must be {wanted}, not {given}",
                where=where,
                wanted=t(_TYPES[limit]),
                given=_short(value),
            ),
        )
    choices = limit if keyword == "enum" else [limit]
    return Wrong(
        "invalid_value",
        t(
            "{where}must be {wanted}, not {given}",
            where=where,
            wanted=_list(choices),
            given=_short(value),
        ),
    )


def _list(choices: list[Json]) -> str:
    shown = [_short(choice) for choice in choices[:12]]
    if len(choices) > len(shown):
        shown.append("…")
    return shown[0] if len(shown) == 1 else t("one of {names}", names=", ".join(shown))


def _short(value: Json) -> str:
    """The value as JSON shows it, cut where it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):  # no JSON, or more digits than Python prints
        return t("something else ({kind})", kind=type(value).__name__)
    return text if len(text) <= 60 else text[:59] + "…"
