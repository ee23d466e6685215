"""Names of a VAE's tensors: what every way of saving it calls them, to the original ones.

No torch here, so that a file's tensors can be compared where no network is built.
"""

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

FLUX2_VAE_FROM_DIFFUSERS: Rows = (
    *VAE_FROM_DIFFUSERS,
    (r"^quant_conv\.", "encoder.quant_conv."),
    (r"^post_quant_conv\.", "decoder.post_quant_conv."),
)

IGNORED_IN_VAE = re.compile(r"loss\..*|model_ema\..*")
"""What training leaves beside a VAE."""


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
    renamed = {renamed_by(name, rows): name for name in kept}
    return _upwards(renamed)


def tiny_names(names: Iterable[str]) -> dict[str, str]:
    """The name in `TinyAutoencoder` of every tensor of a file, to its name there.

    Files are of four forms: an encoder or a decoder alone with bare numbers, both in one under
    "taesd_encoder." and "taesd_decoder.", or diffusers' "encoder.layers." and "decoder.layers.".
    """
    kept = list(names)
    half = "encoder." if "0.weight" in kept else "decoder."
    return {_tiny_name(name, half): name for name in kept}


def _tiny_name(name: str, half: str) -> str:
    start, _, rest = name.partition(".")
    if start.isdecimal():
        return half + name
    if start in ("taesd_encoder", "taesd_decoder"):
        return f"{start.removeprefix('taesd_')}.{rest}"
    if start in ("encoder", "decoder") and rest.startswith("layers."):
        number, _, inner = rest.removeprefix("layers.").partition(".")
        # diffusers does not count the decoder's clamp
        return f"{start}.{int(number) + (start == 'decoder')}.{inner}"
    return name


def renamed_by(name: str, rows: Rows) -> str:
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
