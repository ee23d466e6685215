"""Workflows put together at random from every node type there is, until the checker is content."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graph.check import check
from graph.definition import InputDefinition, NodeDefinition, WidgetDefinition
from graph.files import Files
from graph.types import accepts
from graph.workflow import PlacedNode, Wire, Workflow

VALUES: Mapping[str, Any] = {
    "width": 64, "height": 64, "steps": 1, "text": "a", "tile_size": 64, "overlap": 0,
    "start_at_step": 0, "end_at_step": 1, "scale_by": 1.5, "amount": 2,
}  # fmt: skip
"""What widgets of these names hold, so that pictures stay small and runs short."""

NUMBERS = 0, 1, 2, 64, 72
"""What the nodes hold whose number is wired to other nodes' widgets."""

LOADERS = (
    ("vae", "load_vae"),
    ("input", "load_image"),
    ("controlnet", "load_controlnet"),
    ("upscale_models", "load_upscale_model"),
)
"""What is loaded from the start beside checkpoints: folder, node."""

TRIES = 8
"""So often another node or other wires are tried before a workflow grows no further."""


@dataclass
class Grower:
    """Grows one workflow. `files` are what there is to load: folder → names."""

    definitions: Mapping[str, NodeDefinition]
    files: Files
    chance: random.Random
    nodes: dict[str, PlacedNode] = field(default_factory=dict)

    def start(self, checkpoints: int = 2, first: Sequence[str] = ()) -> None:
        """Load some checkpoints, VAEs and pictures, and have a prompt and a latent for each.

        `first`: checkpoints that are among them in any case.
        """
        names = [name for name in self.files.names("checkpoints") if name not in first]
        others = self.chance.sample(names, min(checkpoints - len(first), len(names)))
        for name in (*first, *others):
            loader = self._add(PlacedNode(type="load_checkpoint", values={"file": name}))
            clip = {"clip": Wire(node=loader, output="clip")}
            words = Wire(
                node=self._add(self.placed("clip_text_encode", clip)), output="conditioning"
            )
            latent = Wire(node=self._add(self.placed("empty_latent", {})), output="latent")
            model = {"model": Wire(node=loader, output="model"), "latent": latent}
            prompts = {"positive": words, "negative": words}
            self._add(self.placed("k_sampler", {**model, **prompts}))
            if self.chance.random() < 0.5:
                del model["latent"]
                for part in ("random_noise", "k_sampler_select"):
                    self._add(self.placed(part, {}))
                self._add(self.placed("basic_scheduler", model))
                self._add(self.placed("cfg_guider", {**model, **prompts}))
        for folder, type_ in LOADERS:
            for name in self.files.names(folder)[:1]:
                self._add(PlacedNode(type=type_, values={"file": name}))

    def grow(self, wanted: int, among: Sequence[str] = ()) -> Workflow:
        """The workflow with so many more nodes, each of which leaves it without an error.

        Inputs are wired to outputs of their kind, whatever their spaces: the checker alone judges.
        The nodes are of the types `among`, or of all.
        """
        usable = [name for name in among or self.definitions if self._usable(name)]
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
        values = {item.name: VALUES[item.name] for item in widgets if _takes(item)}
        for item in widgets:
            if item.required and item.folder:
                values[item.name] = self.chance.choice(list(self.files.names(item.folder)))
            if item.name == "text" and self.chance.random() < 0.3:
                named = list(self.files.names("embeddings"))
                values["text"] = " ".join(["a", *(f"embedding:{name}" for name in named)])
            if item.name == "value" and not inputs:
                values["value"] = self.chance.choice(NUMBERS)
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
        for widget in self.definitions[type_].widgets:
            givers = self._of_kind(widget.wire) if widget.wire else []
            givers = [wire for wire in givers if self._category(wire) == "utilities"]
            if givers and self.chance.random() < 0.3:
                inputs[widget.name] = self.chance.choice(givers)
        return self.placed(type_, inputs)

    def _givers(self, item: InputDefinition) -> Sequence[Wire]:
        return self._of_kind(item.term.kind, item.list)

    def _of_kind(self, kind: str, several: bool = False) -> Sequence[Wire]:
        """Every output whose kind may enter here."""
        return [
            Wire(node=id_, output=output.name)
            for id_, node in self.nodes.items()
            for output in self.definitions[node.type].outputs
            if accepts(kind, output.term.kind) and output.list == several
        ]

    def _category(self, wire: Wire) -> str:
        return self.definitions[self.nodes[wire.node].type].category

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


def _takes(widget: WidgetDefinition) -> bool:
    """Whether what `VALUES` has for its name is within its limits."""
    value, most = VALUES.get(widget.name), widget.schema_.get("maximum")
    return value is not None and not (isinstance(most, int | float) and value > most)
