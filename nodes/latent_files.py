"""Nodes that keep latents in files and take them up again."""

from dataclasses import dataclass
from os import PathLike
from typing import Annotated, Generic

from pydantic import Field
from safetensors import SafetensorError, safe_open
from torch import Tensor

from diffusion.spaces import LATENT_FILE_KEY
from graph.node import node
from graph.widgets import ModelFile
from nodes.outputs import FIRST_FORM, LATENT, MASK
from nodes.services import Outputs, Side, Spaces
from nodes.sockets import Latent, Mask, S, id_of

OLD_SCALE = 0.18215
"""ComfyUI's first files held SD 1.x latents times this; later ones say that they do not."""


@dataclass(frozen=True)
class LatentFile(ModelFile, Generic[S]):
    """A latent in a file, of its own or of ComfyUI's form."""

    folder = "latents"


class BadLatent(ValueError):
    """A file that holds no latent that can be used; the message says why."""


@node(title="Save Latent", category="latent", output=True, cache=False)
def save_latent(
    latent: Latent[S],
    file_name: Annotated[
        str,
        Field(
            max_length=500,
            description="Folders and name, without ending; variables as in Save Image. "
            "Load Latent looks below latents/.",
        ),
    ] = "latents/%title%_%seed%_%counter%",
    *,
    outputs: Outputs,
) -> None:
    """Write latents, their space and the workflow into a file that Load Latent takes up again."""
    outputs.save_latent(latent, file_name)


@node(title="Load Latent", category="latent")
def load_latent(file: LatentFile[S], space: type[S], *, spaces: Spaces) -> Latent[S]:
    """Latents from a file of Save Latent, or a .latent file of ComfyUI's."""
    held: Latent[S] = _read(file.path, file.name)
    wanted = id_of(space)
    spaces.agree("latent", Side(f"latent in {file.name}", held.space), Side("model", wanted))
    if not held.space and wanted:
        channels = spaces.latent(wanted).channels
        if held.samples.shape[1] != channels:
            raise BadLatent(
                f"{file.name} holds a latent of {held.samples.shape[1]} channels, and what it is "
                f"wired to takes {channels}: use the model that it was made with."
            )
    return Latent(held.samples, held.space or wanted, held.mask)


def _read(path: PathLike[str], name: str) -> Latent[S]:
    """What the file holds; its space is "" where it does not say."""
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors: dict[str, Tensor] = {
                key: opened.get_tensor(key)
                for key in (LATENT, FIRST_FORM, MASK)
                if key in opened.keys()  # noqa: SIM118  # it is no mapping
            }
    except (SafetensorError, OSError) as error:
        raise BadLatent(f"{name} cannot be read as a latent ({error}).") from error
    samples = tensors.get(LATENT)
    if samples is None or samples.ndim != 4:
        raise BadLatent(f"{name} holds no latent of pictures: Save Latent writes such files.")
    samples = samples.float()
    if FIRST_FORM not in tensors:
        samples = samples / OLD_SCALE
    mask = tensors.get(MASK)
    return Latent(
        samples, metadata.get(LATENT_FILE_KEY, ""), None if mask is None else Mask(mask.float())
    )
