"""Names that other programs save the same tensors under, as tables of what becomes what."""

import re
from collections.abc import Collection, Iterable, Mapping

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

IGNORED_IN_VAE = re.compile(r"loss\..*|model_ema\..*")
"""What training leaves beside a VAE."""

IGNORED_IN_CLIP = re.compile(
    r".*\bposition_ids|(?:.*\.)?logit_scale|(?:.*\.)?text_projection(?:\.weight)?"
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
    renamed = {_renamed(name, VAE_FROM_DIFFUSERS): name for name in kept}
    return _upwards(renamed)


def clip_names(names: Iterable[str]) -> dict[str, str]:
    """The name under "text_model." of every tensor of a CLIP text model, to its name in the file.

    Old merges lack that first part.
    """
    kept = [name for name in names if not IGNORED_IN_CLIP.fullmatch(name)]
    first = "text_model."
    return {first + name.removeprefix(first): name for name in kept}


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
