"""What a file that holds a latent says of the space that it is in."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from diffusion.header import FileTrouble, read_header
from diffusion.spaces import LATENT_FILE_KEY, LatentSpace
from graph.files import FileFacts
from server.model_folders import Stamp

TENSOR = "latent_tensor"


class Held(NamedTuple):
    """A latent's channels and its space; "" where the file does not say."""

    channels: int
    space: str


def latent_facts(name: str, stamp: Stamp, known: Mapping[str, LatentSpace]) -> FileFacts:
    """The file's own space, or all spaces of as many channels where it does not say."""
    try:
        held = _held(stamp)
    except FileTrouble as trouble:
        return FileFacts(name=name, kind="unknown", trouble=trouble.sentence)
    if held is None:
        sentence = f"{name} holds no latent of pictures: Save Latent writes such files."
        return FileFacts(name=name, kind="unknown", trouble=sentence)
    alike = tuple(id_ for id_, space in known.items() if space.channels == held.channels)
    spaces = (held.space,) if held.space else alike
    return FileFacts(
        name=name,
        kind="latent",
        spaces={"latent": spaces} if spaces else {},
        content=stamp.content,
        evidence=(
            "the file says so"
            if held.space
            else f"it has {held.channels} channels and does not say more"
        ),
        certainty="certain" if held.space else "unknown",
    )


@lru_cache(maxsize=10_000)
def _held(stamp: Stamp) -> Held | None:
    """What the header tells, or None where it is no latent's. Raises `FileTrouble`."""
    header = read_header(Path(stamp.path))
    tensor = header.tensors.get(TENSOR)
    if tensor is None or len(tensor.shape) != 4:
        return None
    return Held(tensor.shape[1], header.metadata.get(LATENT_FILE_KEY, ""))
