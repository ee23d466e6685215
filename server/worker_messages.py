"""What server and worker say to each other: JSON as bytes over a pipe, never pickle.

`server/worker_wire.py` writes and reads it.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from graph.definition import Data, Json, NodeDefinition
from graph.events import Event

# --- from the server to the worker


View = Literal["picture", "channels", "about"]
"""How a value is looked at: as a picture, channel by channel (latents), or told in numbers."""


class Start(Data):
    """Run the workflow (the saved form); `wanted` are node ids, None for every output.

    `saved` is what pictures say that they were made by, where files have other names there.
    """

    type: Literal["start"] = "start"
    run: str
    workflow: dict[str, Any]
    wanted: tuple[str, ...] | None = None
    saved: dict[str, Any] | None = None


class StartTogether(Data):
    """Run several workflows at the same time, their models' calls joined where they fit."""

    type: Literal["start_together"] = "start_together"
    starts: tuple[Start, ...]


class Cancel(Data):
    """Stop the run at the next place where it looks."""

    type: Literal["cancel"] = "cancel"
    run: str


class Withdraw(Data):
    """Give back those of the runs that are not begun."""

    type: Literal["withdraw"] = "withdraw"
    runs: tuple[str, ...]


class AskValue(Data):
    """Write what a node of a run gave at `output` into a file or a plain value."""

    type: Literal["ask_value"] = "ask_value"
    id: int
    run: str
    node: str
    output: str
    view: View = "picture"


class AskPlan(Data):
    """Say what a run of the workflow would take from the cache; as `Start`, without a run.

    Or what several would, one after the other, each with `cases` of other values (as
    `server.queue.rows.Changes`).
    """

    type: Literal["ask_plan"] = "ask_plan"
    id: int
    workflow: dict[str, Any]
    wanted: tuple[str, ...] | None = None
    cases: tuple[dict[str, dict[str, Any]], ...] = ({},)


class AskTokens(Data):
    """Count the tokens of a text as the encoders would that are wired to the node."""

    type: Literal["ask_tokens"] = "ask_tokens"
    id: int
    workflow: dict[str, Any]
    node: str
    text: str


class Freeing(Data):
    """What shall be let go: the models of these ids, None for all; and the kept results."""

    models: tuple[str, ...] | None = None
    results: bool = False


class AskMemory(Data):
    """Say which models are loaded, after freeing some if `free` says so."""

    type: Literal["ask_memory"] = "ask_memory"
    id: int
    free: Freeing | None = None


class AskTrial(Data):
    """Try the VAE in the file, so that one sees whose latents it speaks."""

    type: Literal["ask_trial"] = "ask_trial"
    id: int
    path: str


class Stop(Data):
    """End the process."""

    type: Literal["stop"] = "stop"


Question = AskValue | AskPlan | AskTokens | AskMemory
"""What is answered also while a run is on."""

ToWorker = Annotated[
    Start | StartTogether | Cancel | Withdraw | Question | AskTrial | Stop,
    Field(discriminator="type"),
]

# --- from the worker to the server


class Pack(Data):
    """A folder of custom nodes; `error` says why it could not be loaded."""

    name: str
    error: str | None = None


class Library(Data):
    """Every node type there is. `version` is a hash of the source it was read from."""

    type: Literal["library"] = "library"
    version: str
    nodes: dict[str, NodeDefinition]
    packs: tuple[Pack, ...] = ()


class Ready(Data):
    """The worker takes runs; `device` is what it computes on, in words.

    `together`: so many runs at once are worth their while.
    """

    type: Literal["ready"] = "ready"
    device: str = ""
    together: int = 1


class Unable(Data):
    """The worker cannot start, or not go on; the process ends after this."""

    type: Literal["unable"] = "unable"
    error: str


class Alive(Data):
    """Sent every few seconds, so that silence means something."""

    type: Literal["alive"] = "alive"


class Happened(Data):
    """Something happened in a run."""

    type: Literal["happened"] = "happened"
    run: str
    event: Event


class Withdrawn(Data):
    """The answer to `Withdraw`: these runs were not begun, and will not be."""

    type: Literal["withdrawn"] = "withdrawn"
    runs: tuple[str, ...]


class Ended(Data):
    """The run is over; `error` is a sentence for people where it failed."""

    type: Literal["ended"] = "ended"
    run: str
    status: Literal["finished", "failed", "cancelled"]
    error: str | None = None


class Value(Data):
    """The answer to `AskValue`.

    `kind` is "image" or "latent" (then `file` is a picture inside the temp folder), "number",
    "text", "boolean" or "about" (then `data` holds it), or "gone" where the value is no longer
    kept.
    """

    type: Literal["value"] = "value"
    id: int
    kind: Literal["image", "latent", "number", "text", "boolean", "about", "gone"]
    file: str = ""
    data: Json = None


class Planned(Data):
    """The answer to `AskPlan`: how many nodes are kept, would run, and would run only if asked for,
    in the first case.

    `runs` are the nodes that each case would compute after those before it (one of several that do
    the same). `models` are the bytes that the models of the first are estimated to take, `at_once`
    those that one of its nodes uses, `budget` what models may take together (0: nobody knows).
    `refused` says why there is no plan.
    """

    type: Literal["planned"] = "planned"
    id: int
    cached: int = 0
    to_run: int = 0
    lazy: int = 0
    runs: tuple[tuple[str, ...], ...] = ()
    models: int = 0
    at_once: int = 0
    budget: int = 0
    refused: str | None = None


class EncoderTokens(Data):
    """What one text encoder makes of a text; a piece is start, end, weight and chunk.

    An embedding is start, end, name and how many tokens it is.
    """

    encoder: str
    tokens: int
    room: int | None
    chunks: int
    pieces: tuple[tuple[int, int, float, int], ...] = ()
    embeddings: tuple[tuple[int, int, str, int], ...] = ()


class Tokens(Data):
    """The answer to `AskTokens`; `trouble` is a sentence where nothing could be counted."""

    type: Literal["tokens"] = "tokens"
    id: int
    encoders: tuple[EncoderTokens, ...] = ()
    trouble: str = ""


class LoadedModel(Data):
    """A part of a model file that is loaded. `host`: bytes of it that lie beside the device."""

    id: str
    name: str
    part: str
    dtype: str
    bytes: int
    host: int
    in_use: bool


class MemoryReport(Data):
    """The answer to `AskMemory`. Sizes are bytes.

    `budget` is what models may take, `used` what they take, `total` and `free` what the device has
    and what of it nobody has taken, where it says so; `results` what kept results take. `freed` is
    what has just been let go. `device` is in words.
    """

    type: Literal["memory"] = "memory"
    id: int
    device: str
    budget: int
    used: int
    total: int
    free: int | None
    results: int
    freed: int = 0
    models: tuple[LoadedModel, ...] = ()


class Tried(Data):
    """The answer to `AskTrial`: a `diffusion.identity.trial.Trial`, or `trouble` says why not.

    `is_absent`: the worker's machine has no file of that content; another one's may.
    """

    type: Literal["tried"] = "tried"
    id: int
    trial: dict[str, Any] | None = None
    trouble: str = ""
    is_absent: bool = False


class Unanswered(Data):
    """The answer to a `Question` that the worker could not read or find an answer to."""

    type: Literal["unanswered"] = "unanswered"
    id: int
    trouble: str


Answer = Value | Planned | Tokens | MemoryReport | Unanswered
"""What a `Question` is answered with."""

FromWorker = Annotated[
    Library | Ready | Unable | Alive | Happened | Ended | Withdrawn | Answer | Tried,
    Field(discriminator="type"),
]
