"""Write pictures and latents as files, with what made them inside."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy
import torch
from safetensors.torch import save

from diffusion.spaces import LATENT_FILE_KEY
from graph import picture_text
from graph.definition import Json
from graph.events import PictureFacts, Produced
from nodes.new_files import write_new
from nodes.picture_formats import FORMATS, Encode, write_png
from nodes.provenance import UsedFile, picture_facts, plain_parameters, seed_of
from nodes.services import Outputs
from nodes.sockets import BadValue, Image, Latent

LATENT, FIRST_FORM, MASK = "latent_tensor", "latent_format_version_0", "mask"
"""The tensors of a latent's file. The first two are ComfyUI's, which can load the file too; the
second is empty and says that the first is raw."""


@dataclass(frozen=True)
class Origin:
    """What a node's pictures come from.

    `workflow` is the saved form. `nodes` are the nodes that the picture was computed from, nearest
    first: id → `{"type", "title", "values", "inputs": {socket: node}}`, values complete.
    `files` are the model files among their values, and `about` gives what else is told of how it
    was made.
    """

    node: str
    title: str = ""
    workflow: Mapping[str, Json] | None = None
    nodes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: tuple[UsedFile, ...] = ()
    about: Callable[[], Mapping[str, Json]] = dict

    def facts(self, width: int, height: int) -> PictureFacts:
        """What the gallery finds a picture of this size (in pixels) by."""
        return picture_facts(self.nodes, self.files, self.workflow, (width, height))


class FolderOutputs(Outputs):
    """Writes into `output` and `temp`, and tells `emit` of each file.

    `temp_folder` is where in `temp` this run's pictures go. Without `metadata`, no file says what
    made it.
    """

    def __init__(
        self,
        origin: Origin,
        output: Path,
        temp: Path,
        temp_folder: str,
        emit: Callable[[Produced], None],
        metadata: bool = True,
    ) -> None:
        self._origin = origin
        self._output = output
        self._temp = temp
        self._temp_folder = temp_folder
        self._emit = emit
        self._metadata = metadata

    def save(
        self,
        image: Image,
        file_name: str,
        format: str = "png",
        quality: int = 90,
        metadata: bool = True,
    ) -> None:
        now = time.localtime()
        suffix, encode = FORMATS[format]
        for index, picture in enumerate(to_bytes(image)):
            height, width = picture.shape[:2]
            values = self._variables(now, "picture", (width, height), index)
            texts = self._texts(index, width, height) if metadata else {}
            path = write_new(
                self._output,
                file_name,
                values,
                suffix,
                partial(_encode, encode, picture, quality, texts),
            )
            facts = self._origin.facts(width, height)
            self._tell(path.relative_to(self._output), "output", picture=facts)

    def save_latent(self, latent: Latent[Any], file_name: str) -> None:
        height, width = latent.samples.shape[2:]
        values = self._variables(time.localtime(), "latent", (width, height), 0)
        tensors = {LATENT: latent.samples.contiguous(), FIRST_FORM: torch.zeros(0)}
        if latent.mask is not None:
            tensors[MASK] = latent.mask.values.contiguous()
        texts = self._texts(0, width, height)
        content = save(tensors, {**texts, LATENT_FILE_KEY: latent.space})
        path = write_new(
            self._output, file_name, values, ".latent", lambda file: file.write(content)
        )
        self._tell(path.relative_to(self._output), "output", "latent")

    def preview(self, image: Image) -> None:
        for picture in to_bytes(image):
            path = write_new(
                self._temp,
                f"{self._temp_folder}/preview_%counter%",
                {},
                ".png",
                partial(_encode, write_png, picture, 100, {}),
            )
            self._tell(path.relative_to(self._temp), "temp")

    def tell(self, text: str) -> None:
        self._emit(Produced(node=self._origin.node, kind="text", data=text))

    def behind(self) -> Mapping[str, Mapping[str, Any]]:
        return self._origin.nodes

    def workflow(self) -> Mapping[str, Any] | None:
        return self._origin.workflow

    def _variables(
        self, now: time.struct_time, title: str, size: tuple[int, int], index: int
    ) -> dict[str, object]:
        """What a file's name may hold; `size` is width and height."""
        return {
            "date": time.strftime("%Y-%m-%d", now),
            "time": time.strftime("%H-%M-%S", now),
            "title": self._origin.title or title,
            "seed": seed_of(self._origin.nodes, default="0"),
            "width": size[0],
            "height": size[1],
            "batch": index,
        }

    def _tell(
        self, path: Path, area: Any, kind: str = "image", picture: PictureFacts | None = None
    ) -> None:
        node, file = self._origin.node, path.as_posix()
        self._emit(Produced(node=node, kind=kind, file=file, area=area, picture=picture))

    def _texts(self, index: int, width: int, height: int) -> dict[str, str]:
        origin = self._origin
        texts: dict[str, str] = {}
        if not self._metadata:
            return texts
        if origin.workflow is not None:
            texts[picture_text.WORKFLOW] = _json(origin.workflow)
        about = {
            "node": origin.node,
            "index": index,
            "nodes": origin.nodes,
            "picture": origin.facts(width, height).model_dump(mode="json"),
            **origin.about(),
        }
        texts[picture_text.PARAMETERS] = _json(about)
        if plain := plain_parameters(origin.nodes, width, height):
            texts[picture_text.PLAIN] = plain
        return texts


def to_bytes(image: Image) -> numpy.ndarray:
    """uint8 (batch, height, width, 3): 0…1 becomes 0…255, cut to whole numbers.

    Cut, not rounded, so that files equal those of other programs of the field bit by bit.
    Raises `BadValue` where there is no number.
    """
    pixels = image.pixels.numpy()
    if not numpy.isfinite(pixels).all():
        raise BadValue(
            "The picture holds numbers that are not finite (NaN), so it cannot be shown: a node "
            "before this one went wrong."
        )
    return (pixels.clip(0, 1) * 255).astype(numpy.uint8)


def _encode(
    encode: Encode,
    picture: numpy.ndarray,
    quality: int,
    texts: Mapping[str, str],
    file: BinaryIO,
) -> None:
    encode(file, picture, quality, texts)


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict)
