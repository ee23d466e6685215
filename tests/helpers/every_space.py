"""A shelf with a checkpoint of every family and a VAE file of every latent space.

The files are a few bytes long and declare their spaces, so that the whole way from a header to the
checker's answer is gone for spaces that no family of the program speaks yet.
"""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from diffusion.spaces import LATENT_SPACES, LatentSpace
from graph.definition import NodeDefinition
from graph.files import FileFacts
from graph.workflow import PlacedNode, Wire, Workflow
from server.catalogue import Catalogue
from server.worker_packs import core_modules, core_nodes
from tests.diffusion.files import Shapes, write_zeros


class Speaks(NamedTuple):
    """The spaces of a family of models."""

    text: str
    latent: str


FAMILIES = {
    "sd15": Speaks("sd1", "sd1"),
    "sd2": Speaks("sd2", "sd1"),
    "pixart_alpha": Speaks("pixart", "sd1"),
    "sdxl": Speaks("sdxl", "sdxl"),
    "sdxl_refiner": Speaks("sdxl_refiner", "sdxl"),
    "pixart_sigma": Speaks("pixart", "sdxl"),
    "kolors": Speaks("kolors", "sdxl"),
    "aura": Speaks("aura", "sdxl"),
    "hunyuan_dit": Speaks("hunyuan_dit", "sdxl"),
    "sd_x4_upscaler": Speaks("sd2", "sd_x4_upscaler"),
    "sd3": Speaks("sd3", "sd3"),
    "flux1": Speaks("flux1", "flux1"),
    "chroma": Speaks("chroma", "flux1"),
    "z_image": Speaks("z_image", "flux1"),
    "hidream_i1": Speaks("hidream_i1", "flux1"),
    "omnigen2": Speaks("omnigen2", "flux1"),
    "lumina2": Speaks("lumina2", "flux1"),
    "flux2_dev": Speaks("flux2_dev", "flux2"),
    "flux2_klein_4b": Speaks("flux2_klein_4b", "flux2"),
    "flux2_klein_9b": Speaks("flux2_klein_9b", "flux2"),
    "wan2.1": Speaks("wan21", "wan21"),
    "qwen_image": Speaks("qwen_image", "wan21"),
    "wan2.2_ti2v_5b": Speaks("wan21", "wan22"),
    "hunyuan_video": Speaks("hunyuan_video", "hunyuan_video"),
    "hunyuan_image_2.1": Speaks("hunyuan_image", "hunyuan_image21"),
    "cascade_c": Speaks("cascade", "cascade_c"),
    "cascade_b": Speaks("cascade", "cascade_b"),
    "sana": Speaks("sana", "sana_dcae"),
    "chroma_radiance": Speaks("chroma", "pixel"),
}
"""The families that are known by name, and what they speak."""


def definitions() -> dict[str, NodeDefinition]:
    """The program's own node types."""
    return _definitions()


def shelf_at(folder: Path) -> Catalogue:
    """The catalogue: checkpoints and loras by family, and VAEs by space, as <name>.safetensors."""
    models = folder / "models"
    for family, speaks in FAMILIES.items():
        space = LATENT_SPACES[speaks.latent]
        write_zeros(
            models / "checkpoints" / f"{family}.safetensors",
            _checkpoint(space.channels),
            latent_loom__latent_space=_declared(space),
            latent_loom__text_space=json.dumps({"id": speaks.text}),
        )
        write_zeros(
            models / "loras" / f"{family}.safetensors",
            {"layer.lora_up.weight": (2, 1), "layer.lora_down.weight": (1, 2)},
            latent_loom__latent_space=_declared(space),
            latent_loom__text_space=json.dumps({"id": speaks.text}),
        )
    for space in LATENT_SPACES.values():
        write_zeros(
            models / "vae" / f"{space.id}.safetensors",
            _vae(space.channels),
            latent_loom__latent_space=_declared(space),
        )
    (folder / "input").mkdir()
    return _Shelf((models,), folder / "input", folder / "models.json")


class _Shelf(Catalogue):
    """Tells what the files speak, and not that nothing so small could be run."""

    def facts(self, folder: str, name: str) -> FileFacts | None:
        found = super().facts(folder, name)
        return found and found.model_copy(update={"flaws": ()})


def node(type_: str, values: dict[str, object] | None = None, **wires: str) -> PlacedNode:
    """A node whose wires are written "node.output"."""
    inputs = {}
    for name, source in wires.items():
        giver, _, output = source.rpartition(".")
        inputs[name] = Wire(node=giver, output=output)
    return PlacedNode(type=type_, values=values or {}, inputs=inputs)


def text_to_image(
    family: str, *, clip: str = "", vae: str = "", vae_file: str = "", **more: PlacedNode
) -> Workflow:
    """A picture by the family; its prompts by another's text encoders, its VAE by another's.

    `clip` and `vae` are families, `vae_file` is a latent space whose VAE lies in a file.
    """
    nodes = {"one": _load(family)}
    for other in {clip, vae} - {"", family}:
        nodes[f"{other} file"] = _load(other)
    if vae_file:
        nodes["vae file"] = node("load_vae", {"file": f"{vae_file}.safetensors"})
    encoders = f"{clip} file.clip" if clip not in ("", family) else "one.clip"
    decoder = "vae file.vae" if vae_file else "one.vae"
    decoder = f"{vae} file.vae" if vae not in ("", family) else decoder
    nodes |= {
        "words": node("clip_text_encode", clip=encoders),
        "empty": node("empty_latent"),
        "sampler": node(
            "k_sampler",
            model="one.model",
            positive="words.conditioning",
            negative="words.conditioning",
            latent="empty.latent",
        ),
        "decode": node("vae_decode", latent="sampler.latent", vae=decoder),
        "save": node("save_image", image="decode.image"),
    }
    return Workflow(nodes={**nodes, **more})


def _load(family: str) -> PlacedNode:
    return node("load_checkpoint", {"file": f"{family}.safetensors"})


def _checkpoint(channels: int) -> Shapes:
    model = {f"model.diffusion_model.block.{k}.weight": (1,) for k in range(6)}
    text = {f"cond_stage_model.block.{k}.weight": (1,) for k in range(6)}
    vae = {f"first_stage_model.{name}": shape for name, shape in _vae(channels).items()}
    return {**model, **text, **vae}


def _vae(channels: int) -> Shapes:
    norms = {f"decoder.mid.block_{k}.norm1.weight": (1,) for k in range(1, 7)}
    entries = {
        "encoder.conv_in.weight": (8, 3, 3, 3),
        "decoder.conv_in.weight": (8, channels, 3, 3),
    }
    return {**entries, **norms}


def _declared(space: LatentSpace) -> str:
    names = ("id", "channels", "downscale", "scale", "shift")
    return json.dumps({name: getattr(space, name) for name in names})


@cache
def _definitions() -> dict[str, NodeDefinition]:
    return dict(core_nodes(core_modules()).definitions)
