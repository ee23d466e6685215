"""Decide whose latents a file speaks from what several kinds of evidence say, and how surely.

Each kind of evidence (a layer) gives a `Finding` or nothing. The first certain one wins, in the
order of `LAYERS`; two that are only likely and agree are certain together; what disagrees is
reported.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from diffusion.identity.identity import Certainty

Layer = Literal["header", "statement", "hash", "metadata", "signature", "probe"]

LAYERS: tuple[Layer, ...] = ("header", "statement", "hash", "metadata", "signature", "probe")
"""The order in which layers are believed."""

RULES = {
    "header": "what its header says",
    "statement": "what you said of it",
    "hash": "the hash of a known file",
    "metadata": "its metadata",
    "signature": "the signature of its encoder",
    "probe": "a trial of what it does",
}
"""What each layer goes by, for people."""


@dataclass(frozen=True)
class Finding:
    """What one layer says: the spaces that the file may speak, and the reason as a clause.

    No spaces: the layer looked and cannot tell. `certainty` is "certain", "likely" or "unknown";
    several spaces are candidates, and then it is "unknown".
    """

    layer: Layer
    spaces: tuple[str, ...]
    certainty: Certainty
    reason: str

    @property
    def space(self) -> str | None:
        """The one space that it names, or None."""
        return self.spaces[0] if len(self.spaces) == 1 else None


@dataclass(frozen=True)
class Verdict:
    """What all layers together say.

    `rule` is the layer that decided, `reason` its clause. `against` are the findings that do not go
    with the answer: a contradiction, which people are shown.
    """

    spaces: tuple[str, ...]
    certainty: Certainty
    rule: Layer
    reason: str
    findings: tuple[Finding, ...] = ()
    against: tuple[Finding, ...] = ()


def combined(findings: Iterable[Finding]) -> Verdict:
    """The verdict over findings of any order; one of them is the header's."""
    ordered = tuple(sorted(findings, key=lambda finding: LAYERS.index(finding.layer)))
    header = next(item for item in ordered if item.layer == "header")
    answer = _decisive(ordered, header)
    if answer is None:
        answer = Finding("header", header.spaces, "unknown", header.reason)
    against = tuple(
        item
        for item in ordered
        if answer.spaces and item.spaces and set(item.spaces).isdisjoint(answer.spaces)
    )
    return Verdict(answer.spaces, answer.certainty, answer.layer, answer.reason, ordered, against)


def _decisive(ordered: Sequence[Finding], header: Finding) -> Finding | None:
    """The finding that decides, with the certainty that it has beside the others."""
    # What the tensors rule out is no answer, whoever gives it.
    possible = [
        item
        for item in ordered
        if item.space is not None and (not header.spaces or item.space in header.spaces)
    ]
    certain = next((item for item in possible if item.certainty == "certain"), None)
    if certain is not None:
        return certain
    likely = [item for item in possible if item.certainty == "likely"]
    if not likely:
        return None
    # What was measured is believed before what somebody wrote into the file.
    first = next((item for item in likely if item.layer != "metadata"), likely[0])
    agreeing = [item for item in likely if item.space == first.space]
    if len(likely) == len(agreeing) > 1:
        reasons = ", and ".join(item.reason for item in agreeing)
        return Finding(first.layer, first.spaces, "certain", reasons)
    return first


def contradiction(against: Sequence[Finding], titles: dict[str, str]) -> str:
    """What does not go with the verdict, as a sentence; "" where everything does."""
    parts = [
        f"{RULES[item.layer]} says {' or '.join(titles.get(s, s) for s in item.spaces)} "
        f"({item.reason})"
        for item in against
    ]
    return f"But {'; '.join(parts)}." if parts else ""
