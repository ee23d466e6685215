"""What a running node may ask of spaces, and the checker's sentence where two do not go together.

The checker sees what sockets declare; here is seen what values carry, which a node of a pack may
have got wrong. Who made the value and which file the other side comes from is read off the plan.
"""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from diffusion.spaces import LatentSpace
from graph.definition import Axis
from graph.files import FileFacts
from graph.plan import Plan
from graph.step import Origin, Step
from graph.words import t
from graph.workflow import Workflow
from nodes import services
from nodes.services import Side, UnknownSpace, WrongSpace
from server.catalogue import Catalogue
from server.model_folders import FileRefused


class RunSpaces(services.Spaces):
    """The catalogue's spaces, and the pairs that wires of the workflow allow."""

    def __init__(
        self,
        catalogue: Catalogue,
        workflow: Workflow,
        plan: Plan | None = None,
        key: str = "",
    ) -> None:
        """`key`: of the plan's step that asks."""
        self._catalogue = catalogue
        self._plan = plan
        self._key = key
        self._allowed = {
            frozenset(wire.allow)
            for placed in workflow.nodes.values()
            for wire in placed.inputs.values()
            if wire.allow is not None
        }

    def latent(self, space: str) -> LatentSpace:
        found = self._catalogue.latent_space(space)
        if found is None:
            raise UnknownSpace(f"No model file here declares the latent space {space!r}.")
        return found

    def agree(self, axis: Axis, one: Side, other: Side) -> None:
        known = one.space and other.space
        if not known or one.space == other.space:
            return
        if frozenset((one.space, other.space)) in self._allowed:
            return
        left, right = (self._catalogue.space_title(axis, side.space) for side in (one, other))
        sentence = t(
            "This {noun} is {arriving}: {origin}. {one}.",
            noun=one.name,
            arriving=left,
            origin=self._origin(one),
            one=self._speaks(axis, other, right),
        )
        advice = t(
            "What comes out would be garbage: use a {name} for {space}.",
            name=other.name,
            space=left,
        )
        raise WrongSpace(f"{sentence} {advice}")

    def _origin(self, side: Side) -> str:
        """Who made the value."""
        source = self._source(side.socket)
        if source is None:
            return t("it says so itself")
        return t("{node} made it", node=_name(source))

    def _speaks(self, axis: Axis, side: Side, space: str) -> str:
        """What the other side is, and by what that is known."""
        own = self._step(self._key)
        found = None if side.file is None else self._file(side.file)
        if own is None or found is None:
            return t("The {name} is for {space}", name=side.name, space=space)
        name, facts = found
        words = [facts.evidence, t(facts.certainty)] if axis in facts.spaces else []
        said = ", ".join(word for word in words if word)
        return t(
            "{node} uses {said}",
            node=_name(own),
            said=t(
                "{file}, which is for {space}{known_by}",
                file=name,
                space=space,
                known_by=f" ({said})" if said else "",
            ),
        )

    def _source(self, socket: str) -> Step | None:
        """The step that an input of the asking node comes from."""
        own = self._step(self._key)
        origin = own.wires.get(socket) if own else None
        return self._step(origin.key) if isinstance(origin, Origin) else None

    def _step(self, key: str) -> Step | None:
        return None if self._plan is None else self._plan.steps.get(key)

    def _file(self, path: PathLike[str]) -> tuple[str, FileFacts] | None:
        """The name that a step behind this one has for the file, and what is known of it."""
        for step in () if self._plan is None else steps_behind(self._plan, self._key):
            for widget, folder in step.shape.files.items():
                name = step.values.get(widget)
                if isinstance(name, str) and self._is(path, folder, name):
                    facts = self._catalogue.facts(folder, name)
                    return None if facts is None else (name, facts)
        return None

    def _is(self, path: PathLike[str], folder: str, name: str) -> bool:
        try:
            return Path(self._catalogue.resolve(folder, name)) == Path(path)
        except (FileRefused, OSError):  # it went away while the run was on
            return False


def _name(step: Step) -> str:
    """What the checker calls the node: "VAE Decode 'Last'"."""
    title = step.shape.definition.title
    return title if step.title == title else f"{title} '{step.title}'"


def steps_behind(plan: Plan, key: str) -> Iterator[Step]:
    """The steps that the step was computed from, the nearest first."""
    near, seen = [key], {key}
    while near:
        sources = [source for here in near for source in plan.steps[here].sources]
        near = [source for source in dict.fromkeys(sources) if source not in seen]
        seen.update(near)
        yield from (plan.steps[here] for here in near)
