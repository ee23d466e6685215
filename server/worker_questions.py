"""What a server asks its worker, and the answers; `server/worker_messages.py` has the rest."""

from typing import Any, Literal

from graph.definition import Data, Json

View = Literal["picture", "channels", "about"]
"""How a value is looked at: as a picture, channel by channel (latents), or told in numbers."""


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


Question = AskValue | AskPlan | AskTokens | AskMemory
"""What is answered also while a run is on."""


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
