"""A small registry of node types and a shelf of files, for tests of the checker.

Nothing here computes pictures: the functions only have signatures. Spaces are as in the product:
"starter" and "starter-b" look alike but differ, "sd1" and "sdxl" too, "flux1" has other channels.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Generic, NamedTuple, TypeVar

from pydantic import Field

from diffusion.mentions import file_names, mentions, short_name, spelled
from graph.definition import Axis, NodeDefinition
from graph.files import EmbeddingFit, FileFacts, Mentioned
from graph.node import Part, Registry, Service, node, nodes_of
from graph.types import AnySocket, LatentSpace, Lazy, Socket, TextSpace, Variadic
from graph.widgets import ImageFile, ModelFile, Multiline, OneOf, Seed
from graph.workflow import PlacedNode, Wire, Workflow

T = TypeVar("T", bound=TextSpace)
S = TypeVar("S", bound=LatentSpace)
S2 = TypeVar("S2", bound=LatentSpace)


class Sd1(LatentSpace, id="sd1"): ...


class Sdxl(LatentSpace, id="sdxl"): ...


class Model(Socket, Generic[T, S]): ...


class Clip(Socket, Generic[T]): ...


class Conditioning(Socket, Generic[T]): ...


class Latent(Socket, Generic[S]): ...


class Vae(Socket, Generic[S]): ...


class Image(Socket): ...


class Mask(Socket): ...


class CheckpointFile(ModelFile, Generic[T, S]):
    folder = "checkpoints"


class VaeFile(ModelFile, Generic[S]):
    folder = "vae"


class Progress(Service): ...


class Checkpoint(NamedTuple, Generic[T, S]):
    model: Annotated[Model[T, S], Part("model")]
    clip: Annotated[Clip[T], Part("clip")]
    vae: Annotated[Vae[S], Part("vae")]


@node(title="Load Checkpoint", category="loaders")
def load_checkpoint(file: CheckpointFile[T, S]) -> Checkpoint[T, S]: ...


@node(title="Load VAE", category="loaders")
def load_vae(file: VaeFile[S]) -> Vae[S]: ...


@node(title="CLIP Text Encode", category="text")
def encode_text(clip: Clip[T], text: Multiline = "") -> Conditioning[T]: ...


@node(title="Empty Latent", category="latents")
def empty_latent(
    space: type[S],
    width: Annotated[int, Field(ge=16, le=8192, multiple_of=8)] = 512,
    batch: Annotated[int, Field(ge=1, le=64)] = 1,
) -> Latent[S]: ...


@node(title="KSampler", category="sampling")
def k_sampler(
    model: Model[T, S],
    positive: Conditioning[T],
    negative: Conditioning[T],
    latent: Latent[S],
    seed: Seed = 0,
    steps: Annotated[int, Field(ge=1, le=1000)] = 20,
    cfg: Annotated[float, Field(ge=0, le=100)] = 7.0,
    sampler: Annotated[str, OneOf(["euler", "heun"])] = "euler",
    *,
    progress: Progress,
) -> Latent[S]:
    """Denoise `latent` towards `positive` and away from `negative`."""


@node(title="VAE Decode", category="latents")
def vae_decode(latent: Latent[S], vae: Annotated[Vae[S], Part("decoder")]) -> Image: ...


@node(title="VAE Encode", category="latents")
def vae_encode(image: Image, vae: Annotated[Vae[S], Part("encoder")]) -> Latent[S]: ...


@node(title="Upscale Latent", category="latents")
def upscale_latent(
    latent: Latent[S], scale: Annotated[float, Field(ge=1, le=8)] = 2.0
) -> Latent[S]: ...


@node(title="Blend Latents", category="latents")
def blend_latents(first: Latent[S], second: Latent[S]) -> Latent[S]: ...


@node(title="Translate Latent", category="latents")
def translate_latent(latent: Latent[S], space: type[S2]) -> Latent[S2]: ...


@node(title="Sharpen SDXL", category="latents")
def sharpen_sdxl(latent: Latent[Sdxl]) -> Latent[Sdxl]: ...


@node(title="Add Noise", category="latents")
def add_noise(latent: Latent[Sd1 | Sdxl]) -> Latent[Sd1 | Sdxl]: ...


@node(title="Load Image", category="images")
def load_image(file: ImageFile) -> Image: ...


@node(title="Invert", category="images")
def invert(image: Image, mask: Mask | None = None) -> Image: ...


@node(title="Batch Images", category="images")
def batch_images(images: Variadic[Image]) -> Image: ...


@node(title="Split Images", category="images")
def split_images(image: Image) -> list[Image]: ...


@node(title="Join Images", category="images")
def join_images(images: list[Image]) -> Image: ...


@node(title="Pick", category="images")
async def pick(first: bool, a: Lazy[Image], b: Lazy[Image]) -> Image: ...


@node(title="Save Image", category="images", output=True)
def save_image(image: Image, name: str = "picture") -> None: ...


@node(title="Show", category="debug", output=True)
def show(value: AnySocket) -> None: ...


@node(title="Whole Number", category="numbers")
def whole_number(value: int = 0) -> int: ...


@node(title="Number", category="numbers")
def number(value: float = 0.0) -> float: ...


@node(title="Load Tiny VAE", category="loaders")
def load_tiny_vae(
    encoder: Annotated[VaeFile[S], Part("encoder")], decoder: Annotated[VaeFile[S], Part("decoder")]
) -> Vae[S]: ...


def registry() -> Registry:
    return nodes_of([sys.modules[__name__]])


DEFINITIONS: dict[str, NodeDefinition] = dict(registry().definitions)

SAID = "declared in the file's metadata"


def checkpoint(name: str, text: str, latent: str, parts: str = "model clip vae") -> FileFacts:
    return FileFacts(
        name=name,
        kind="checkpoint",
        spaces={"text": (text,), "latent": (latent,)},
        parts=tuple(parts.split()),
        content=f"content of {name}",
        evidence=SAID,
    )


def vae(name: str, *latent: str, **more: str) -> FileFacts:
    facts = {"kind": "vae", "parts": ("vae",), "content": f"content of {name}", "evidence": SAID}
    spaces = {"latent": latent} if latent else {}
    return FileFacts.model_validate({"name": name, "spaces": spaces, **facts, **more})


def embedding(name: str, *text: str) -> FileFacts:
    return FileFacts(
        name=name,
        kind="embedding",
        spaces={"text": text} if text else {},
        content=f"content of {name}",
        evidence="the width of its vectors",
    )


class Shelf:
    """The files of a test, by folder and name."""

    titles = {  # noqa: RUF012
        "starter": "Starter",
        "starter-b": "Starter B",
        "sd1": "SD 1.x",
        "sdxl": "SDXL",
        "flux1": "FLUX.1",
    }

    def __init__(self, **folders: Sequence[FileFacts]) -> None:
        self.folders = {
            folder: {facts.name: facts for facts in files} for folder, files in folders.items()
        }

    def facts(self, folder: str, name: str) -> FileFacts | None:
        return self.folders.get(folder, {}).get(name)

    def names(self, folder: str) -> Sequence[str]:
        return sorted(self.folders.get(folder, {}))

    def fits(self, axis: Axis, space: str, other: str) -> bool:
        return axis == "latent" and (space == "flux1") == (other == "flux1")

    def space_title(self, axis: Axis, space: str) -> str:
        return self.titles.get(space, space)

    def mentioned(self, text: str) -> Sequence[Mentioned]:
        there = self.names("embeddings")
        return [
            Mentioned(*one, next((name for name in file_names(one.name) if name in there), None))
            for one in mentions(text)
        ]

    def embeddings(self) -> Mapping[str, str]:
        return {name: spelled(short_name(name)) for name in self.names("embeddings")}

    def embedding_fit(self, file: str, space: str, prompt: str) -> EmbeddingFit:
        found = self.folders["embeddings"][file]
        widths = {"sd1": (768,), "sdxl": (768, 1280)}
        made = found.spaces.get("text", ())
        has = tuple(width for one in made for width in widths.get(one, ()))
        return EmbeddingFit(space in made, has, widths.get(space, ()))


SHELF = Shelf(
    checkpoints=[
        checkpoint("starter.safetensors", "starter", "starter"),
        checkpoint("sd15.safetensors", "sd1", "sd1"),
        checkpoint("sd21.safetensors", "sd2", "sd1"),
        checkpoint("sdxl.safetensors", "sdxl", "sdxl"),
        checkpoint("flux.safetensors", "flux1", "flux1"),
        checkpoint("no-vae.safetensors", "sd1", "sd1", "model clip"),
        FileFacts(name="mystery.safetensors", kind="checkpoint", parts=("model", "clip", "vae")),
        FileFacts(name="broken.safetensors", kind="unknown", trouble="The file is cut short."),
    ],
    vae=[
        vae("starter-b.safetensors", "starter-b"),
        vae("starter.safetensors", "starter"),
        vae("sd1.safetensors", "sd1"),
        vae("sdxl.safetensors", "sdxl"),
        vae("flux.safetensors", "flux1"),
        vae("sd1-or-sdxl.safetensors", "sd1", "sdxl", evidence="the shapes of its weights"),
        vae("unknown.safetensors"),
    ],
    input=[FileFacts(name="photo.png", kind="image", content="content of photo.png")],
    embeddings=[
        embedding("inky.safetensors", "sd1"),
        embedding("inky-xl.safetensors", "sdxl"),
        embedding("styles/oily.safetensors", "sd1"),
        embedding("odd.safetensors"),
        FileFacts(name="old.pt", kind="unknown", trouble="old.pt is a pickle file."),
    ],
)


def placed(type_: str, values: dict | None = None, mode: str = "run", **wires: str) -> PlacedNode:
    """A node whose wires are written "node.output"; `images_0` stands for the input "images.0"."""
    inputs = {}
    for name, source in wires.items():
        base, _, number = name.rpartition("_")
        node_id, _, output = source.rpartition(".")
        inputs[f"{base}.{number}" if number.isdigit() else name] = Wire(node=node_id, output=output)
    return PlacedNode.model_validate(
        {"type": type_, "mode": mode, "values": values or {}, "inputs": inputs}
    )


def workflow(**nodes: PlacedNode) -> Workflow:
    return Workflow(nodes=nodes)


def text_to_image(
    file: str = "starter.safetensors", vae_file: str | None = None, **more: PlacedNode
) -> Workflow:
    """The everyday workflow, with the VAE of the checkpoint or of a file of its own."""
    loader = {"vae_loader": placed("load_vae", {"file": vae_file})} if vae_file else {}
    nodes = {
        "checkpoint": placed("load_checkpoint", {"file": file}),
        "positive": placed("encode_text", {"text": "a red circle"}, clip="checkpoint.clip"),
        "negative": placed("encode_text", clip="checkpoint.clip"),
        "empty": placed("empty_latent"),
        "sampler": placed(
            "k_sampler",
            model="checkpoint.model",
            positive="positive.conditioning",
            negative="negative.conditioning",
            latent="empty.latent",
        ),
        **loader,
        "decode": placed(
            "vae_decode",
            latent="sampler.latent",
            vae="vae_loader.vae" if vae_file else "checkpoint.vae",
        ),
        "save": placed("save_image", image="decode.image"),
    }
    return Workflow(nodes={**nodes, **more})
