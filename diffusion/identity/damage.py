"""Find what is missing, too much or misshapen in each part of a file that was recognised."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from diffusion.controlnet_names import controlnet_beside, controlnet_names
from diffusion.denoiser_names import original_shapes
from diffusion.families import FAMILIES
from diffusion.families.signature import Shapes, holds
from diffusion.families.vaes import VAES
from diffusion.header import Header
from diffusion.identity.identity import Identity
from diffusion.identity.own_sizes import whole_compact, whole_esrgan, whole_tiny_vae
from diffusion.identity.parts import stripped
from diffusion.identity.whole import Difference, difference, difference_from, whole
from diffusion.vae_names import IGNORED_IN_VAE, tiny_names, vae_layout, vae_names

TEXT_MODEL = "text_model."

DENOISERS = {
    "sd15": "unet_sd15_ldm",
    "sd2": "unet_sd2_ldm",
    "sdxl": "unet_sdxl_ldm",
    "sdxl_refiner": "unet_sdxl_refiner_ldm",
    "sd3_medium": "sd3_medium_mmdit",
    "sd35_medium": "sd35_medium_mmdit",
    "sd35_large": "sd35_large_mmdit",
    "dev": "flux1_dev",
    "schnell": "flux1_schnell",
    "fill": "flux1_fill",
    "canny_depth": "flux1_canny_depth",
    "klein_4b": "flux2_klein_4b",
    "klein_9b": "flux2_klein_9b",
    "flux2": "flux2_dev",
}
"""The published file by the variant, or by the family where its variants are built alike."""

BUILT_OTHERWISE = frozenset(("ssd1b", "segmind_vega", "koala_700m", "koala_1b"))
"""Variants with blocks left out, of which no published header is at hand."""

VAE_KINDS = {
    "kl_f8_4": "vae_kl_f8_z4_ldm",
    "kl_f8_16": "vae_z16_ldm_flux1_or_sd3",
    "kl_f8_32": "vae_flux2_ldm",
}
SPACE_KINDS = {
    "sd1": "kl_f8_4",
    "sdxl": "kl_f8_4",
    "sd3": "kl_f8_16",
    "flux1": "kl_f8_16",
    "flux2": "kl_f8_32",
}
"""The kind of VAE that speaks a space, for a VAE that is too damaged to be recognised alone."""

MARKERS = re.compile(r"v_pred|ztsnr|edm_mean|edm_std|edm_vpred\.sigma_(?:max|min)")
"""Tensors beside a denoiser that say how it was trained; they are no weights."""

WORDS = 49408
"""In the vocabulary of every published CLIP."""

FIRST = re.compile(r"input_blocks\.0\.0\.weight")
POSITIONS = re.compile(r".*position(?:al)?_embedding(?:\.weight)?")
BESIDE_CLIP = re.compile(
    r".*\bposition_ids|(?:.*\.)?logit_scale|attn_mask|(?:.*\.)?vision_model\..*"
    r"|(?:.*\.)?visual(?:_projection)?\..*"
)
BESIDE_PLAIN_CLIP = re.compile(BESIDE_CLIP.pattern + r"|(?:.*\.)?text_projection(?:\.weight)?")
BESIDE_T5 = re.compile(r"encoder\.embed_tokens\.weight|(?!encoder\.|shared\.).*")


class Damage(NamedTuple):
    """What is wrong with one part, as a sentence; `reason` is "missing", "wrong" or "extra"."""

    reason: str
    message: str
    parts: tuple[str, ...]


def damage(header: Header, found: Identity) -> Iterator[Damage]:
    """What is wrong with the tensors of each part of which it is known what a whole one holds."""
    single = len(found.parts) < 2
    shapes = header.shapes
    for part, title, seen in _compared(shapes, found):
        if seen:
            reason = "missing" if seen.missing else "wrong" if seen.wrong else "extra"
            owner = "" if single else f"In its {part}: "
            message = f"{owner}{seen.sentences(title)} Download it again, or get another version."
            yield Damage(reason, message, () if single else (_PARTS[part],))


_PARTS = {"diffusion model": "model", "text encoder": "clip", "VAE": "vae"}

UPSCALERS = {"esrgan": whole_esrgan, "compact": whole_compact}


def _compared(shapes: Shapes, found: Identity) -> Iterator[tuple[str, str, Difference | None]]:
    """Each part's name, the title of what it should be, and what sets it apart."""
    if "model" in found.parts and found.runnable and found.latent_spaces:
        yield "diffusion model", found.title, _model(shapes, found)
    if "vae" in found.parts and found.network == "kl" and found.kind != "tiny_vae":
        yield "VAE", *_vae(stripped(shapes, found.prefixes.get("vae", "")), found)
    if found.kind == "tiny_vae":
        yield "VAE", found.title, _tiny(stripped(shapes, found.prefixes.get("vae", "")))
    if found.kind == "controlnet" and found.runnable and found.family in DENOISERS:
        title = f"ControlNet for {FAMILIES[found.family].title}"
        bare = stripped(shapes, found.prefixes.get("controlnet", ""))
        yield "ControlNet", title, _controlnet(bare, found.family)
    if found.kind == "upscale_model" and found.variant in UPSCALERS:
        wanted = UPSCALERS[found.variant](shapes)
        yield "upscaler", found.title, difference_from(shapes, wanted)
    if found.kind == "text_encoder" and found.variant:
        bare = stripped(shapes, found.prefixes.get(found.variant, ""))
        yield "text encoder", found.title, _encoder(bare, found.variant)
    family = FAMILIES.get(found.family or "")
    options = family.text_prefixes if family is not None and "clip" in found.parts else {}
    for encoder, prefixes in options.items():
        for bare in filter(None, (stripped(shapes, prefix) for prefix in prefixes)):
            yield "text encoder", encoder.upper().replace("_", "-"), _encoder(bare, encoder)


def _model(shapes: Shapes, found: Identity) -> Difference | None:
    name = DENOISERS.get(found.variant or "") or DENOISERS.get(found.family or "")
    family = FAMILIES.get(found.family or "")
    if name is None or family is None or found.variant in BUILT_OTHERWISE:
        return None
    bare = stripped(shapes, found.prefixes.get("model", ""))
    own = original_shapes(family.network.kind, bare)
    return difference(own, name, optional=MARKERS, free=FIRST)


def _controlnet(bare: Shapes, family: str) -> Difference | None:
    own = {name: bare[theirs] for name, theirs in controlnet_names(bare).items()}
    return difference_from(own, _controlnet_of(DENOISERS[family]), free=FIRST)


@lru_cache(maxsize=8)
def _controlnet_of(unet: str) -> Shapes:
    return controlnet_beside(whole(unet))


def _tiny(bare: Shapes) -> Difference | None:
    own = {name: bare[theirs] for name, theirs in tiny_names(bare).items()}
    return difference_from(own, whole_tiny_vae(own))


def _vae(bare: Shapes, found: Identity) -> tuple[str, Difference | None]:
    look = next((item for item in VAES if holds(item.signature, bare)), None)
    kind = look.id if look else SPACE_KINDS.get("".join(found.latent_spaces[:1]), "")
    if kind not in VAE_KINDS:
        return "", None
    own = {name: bare[theirs] for name, theirs in vae_names(bare, vae_layout(bare)).items()}
    title = look.title if look else "VAE"
    return title, difference(own, VAE_KINDS[kind], optional=IGNORED_IN_VAE)


def _encoder(bare: Shapes, encoder: str) -> Difference | None:
    if encoder == "t5xxl":
        return difference(bare, "t5xxl_encoder", optional=BESIDE_T5)
    if encoder not in ("clip_l", "clip_g", "clip_h"):
        return None
    words = (shape for name, shape in bare.items() if name.endswith("token_embedding.weight"))
    if next(words, (WORDS,))[:1] != (WORDS,):  # made for a vocabulary of its own
        return None
    optional = BESIDE_CLIP if encoder == "clip_g" else BESIDE_PLAIN_CLIP
    if any(name.startswith("transformer.resblocks.") for name in bare):
        if encoder == "clip_l":  # of which no published header has these names
            return None
        return difference(bare, f"{encoder}_openclip", optional=optional, free=POSITIONS)
    own = {TEXT_MODEL + name.removeprefix(TEXT_MODEL): shape for name, shape in bare.items()}
    if TEXT_MODEL + "text_projection.weight" in own:
        own["text_projection.weight"] = own.pop(TEXT_MODEL + "text_projection.weight")
    return difference(own, f"{encoder}_hf", optional=optional, free=POSITIONS)
