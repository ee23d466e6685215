"""What is known of a model that no type says: the sizes it is good at, settings that spoil it."""

from graph.definition import Data


class Avoid(Data):
    """A setting to be warned of under `code`: one of `values`, or a number `above` a limit.

    `use` is what to set in its widget instead, None where the node should be left out; `why` says
    of the model what is wrong with it.
    """

    code: str
    widget: str
    use: str | float | None
    why: str
    values: tuple[str, ...] = ()
    above: float | None = None


class Advice(Data):
    """What a model was made for. `side`: the square that it was trained at, in pixels.

    `areas`: from which to which share of that square its pictures stay good. `multiple`: edges are
    whole numbers of so many pixels.
    """

    title: str
    side: int
    areas: tuple[float, float]
    multiple: int
    avoid: tuple[Avoid, ...] = ()
