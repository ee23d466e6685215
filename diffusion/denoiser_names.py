"""Names that diffusers saves denoisers under, as tables of what becomes what.

A table maps the path of a layer to the original's; "*" is the number of a block. After the path may
stand how the tensor goes there: "2/3" is the second of three that become one, and "swapped" has its
halves in the other order (diffusers scales before it shifts).
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from diffusion.origins import (
    Names,
    Origin,
    Taken,
    joined,
    pieces_of,
    shape_at,
    swapped_halves,
)
from diffusion.shapes import Shapes
from diffusion.unet_names import unet_names

Table = Mapping[str, str]


def denoiser_names(kind: str, names: Collection[str]) -> Names:
    """Where each tensor of a denoiser lies in a file that has these `names`, in either layout.

    `kind`: see `diffusion.families.family.Network`. A name that no table knows stays as it is.
    """
    layout = LAYOUTS[kind]
    return layout.renamed(names) if layout.marker in names else {name: name for name in names}


def original_shapes(kind: str, shapes: Shapes) -> Shapes:
    """A denoiser's shapes by its original names, as far as the file has what they are made of."""
    if kind not in LAYOUTS or LAYOUTS[kind].marker not in shapes:
        return shapes
    found = {}
    for name, source in denoiser_names(kind, shapes).items():
        if all(piece.name in shapes for piece in pieces_of(source)):
            found[name] = shape_at(source, shapes)
    return found


def _within(theirs: str, ours: str, rows: Table) -> dict[str, str]:
    return {theirs + old: ours + new for old, new in rows.items()}


def _embedder(theirs: str, ours: str, layers: tuple[str, str]) -> dict[str, str]:
    return {f"{theirs}.linear_{n}": f"{ours}.{layer}" for n, layer in enumerate(layers, 1)}


def _attention(theirs: str, ours: str, letters: str = "to_{}") -> dict[str, str]:
    """Query, key and value, which the original keeps in one matrix."""
    return {
        f"{theirs}.{letters.format(letter)}": f"{ours}.qkv {n}/3"
        for n, letter in enumerate("qkv", 1)
    }


_IN_OUT = ("in_layer", "out_layer")
_MLP = ("mlp.0", "mlp.2")

_END = {
    "norm_out.linear": "final_layer.adaLN_modulation.1 swapped",
    "proj_out": "final_layer.linear",
}

_JOINT_BLOCK: Table = {
    "norm1.linear": "x_block.adaLN_modulation.1",
    "norm1_context.linear": "context_block.adaLN_modulation.1",
    **_attention("attn", "x_block.attn"),
    **_attention("attn2", "x_block.attn2"),
    **_attention("attn", "context_block.attn", "add_{}_proj"),
    "attn.norm_q": "x_block.attn.ln_q",
    "attn.norm_k": "x_block.attn.ln_k",
    "attn2.norm_q": "x_block.attn2.ln_q",
    "attn2.norm_k": "x_block.attn2.ln_k",
    "attn.norm_added_q": "context_block.attn.ln_q",
    "attn.norm_added_k": "context_block.attn.ln_k",
    "attn.to_out.0": "x_block.attn.proj",
    "attn2.to_out.0": "x_block.attn2.proj",
    "attn.to_add_out": "context_block.attn.proj",
    "ff.net.0.proj": "x_block.mlp.fc1",
    "ff.net.2": "x_block.mlp.fc2",
    "ff_context.net.0.proj": "context_block.mlp.fc1",
    "ff_context.net.2": "context_block.mlp.fc2",
}

MMDIT_FROM_DIFFUSERS: Table = {
    "pos_embed.pos_embed": "pos_embed",
    "pos_embed.proj": "x_embedder.proj",
    **_embedder("time_text_embed.timestep_embedder", "t_embedder", _MLP),
    **_embedder("time_text_embed.text_embedder", "y_embedder", _MLP),
    **_within("transformer_blocks.*.", "joint_blocks.*.", _JOINT_BLOCK),
    **_END,
}
"""diffusers' SD3Transformer2DModel to Stable Diffusion 3's names."""

_FLUX_DOUBLE_BLOCK: Table = {
    **_attention("attn", "img_attn"),
    **_attention("attn", "txt_attn", "add_{}_proj"),
    "attn.norm_q.weight": "img_attn.norm.query_norm.scale",
    "attn.norm_k.weight": "img_attn.norm.key_norm.scale",
    "attn.norm_added_q.weight": "txt_attn.norm.query_norm.scale",
    "attn.norm_added_k.weight": "txt_attn.norm.key_norm.scale",
    "attn.to_out.0": "img_attn.proj",
    "attn.to_add_out": "txt_attn.proj",
}
_FLUX_SINGLE_BLOCK: Table = {
    "attn.norm_q.weight": "norm.query_norm.scale",
    "attn.norm_k.weight": "norm.key_norm.scale",
}
_FLUX_ENTRY: Table = {"x_embedder": "img_in", "context_embedder": "txt_in"}

FLUX1_FROM_DIFFUSERS: Table = {
    **_FLUX_ENTRY,
    **_embedder("time_text_embed.timestep_embedder", "time_in", _IN_OUT),
    **_embedder("time_text_embed.text_embedder", "vector_in", _IN_OUT),
    **_embedder("time_text_embed.guidance_embedder", "guidance_in", _IN_OUT),
    **_within(
        "transformer_blocks.*.",
        "double_blocks.*.",
        {
            **_FLUX_DOUBLE_BLOCK,
            "norm1.linear": "img_mod.lin",
            "norm1_context.linear": "txt_mod.lin",
            "ff.net.0.proj": "img_mlp.0",
            "ff.net.2": "img_mlp.2",
            "ff_context.net.0.proj": "txt_mlp.0",
            "ff_context.net.2": "txt_mlp.2",
        },
    ),
    **_within(
        "single_transformer_blocks.*.",
        "single_blocks.*.",
        {
            **_FLUX_SINGLE_BLOCK,
            "norm.linear": "modulation.lin",
            "attn.to_q": "linear1 1/4",
            "attn.to_k": "linear1 2/4",
            "attn.to_v": "linear1 3/4",
            "proj_mlp": "linear1 4/4",
            "proj_out": "linear2",
        },
    ),
    **_END,
}
"""diffusers' FluxTransformer2DModel to FLUX.1's names."""

FLUX2_FROM_DIFFUSERS: Table = {
    **_FLUX_ENTRY,
    **_embedder("time_guidance_embed.timestep_embedder", "time_in", _IN_OUT),
    **_embedder("time_guidance_embed.guidance_embedder", "guidance_in", _IN_OUT),
    "double_stream_modulation_img.linear": "double_stream_modulation_img.lin",
    "double_stream_modulation_txt.linear": "double_stream_modulation_txt.lin",
    "single_stream_modulation.linear": "single_stream_modulation.lin",
    **_within(
        "transformer_blocks.*.",
        "double_blocks.*.",
        {
            **_FLUX_DOUBLE_BLOCK,
            "ff.linear_in": "img_mlp.0",
            "ff.linear_out": "img_mlp.2",
            "ff_context.linear_in": "txt_mlp.0",
            "ff_context.linear_out": "txt_mlp.2",
        },
    ),
    **_within(
        "single_transformer_blocks.*.",
        "single_blocks.*.",
        {
            **_FLUX_SINGLE_BLOCK,
            "attn.to_qkv_mlp_proj": "linear1",
            "attn.to_out": "linear2",
        },
    ),
    **_END,
}
"""diffusers' Flux2Transformer2DModel to FLUX.2's names."""


def mmdit_names(names: Iterable[str]) -> dict[str, Origin]:
    """Our name of every tensor of an MMDiT that diffusers saved, to what of the file makes it."""
    every = list(names)
    numbers = [int(found[1]) for name in every if (found := _BLOCK.match(name))]
    last = max(numbers, default=0)
    # The last block's text goes nowhere from its attention, and so it is modulated as at the end.
    modulation = f"joint_blocks.{last}.context_block.adaLN_modulation.1 swapped"
    table = {**MMDIT_FROM_DIFFUSERS, f"transformer_blocks.{last}.norm1_context.linear": modulation}
    return renamed(every, table)


_BLOCK = re.compile(r"(?:single_)?transformer_blocks\.(\d+)\.")


def renamed(names: Iterable[str], table: Table) -> dict[str, Origin]:
    """Our name of every tensor, to what of the file makes it."""
    found: dict[str, Origin] = {}
    places: dict[str, list[Taken]] = {}
    for name in names:
        ours, _, how = _ours(name, table).partition(" ")
        if how == "swapped":
            found[ours] = swapped_halves(name)
        elif how:
            place, _, count = how.partition("/")
            # What the file lacks is told by this name.
            gaps = [Taken(f"{ours} (part {n} of {count})") for n in range(1, int(count) + 1)]
            places.setdefault(ours, gaps)[int(place) - 1] = Taken(name)
        else:
            found[ours] = Taken(name)
    return found | {ours: joined(pieces) for ours, pieces in places.items()}


def _ours(name: str, table: Table) -> str:
    """What the table makes of a tensor's name, with how it goes there behind a space."""
    block = _BLOCK.match(name)
    number = block[1] if block else ""
    starred = name.replace(f".{number}.", ".*.", 1) if block else name
    for form in (name, starred):
        if form in table:
            return table[form].replace("*", number)
        path, _, leaf = form.rpartition(".")
        if path in table:
            ours, space, how = table[path].replace("*", number).partition(" ")
            return f"{ours}.{leaf}{space}{how}"
    return name


class Layout(NamedTuple):
    """How to read diffusers' files of one kind of denoiser; they alone have a tensor `marker`."""

    marker: str
    renamed: Callable[[Iterable[str]], Names]


def _by(table: Table) -> Callable[[Iterable[str]], Names]:
    return lambda names: renamed(names, table)


LAYOUTS: dict[str, Layout] = {
    "unet": Layout("conv_in.weight", unet_names),
    "mmdit": Layout("pos_embed.proj.weight", mmdit_names),
    "flux": Layout("x_embedder.weight", _by(FLUX1_FROM_DIFFUSERS)),
    "flux2": Layout("x_embedder.weight", _by(FLUX2_FROM_DIFFUSERS)),
}
"""By the kind of network."""
