"""What a file that fits nothing comes closest to, and what keeps it from being that."""

from collections.abc import Iterator
from typing import NamedTuple

from diffusion.families import FAMILIES
from diffusion.families.adapters import ADAPTERS
from diffusion.families.encoders import ENCODERS
from diffusion.families.signature import Has, Lacks, Shapes, Signature
from diffusion.families.vaes import VAES

MOST = 3
"""Candidates that are named."""


class Candidate(NamedTuple):
    """A kind of file: which share of its decisive tensors is there (`held`), and what is not."""

    title: str
    held: float
    but: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return f"nearest is {self.title}, but {'; '.join(self.but)}"


def nearest(shapes: Shapes, *, denoisers_only: bool = False) -> tuple[Candidate, ...]:
    """The kinds that the tensors fit best of those that they do not fit, best first.

    A kind counts where at least half of the tensors that decide are there.
    """
    best: dict[str, Candidate] = {}
    for title, signature in _kinds(denoisers_only):
        found = _candidate(title, signature, shapes)
        if found.held >= 0.5 and (title not in best or best[title].held < found.held):
            best[title] = found
    return tuple(sorted(best.values(), key=lambda item: (-item.held, item.title))[:MOST])


def _kinds(denoisers_only: bool) -> Iterator[tuple[str, Signature]]:
    for family in FAMILIES.values():
        for signature in family.layouts.values():
            yield family.title, signature
    for look in () if denoisers_only else (*VAES, *ENCODERS, *ADAPTERS):
        yield look.title, look.signature


def _candidate(title: str, signature: Signature, shapes: Shapes) -> Candidate:
    wanted = [item for item in signature if isinstance(item, Has)]
    there = sum(item.holds(shapes) for item in wanted)
    but = tuple(line for item in signature for line in _against(item, shapes))
    return Candidate(title, there / len(wanted) if wanted else 0.0, but)


def _against(condition: object, shapes: Shapes) -> Iterator[str]:
    """What of one condition does not hold, if anything."""
    if isinstance(condition, Has) and not condition.holds(shapes):
        name = Has(condition.key).found(shapes)
        if name is None:
            yield f"there is no {condition.key}"
        else:
            yield f"{name} is {' x '.join(map(str, shapes[name])) or 'one number'}"
    elif isinstance(condition, Lacks) and not condition.holds(shapes):
        yield f"there is {Has(condition.key).found(shapes)}"
