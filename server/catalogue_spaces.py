"""The spaces that there are: those of the families, and those that files declare themselves."""

import threading
from collections.abc import Iterable, Mapping

from diffusion import spaces
from diffusion.spaces import LATENT_SPACES, TEXT_SPACES, LatentSpace, SpaceTrouble, TextSpace
from graph.definition import Axis
from server.catalogue_embeddings import worded
from server.catalogue_known import Known


class Spaces:
    """See above. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latent: dict[str, tuple[LatentSpace, str]] = {}
        self._text: dict[str, TextSpace] = {}

    def declare(self, owner: str, known: Known) -> None:
        """Remember the spaces that the file at the path `owner` declares."""
        with self._lock:
            _declare(owner, known, self._latent, self._text)

    def declare_all(self, files: Iterable[tuple[str, Known]]) -> None:
        """Remember what these files declare, by their paths, and forget all others."""
        latent: dict[str, tuple[LatentSpace, str]] = {}
        text: dict[str, TextSpace] = {}
        for owner, known in files:
            _declare(owner, known, latent, text)
        with self._lock:
            self._latent, self._text = latent, text

    def latent(self) -> Mapping[str, LatentSpace]:
        """Every latent space by its id; a file cannot take the id of a built-in one."""
        with self._lock:
            return {**{id_: item[0] for id_, item in self._latent.items()}, **LATENT_SPACES}

    def text(self) -> Mapping[str, TextSpace]:
        """Every text space by its id; a file cannot take the id of a built-in one."""
        with self._lock:
            return {**self._text, **TEXT_SPACES}

    def fits(self, axis: Axis, space: str, other: str) -> bool:
        """Whether values of one space have the shape of the other's, as far as that is known."""
        if axis == "latent":
            one, two = self.latent().get(space), self.latent().get(other)
            if one is None or two is None:
                return False
            return (one.channels, one.downscale) == (two.channels, two.downscale)
        left, right = self.text().get(space), self.text().get(other)
        if left is None or right is None:
            return False
        # A space that a file declares need not say how wide its conditioning is.
        return not (left.width and right.width) or bool(set(left.width) & set(right.width))

    def title(self, axis: Axis, space: str) -> str:
        """The space's name for people; the id itself where no file and no family has it."""
        found = self.latent().get(space) if axis == "latent" else self.text().get(space)
        return found.title if found else space

    def clash(self, name: str, known: Known) -> str | None:
        """Why the space that the file declares cannot be: another file declares it otherwise."""
        with self._lock:
            told = [self._latent[id_] for id_ in known.latent if id_ in self._latent]
        for space, owner in told:
            mine = spaces.declared_latent_space(dict(known.declared))
            if mine is not None and mine.numbers != space.numbers:
                return (
                    f"{name} declares the latent space {space.id!r} with other numbers than "
                    f"{owner}: one of them must take another id."
                )
        return None


def _declare(
    owner: str,
    known: Known,
    latent_spaces: dict[str, tuple[LatentSpace, str]],
    text_spaces: dict[str, TextSpace],
) -> None:
    """Add the spaces that the file declares, where nobody declared them before."""
    if not known.declared:
        return
    metadata = dict(known.declared)
    try:
        latent = spaces.declared_latent_space(metadata)
        text = spaces.declared_text_space(metadata)
    except SpaceTrouble:  # the file has its own trouble already
        return
    if latent is not None and latent.id not in LATENT_SPACES:
        latent_spaces.setdefault(latent.id, (latent, owner))
    if text is not None:
        text_spaces.setdefault(text.id, worded(text, known))
