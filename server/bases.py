"""Keep the workflows that were checked last, so that the page sends and is told only changes."""

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from graph.socket_types import SocketTypes
from graph.workflow import Workflow
from server.errors import Refused

KEPT = 16
"""So many answers are kept: those of a few tabs, the last ones of each."""


class BaseUnknown(Refused):
    """The workflow that a change is told of is not kept any more: the whole is asked for."""

    status = HTTPStatus.CONFLICT
    code = "unknown_base"


class Base(NamedTuple):
    """A workflow that was checked, and what the page was told of its sockets."""

    workflow: Workflow
    types: Mapping[str, SocketTypes]


class Bases:
    """The last answers, by names that nobody guesses. What is kept is never changed."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Base] = OrderedDict()

    def find(self, name: str | None) -> Base | None:
        """The answer of the name, None for no name; raises `BaseUnknown`."""
        if name is None:
            return None
        found = self._kept.get(name)
        if found is None:
            raise BaseUnknown("This change is of a workflow that is forgotten: send all of it.")
        return found

    def keep(self, now: Base, after: str | None) -> str:
        """Keep an answer as the newest, and give its name.

        The one that it came `after` stays beside it: the page may never get the new one, and goes
        on from the old.
        """
        if after is not None and after in self._kept:
            self._kept.move_to_end(after)
        name = secrets.token_urlsafe(12)
        self._kept[name] = now
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return name


def changes(
    base: Base | None, types: Mapping[str, SocketTypes]
) -> tuple[Mapping[str, SocketTypes], list[str]]:
    """What the page does not know yet of the sockets' types, and the nodes that have none now."""
    if base is None:
        return types, []
    if base.types is types:
        return {}, []
    before = base.types
    new = {
        id_: now for id_, now in types.items() if (old := before.get(id_)) is not now and old != now
    }
    return new, [id_ for id_ in before if id_ not in types]
