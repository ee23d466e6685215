"""Names that other programs save the same tensors under, as tables of what becomes what."""

import re
from collections.abc import Collection, Iterable, Mapping

from diffusion.checkpoint import Taken

Rows = tuple[tuple[str, str], ...]

VAE_FROM_DIFFUSERS: Rows = (
    (r"\.down_blocks\.(\d+)\.resnets\.", r".down.\1.block."),
    (r"\.down_blocks\.(\d+)\.downsamplers\.0\.", r".down.\1.downsample."),
    (r"\.up_blocks\.(\d+)\.resnets\.", r".up.\1.block."),
    (r"\.up_blocks\.(\d+)\.upsamplers\.0\.", r".up.\1.upsample."),
    (r"\.mid_block\.resnets\.0\.", ".mid.block_1."),
    (r"\.mid_block\.resnets\.1\.", ".mid.block_2."),
    (r"\.mid_block\.attentions\.0\.", ".mid.attn_1."),
    (r"\.conv_shortcut\.", ".nin_shortcut."),
    (r"\.conv_norm_out\.", ".norm_out."),
    (r"\.group_norm\.", ".norm."),
    (r"\.(?:to_q|query)\.", ".q."),
    (r"\.(?:to_k|key)\.", ".k."),
    (r"\.(?:to_v|value)\.", ".v."),
    (r"\.(?:to_out\.0|proj_attn)\.", ".proj_out."),
)
"""diffusers' AutoencoderKL, with old and new names of its attention, to the original's names."""

FLUX2_VAE_FROM_DIFFUSERS: Rows = (
    *VAE_FROM_DIFFUSERS,
    (r"^quant_conv\.", "encoder.quant_conv."),
    (r"^post_quant_conv\.", "decoder.post_quant_conv."),
)

TEXT_MODEL = "text_model."
OPEN_CLIP_LAYERS = "transformer.resblocks."

CLIP_FROM_OPEN_CLIP: Rows = (
    (r"^positional_embedding$", "embeddings.position_embedding.weight"),
    (r"^token_embedding\.", "embeddings.token_embedding."),
    (r"^ln_final\.", "final_layer_norm."),
    (r"^transformer\.resblocks\.", "encoder.layers."),
    (r"\.attn\.in_proj_", ".self_attn.{}_proj."),
    (r"\.attn\.out_proj\.", ".self_attn.out_proj."),
    (r"\.ln_1\.", ".layer_norm1."),
    (r"\.ln_2\.", ".layer_norm2."),
    (r"\.mlp\.c_fc\.", ".mlp.fc1."),
    (r"\.mlp\.c_proj\.", ".mlp.fc2."),
)
"""OpenCLIP's text transformer to the names of transformers, "{}" for each of q, k and v."""

IGNORED_IN_VAE = re.compile(r"loss\..*|model_ema\..*")
"""What training leaves beside a VAE."""

IGNORED_IN_CLIP = re.compile(
    r".*\bposition_ids|(?:.*\.)?logit_scale|(?:.*\.)?text_projection(?:\.weight)?|attn_mask"
)
"""What text models carry beside the transformer that conditions a UNet."""


def vae_layout(names: Collection[str]) -> str:
    """The naming scheme of a VAE."""
    return "diffusers" if "decoder.mid_block.resnets.0.norm1.weight" in names else "original"


def vae_names(names: Iterable[str], layout: str) -> dict[str, str]:
    """The original name of every tensor of a VAE that is saved in `layout`, to its name there."""
    kept = [name for name in names if not IGNORED_IN_VAE.fullmatch(name)]
    if layout == "original":
        return {name: name for name in kept}
    # FLUX.2's file has these two inside encoder and decoder, and diffusers takes them out.
    rows = FLUX2_VAE_FROM_DIFFUSERS if "bn.running_mean" in kept else VAE_FROM_DIFFUSERS
    renamed = {_renamed(name, rows): name for name in kept}
    return _upwards(renamed)


def clip_names(names: Iterable[str], *, projected: bool = False) -> dict[str, str | Taken]:
    """Our name of every tensor of a CLIP text model, to where it comes from in the file.

    Takes the names of transformers, also without the first "text_model." that old merges lack, and
    those of OpenCLIP. `projected`: with the projection of the pooled vector.
    """
    every = list(names)
    kept = [name for name in every if not IGNORED_IN_CLIP.fullmatch(name)]
    if any(name.startswith(OPEN_CLIP_LAYERS) for name in kept):
        found = _open_clip_names(kept)
        projection = Taken("text_projection", transposed=True)  # there x @ W, here W @ x
    else:
        found = {TEXT_MODEL + name.removeprefix(TEXT_MODEL): name for name in kept}
        projection = Taken(_projection_of(every))
    return {**found, "text_projection.weight": projection} if projected else found


def _projection_of(names: Iterable[str]) -> str:
    plain = "text_projection.weight"
    return next((name for name in names if name.endswith(plain)), plain)


def _open_clip_names(names: Iterable[str]) -> dict[str, str | Taken]:
    found: dict[str, str | Taken] = {}
    for name in names:
        ours = TEXT_MODEL + _renamed(name, CLIP_FROM_OPEN_CLIP)
        if ".attn.in_proj_" in name:  # query, key and value in one
            for part, letter in enumerate("qkv"):
                found[ours.format(letter)] = Taken(name, part, 3)
        else:
            found[ours] = name
    return found


def _renamed(name: str, rows: Rows) -> str:
    for pattern, replacement in rows:
        name = re.sub(pattern, replacement, name)
    return name


def _upwards(names: Mapping[str, str]) -> dict[str, str]:
    """The decoder's levels numbered from full resolution, where diffusers begins at the lowest."""
    levels = [int(found[1]) for name in names if (found := re.match(r"decoder\.up\.(\d+)\.", name))]
    last = max(levels, default=0)

    def turned(match: re.Match[str]) -> str:
        return f"decoder.up.{last - int(match[1])}."

    return {re.sub(r"^decoder\.up\.(\d+)\.", turned, name): file for name, file in names.items()}
