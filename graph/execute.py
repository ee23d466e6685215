"""Run a plan: each step once, deepest first, keeping what the cache has room for.

The order is demand: a stack holds the steps that are wanted, above each the steps that it needs.
A step that awaits a lazy input, or that returned an expansion, stays on the stack where it is, and
what it asks for is put above it. So nothing recurses, and no function begins again because it had
to wait.

The first failure ends the run. What was done before it stays in the cache, so that a mended
workflow goes on from there.
"""

import inspect
import traceback
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from types import CoroutineType
from typing import Any, Literal

from graph.cache import Outputs, ResultCache
from graph.call import (
    Asked,
    Call,
    Caller,
    CallError,
    Examine,
    ResolveFile,
    ResolveSpace,
    Services,
    read,
)
from graph.cancel import Cancel, Cancelled
from graph.events import Event, NodeChanged, NodeState
from graph.expand import Expansion, Joined
from graph.frontier import Frontier, closure
from graph.node import ValuesError
from graph.plan import Plan
from graph.step import Origin, Step
from graph.types import Lazy

__all__ = ["Call", "NodeFailure", "Outcome", "execute"]

Emit = Callable[[Event], None]
Explain = Callable[[Exception], str | None]
Join = Callable[[str, Expansion, str], Joined]
Status = Literal["finished", "failed", "cancelled"]

_PENDING = object()
"""Stands for a function that has not returned yet."""


@dataclass(frozen=True)
class NodeFailure:
    """What ended a run: the node, a sentence that names it, and the traceback, for the log."""

    node: str
    title: str
    message: str
    traceback: str


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `values` holds the outputs of the wanted nodes that were done, by node id.

    `keys` leads from node ids to step keys, by which the cache still knows other nodes' values.
    `ran` and `cached` count steps.
    """

    status: Status
    values: Mapping[str, Outputs]
    keys: Mapping[str, str]
    failure: NodeFailure | None
    ran: int
    cached: int


def execute(
    plan: Plan,
    functions: Mapping[str, Callable[..., Any]],
    cache: ResultCache,
    *,
    services: Services,
    resolve_file: ResolveFile,
    emit: Emit,
    cancel: Cancel,
    resolve_space: ResolveSpace = lambda axis, space: space,
    join: Join | None = None,
    explain: Explain = lambda error: None,
    examine: Examine = lambda definition, value: None,
) -> Outcome:
    """Run the plan's steps and say how it ended; nothing that a node raises comes out of here.

    `join` checks and plans a node's `Expansion` (`graph.expand.Expander`). `explain` may turn an
    error into a sentence (out of memory); `examine` may object to an output (values that are no
    numbers).
    """
    caller = Caller(functions, services, resolve_file, resolve_space, examine, emit, cancel)
    return _Run(plan, cache, caller, join, explain).run()


@dataclass(slots=True)
class _Begun:
    """A step whose function has begun and cannot go on before what it `waits_for` is done.

    Either `coroutine` awaits the value of `asked`, or `expansion` will give the outputs.
    """

    waits_for: list[str] = field(default_factory=list)
    coroutine: Coroutine[Any, Any, Any] | None = None
    asked: Asked | None = None
    expansion: Mapping[str, Origin] = field(default_factory=dict)
    seconds: float = 0.0


class _Run:
    def __init__(
        self, plan: Plan, cache: ResultCache, caller: Caller, join: Join | None, explain: Explain
    ) -> None:
        self.plan = plan
        self.caller = caller
        self.join = join
        self.explain = explain
        self.frontier = Frontier(cache)
        self.stack: list[str] = []
        self.begun: dict[str, _Begun] = {}
        self.announced: set[str] = set()
        self.open: dict[str, Step] = {}  # announced, neither done nor failed
        self.failure: NodeFailure | None = None
        self.ran = self.cached = 0

    def run(self) -> Outcome:
        wanted = self.plan.wanted
        roots = [self.plan.keys[node] for node in wanted]
        frontier = self.frontier
        try:
            frontier.join(self.plan, roots)
            self.demand(roots)
            status = self.work()
            for step in self.open.values():
                self.tell(step, "cancelled")
            pairs = zip(wanted, roots, strict=True)
            values = {n: frontier.results[key] for n, key in pairs if key in frontier.results}
        finally:
            for begun in self.begun.values():
                if begun.coroutine is not None:
                    begun.coroutine.close()
            frontier.close()
        return Outcome(status, values, self.plan.keys, self.failure, self.ran, self.cached)

    def work(self) -> Status:
        """Do what is on the stack until nothing is, or something ends the run."""
        stack, frontier, begun = self.stack, self.frontier, self.begun
        results = frontier.results
        while stack:
            key = stack[-1]
            if key in results:
                stack.pop()
                continue
            step = frontier.steps[key]
            needs = begun[key].waits_for if key in begun else step.needs
            if missing := [need for need in needs if need not in results]:
                missing.reverse()
                stack += missing
                continue
            try:
                self.caller.cancel.check()
                self.advance(step)
            except Cancelled:
                return "cancelled"
            except Exception as error:  # noqa: BLE001 - a node is anybody's code
                self.fail(step, error)
                return "failed"
        return "finished"

    def advance(self, step: Step) -> None:
        """Begin the step or go on with it, as far as it gets by itself."""
        started = perf_counter()
        begun = self.begun.get(step.key)
        if begun is None:
            self.tell(step, "running")
            returned = self.caller.call(step, self.frontier)
            if isinstance(returned, CoroutineType):
                begun = self.begun[step.key] = _Begun(coroutine=returned)
                returned = self.proceed(begun, None)
        elif begun.asked is not None:
            value = read(step, begun.asked.name, begun.asked.origin, self.frontier)
            returned = self.proceed(begun, value)
        else:
            self.finish(step, self.gather(step, begun.expansion), begun.seconds)
            return
        seconds = perf_counter() - started + (begun.seconds if begun else 0.0)
        if isinstance(returned, Expansion):
            begun = self.begun[step.key] = self.expand(step, returned)
        elif returned is not _PENDING:
            self.finish(step, self.caller.outputs(step, returned), seconds)
            return
        assert begun is not None
        begun.seconds = seconds

    def proceed(self, begun: _Begun, value: Any) -> Any:
        """Send the awaited value in: what the coroutine returns, or `_PENDING` if it asks on."""
        assert begun.coroutine is not None
        try:
            lazy = begun.coroutine.send(value)
        except StopIteration as done:
            return done.value
        asked = lazy.source if isinstance(lazy, Lazy) else None
        if not isinstance(asked, Asked):
            raise CallError("it may await nothing but its lazy inputs.")
        begun.asked = asked
        begun.waits_for = [asked.origin.key]
        self.demand(begun.waits_for)
        return _PENDING

    def expand(self, step: Step, expansion: Expansion) -> _Begun:
        """Let the expansion join the run; the step goes on when it is done."""
        if self.join is None:
            raise CallError("it returned a workflow, but this run takes none.")
        plan, outputs = self.join(step.nodes[0], expansion, self.plan.nonce)
        if outputs.keys() != step.shape.outputs.keys():
            raise CallError(f"its expansion must give {', '.join(step.shape.outputs)}.")
        if not self.begun.keys().isdisjoint(plan.steps) or step.key in plan.steps:
            raise CallError("it expands into itself.")
        keys = [origin.key for origin in outputs.values()]
        # A step that was done and freed, but is needed once more, is announced once more.
        self.announced.difference_update(self.frontier.join(plan, keys))
        self.demand(keys)
        return _Begun(waits_for=keys, expansion=outputs)

    def gather(self, step: Step, expansion: Mapping[str, Origin]) -> Outputs:
        """The outputs that the step's expansion gave."""
        outputs = {name: self.frontier.value(origin) for name, origin in expansion.items()}
        self.frontier.release(origin.key for origin in expansion.values())
        return self.caller.judged(step, outputs)

    def finish(self, step: Step, outputs: Outputs, seconds: float) -> None:
        self.frontier.finish(step.key, outputs)
        self.begun.pop(step.key, None)
        del self.open[step.key]
        self.ran += 1
        self.tell(step, "finished", seconds)

    def fail(self, step: Step, error: Exception) -> None:
        message = f"{step.title}: {self.explain(error) or self.sentence(step, error)}"
        trace = "".join(traceback.format_exception(error))  # text: frames would hold tensors
        self.failure = NodeFailure(step.nodes[0], step.title, message, trace)
        del self.open[step.key]
        self.tell(step, "failed", message=message)

    def sentence(self, step: Step, error: Exception) -> str:
        """What the error says to people; of one that Python raised, also where in the pack."""
        if isinstance(error, ValuesError):
            return " ".join(error.reasons.values())
        text = str(error)
        if isinstance(error, ValueError | OSError) or type(error).__module__ != "builtins":
            return text or type(error).__name__
        function = inspect.unwrap(self.caller.functions[step.shape.definition.type])
        # A KeyError says 'x': what Python itself raises is told with its kind.
        return f"{type(error).__name__}: {text}{_place(error, function)}"

    def demand(self, keys: list[str]) -> None:
        """Put the steps on the stack, the first one on top, and announce what that will run."""
        self.stack += reversed(keys)
        for step in closure(self.frontier.steps, keys, self.announced):
            if step.key in self.frontier:
                self.open[step.key] = step
                self.tell(step, "waiting")
            else:
                self.cached += 1
                self.tell(step, "cached")

    def tell(
        self, step: Step, state: NodeState, seconds: float | None = None, message: str | None = None
    ) -> None:
        for node in step.nodes:
            self.caller.emit(NodeChanged(node=node, state=state, seconds=seconds, message=message))


def _place(error: Exception, function: Callable[..., Any]) -> str:
    """In brackets the last line that the error went through beside the node's function."""
    code = getattr(function, "__code__", None)
    folder, _ = _apart(code.co_filename) if code else ("", "")
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        place, name = _apart(frame.filename)
        if folder and f"{place}/".startswith(f"{folder}/"):
            return f" ({name}, line {frame.lineno})"
    return ""


def _apart(path: str) -> tuple[str, str]:
    """A file's folder and its name."""
    folder, _, name = path.replace("\\", "/").rpartition("/")
    return folder, name
