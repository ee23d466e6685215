"""Workflows put together at random from every node type there is, until the checker is content."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graph.check import check
from graph.definition import InputDefinition, NodeDefinition
from graph.files import Files
from graph.types import accepts
from graph.workflow import PlacedNode, Wire, Workflow

VALUES: Mapping[str, Any] = {
    "width": 64, "height": 64, "steps": 1, "text": "a", "tile_size": 64, "overlap": 0,
    "start_at_step": 0, "end_at_step": 1, "scale_by": 1.5, "amount": 2,
}  # fmt: skip
"""What widgets of these names hold, so that pictures stay small and runs short."""

TRIES = 8
"""So often another node or other wires are tried before a workflow grows no further."""


@dataclass
class Grower:
    """Grows one workflow. `files` are what there is to load: folder → names."""

    definitions: Mapping[str, NodeDefinition]
    files: Files
    chance: random.Random
    nodes: dict[str, PlacedNode] = field(default_factory=dict)

    def start(self, checkpoints: int = 2) -> None:
        """Load some checkpoints, VAEs and pictures, and have a prompt and a latent for each."""
        names = list(self.files.names("checkpoints"))
        for name in self.chance.sample(names, min(checkpoints, len(names))):
            loader = self._add(PlacedNode(type="load_checkpoint", values={"file": name}))
            clip = {"clip": Wire(node=loader, output="clip")}
            words = Wire(
                node=self._add(self.placed("clip_text_encode", clip)), output="conditioning"
            )
            latent = Wire(node=self._add(self.placed("empty_latent", {})), output="latent")
            model = {"model": Wire(node=loader, output="model"), "latent": latent}
            self._add(self.placed("k_sampler", {**model, "positive": words, "negative": words}))
        for folder, type_ in (("vae", "load_vae"), ("input", "load_image")):
            for name in self.files.names(folder)[:1]:
                self._add(PlacedNode(type=type_, values={"file": name}))

    def grow(self, wanted: int) -> Workflow:
        """The workflow with so many more nodes, each of which leaves it without an error.

        Inputs are wired to outputs of their kind, whatever their spaces: the checker alone judges.
        """
        usable = [name for name in self.definitions if self._usable(name)]
        for _ in range(wanted):
            for _ in range(TRIES):
                placed = self._random(self.chance.choice(usable))
                if placed is not None and self._accepted(placed):
                    break
        return Workflow(nodes=dict(self.nodes))

    def wild(self, wanted: int) -> Workflow:
        """The workflow with so many more nodes, wired by kind alone: much of it does not fit."""
        for name in self.chance.choices(list(self.files.names("vae")), k=2):
            self._add(PlacedNode(type="load_vae", values={"file": name}))
        usable = [name for name in self.definitions if self._usable(name)]
        for _ in range(wanted):
            placed = self._random(self.chance.choice(usable))
            if placed is not None:
                self._add(placed)
        return Workflow(nodes=dict(self.nodes))

    def placed(self, type_: str, inputs: dict[str, Wire]) -> PlacedNode:
        """The node with values that keep it quick."""
        widgets = self.definitions[type_].widgets
        values = {item.name: VALUES[item.name] for item in widgets if item.name in VALUES}
        for item in widgets:
            if item.required and item.folder:
                values[item.name] = self.chance.choice(list(self.files.names(item.folder)))
        return PlacedNode(type=type_, values=values, inputs=inputs)

    def _random(self, type_: str) -> PlacedNode | None:
        """A node of the type with random wires; None where an input has nothing to take."""
        inputs: dict[str, Wire] = {}
        for item in self.definitions[type_].inputs:
            givers = self._givers(item)
            if item.variadic:
                for number in range(self.chance.randint(1, 3) if givers else 0):
                    inputs[f"{item.name}.{number}"] = self.chance.choice(givers)
            elif givers and not (item.optional and self.chance.random() < 0.5):
                inputs[item.name] = self.chance.choice(givers)
            elif not item.optional:
                return None
        return self.placed(type_, inputs)

    def _givers(self, item: InputDefinition) -> Sequence[Wire]:
        return [
            Wire(node=id_, output=output.name)
            for id_, node in self.nodes.items()
            for output in self.definitions[node.type].outputs
            if accepts(item.term.kind, output.term.kind) and output.list == item.list
        ]

    def _usable(self, type_: str) -> bool:
        """Whether every widget of the type has a value, or files to choose from.

        What loads anything else than a LoRA is there from the start.
        """
        definition = self.definitions[type_]
        needed = [item for item in definition.widgets if item.required]
        return all(item.folder == "loras" and self.files.names(item.folder) for item in needed)

    def _accepted(self, placed: PlacedNode) -> bool:
        """Keep the node if nothing speaks against it."""
        id_ = self._add(placed)
        found = check(Workflow(nodes=self.nodes), self.definitions, self.files, wanted=(id_,))
        if found.blocking:
            del self.nodes[id_]
        return not found.blocking

    def _add(self, placed: PlacedNode) -> str:
        id_ = f"{placed.type}_{len(self.nodes)}"
        self.nodes[id_] = placed
        return id_
