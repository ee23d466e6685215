"""Problems of nodes and wires: what is not there, what does not fit, what goes in a ring."""

from collections.abc import Collection, Iterator

from graph.facts import Facts
from graph.fixes import Fixer
from graph.modes import Source, variadic_number
from graph.node_type import NodeType
from graph.problem import Because, Problem
from graph.sentences import Sentences
from graph.types import accepts
from graph.words import retold, t
from graph.workflow import Wire


class WireProblems:
    """Finds the problems of a workflow's nodes and wires, one node after the other."""

    def __init__(self, facts: Facts, say: Sentences, fixer: Fixer) -> None:
        self.facts = facts
        self.say = say
        self.fixer = fixer
        self._fits: dict[tuple[NodeType, str, NodeType, str], bool] = {}

    def all(self, settled: Collection[str] = ()) -> Iterator[Problem]:
        """The problems of all nodes but the `settled`, with which nothing is wrong."""
        for node, placed in self.facts.workflow.nodes.items():
            if node in settled:
                continue
            kind = self.facts.type_of(node)
            if placed.mode == "mute":
                continue
            if kind is None:
                yield self._unknown_node(node, placed.type)
                continue
            if placed.version > kind.definition.version:
                yield self._newer(node, placed.version, kind.definition.version)
            for name, wire in placed.inputs.items():
                if not self._plain(node, kind, name, wire):
                    yield from self._wire(node, kind, name, wire)
            if placed.mode == "run":
                yield from self._missing(node, kind)
        yield from self._blocked()
        yield from self._cycles()

    def _plain(self, node: str, kind: NodeType, name: str, wire: Wire) -> bool:
        """Whether nothing can be wrong with the wire, by what such wires have in common."""
        giver = self.facts.type_of(wire.node)
        if giver is None or self.facts.node(wire.node).mode == "bypass":
            return False
        key = giver, wire.output, kind, name
        if key not in self._fits:
            given, taken = giver.outputs.get(wire.output), kind.slot(name)
            self._fits[key] = (
                given is not None
                and taken is not None
                and accepts(taken.term.kind, given.term.kind)
                and given.list == taken.is_list
            )
        if not self._fits[key] or not giver.files:
            return self._fits[key]
        source, half = Source(wire.node, wire.output), self.facts.half(node, name)
        return self.facts.lacking(source, half) is None

    def _unknown_node(self, node: str, type_: str) -> Problem:
        pack, dot, _ = type_.rpartition(".")
        hint = (
            t("it belongs to the pack '{pack}', which is not loaded", pack=pack)
            if dot
            else t("it is unknown")
        )
        return Problem(
            code="unknown_node",
            node=node,
            message=t(
                "There is no node type '{type}': {hint}. Install it, or remove the node.",
                type=type_,
                hint=hint,
            ),
            parameters={"type": type_},
            fixes=self.fixer.remove(node),
        )

    def _newer(self, node: str, saved: int, known: int) -> Problem:
        return Problem(
            code="newer_node",
            severity="warning",
            node=node,
            message=(
                t(
                    "{node} was saved by a newer version of its node ({saved}; this one is "
                    "{known}), so its values may mean something else: update the program.",
                    node=self.say.node(node),
                    saved=saved,
                    known=known,
                )
            ),
            parameters={"saved": saved, "known": known},
        )

    def _wire(self, node: str, kind: NodeType, name: str, wire: Wire) -> Iterator[Problem]:
        if kind.slot(name) is None:
            yield self._unknown_input(node, kind, name)
            return
        source_type = self.facts.type_of(wire.node)
        if wire.node not in self.facts.workflow.nodes:
            yield self._unknown_output(node, name, wire, t("which is not in this workflow"))
            return
        if source_type is None:  # told at the unknown node
            return
        if wire.output not in source_type.outputs:
            yield self._unknown_output(node, name, wire, t("which has no such output"))
            return
        if self.facts.node(node).mode == "run":
            source = self.facts.active.every[node].get(name)
            if source is not None:
                yield from self._fit(node, name, source)

    def _fit(self, node: str, name: str, source: Source) -> Iterator[Problem]:
        """Whether the value that really arrives is of the right kind, and can be had at all."""
        kind, given_type = self.facts.type_of(node), self.facts.type_of(source.node)
        taken = kind.slot(name) if kind else None
        if taken is None or given_type is None or source.output not in given_type.outputs:
            return
        given, term, is_list = given_type.outputs[source.output], taken.term, taken.is_list
        if not accepts(term.kind, given.term.kind) or given.list != is_list:
            wanted = self.say.kind(term.kind, is_list)
            got = self.say.kind(given.term.kind, given.list)
            yield Problem(
                code="wrong_type",
                node=node,
                socket=name,
                message=(
                    t(
                        "{input} of {node} takes {wanted}, and {output} of {node2} gives {got}.",
                        input=self.say.input(node, name),
                        node=self.say.node(node),
                        wanted=wanted,
                        output=self.say.output(*source),
                        node2=self.say.node(source.node),
                        got=got,
                    )
                ),
                parameters={"wanted": term.kind, "given": given.term.kind},
                because=(
                    Because(node=source.node, socket=source.output, path=(source.node,)),
                    Because(node=node, socket=name, path=(node,)),
                ),
                fixes=(*self.fixer.connect(node, name), *self.fixer.disconnect(node, name)),
            )
        else:
            yield from self._part(node, name, source)

    def _part(self, node: str, name: str, source: Source) -> Iterator[Problem]:
        lacking = self.facts.lacking(source, self.facts.half(node, name))
        if lacking is None:
            return
        found, part = lacking
        what = self.say.part(part)
        fixes, files = self.fixer.supply(node, name)
        yield Problem(
            code="missing_part",
            node=node,
            socket=name,
            message=(
                t(
                    "{name}, which {node} loads, has no {what}; {node2} needs one from "
                    "elsewhere. {supply}",
                    name=found.name,
                    node=self.say.node(source.node),
                    what=what,
                    node2=self.say.node(node),
                    supply=self.say.supply(what, files),
                )
            ),
            parameters={"part": part, "file": found.name, "files": files},
            because=(
                Because(
                    node=source.node,
                    socket=source.output,
                    evidence=retold(found.evidence),
                    certainty=found.certainty,
                    path=(source.node, node),
                ),
            ),
            fixes=fixes,
        )

    def _unknown_input(self, node: str, kind: NodeType, name: str) -> Problem:
        what = t("is not wired, it is set") if name in kind.widgets else t("is not there")
        return Problem(
            code="unknown_input",
            node=node,
            socket=name,
            message=(
                t(
                    "A wire goes to '{name}' of {node}, which {what}: disconnect it.",
                    name=name,
                    node=self.say.node(node),
                    what=what,
                )
            ),
            fixes=self.fixer.disconnect(node, name),
        )

    def _unknown_output(self, node: str, name: str, wire: Wire, why: str) -> Problem:
        return Problem(
            code="unknown_output",
            node=node,
            socket=name,
            message=(
                t(
                    "{input} of {node} comes from '{output}' of {node2}, {why}. Connect it anew.",
                    input=self.say.input(node, name),
                    node=self.say.node(node),
                    output=wire.output,
                    node2=self.say.node(wire.node),
                    why=why,
                )
            ),
            parameters={"source": wire.node, "output": wire.output},
            fixes=(*self.fixer.connect(node, name), *self.fixer.disconnect(node, name)),
        )

    def _missing(self, node: str, kind: NodeType) -> Iterator[Problem]:
        wired = self.facts.node(node).inputs
        for item in kind.needed:
            if item.name in wired and not item.variadic:
                continue
            if item.variadic:
                there = any(variadic_number(name, item.name) is not None for name in wired)
                name = f"{item.name}.0"
            else:
                there, name = False, item.name
            if not there:
                yield Problem(
                    code="missing_input",
                    node=node,
                    socket=item.name,
                    message=(
                        t(
                            "'{title}' of {node} is not connected: wire {kind} to it.",
                            title=item.title,
                            node=self.say.node(node),
                            kind=self.say.kind(item.term.kind, item.list),
                        )
                    ),
                    parameters={"kind": item.term.kind},
                    fixes=self.fixer.connect(node, name),
                )

    def _blocked(self) -> Iterator[Problem]:
        for node, name, bypassed, output in self.facts.active.blocked:
            known = self.facts.type_of(bypassed) is not None
            if known and not self.facts.output(bypassed, output):
                continue  # told as an unknown output
            shown = self.say.output(bypassed, output) if known else f"'{output}'"
            yield Problem(
                code="bypass_impossible",
                node=node,
                socket=name,
                message=(
                    t(
                        "{node} is bypassed, but nothing that is wired to it can stand in for "
                        "its output {shown}: let it run, or connect something else here.",
                        node=self.say.node(bypassed),
                        shown=shown,
                    )
                ),
                parameters={"bypassed": bypassed, "output": output},
                because=(Because(node=bypassed, socket=output, path=(bypassed, node)),),
                fixes=(*self.fixer.connect(node, name), *self.fixer.disconnect(node, name)),
            )

    def _cycles(self) -> Iterator[Problem]:
        for ring, wires in self.facts.rings:
            names = ", ".join(self.say.node(node) for node in ring[:6])
            node, name = wires[0]
            yield Problem(
                code="cycle",
                node=node,
                socket=name,
                message=(
                    t(
                        "These nodes wait for each other in a ring: {names}{more}. Remove a wire.",
                        names=names,
                        more=t(" and more") if len(ring) > 6 else "",
                    )
                ),
                parameters={"nodes": list(ring)},
                fixes=self.fixer.break_ring(wires),
            )
