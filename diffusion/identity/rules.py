"""Decide what a model file is from its header alone: kind, family, spaces, parts, and why.

No rule guesses from a file's name, and the order of the rules decides nothing. A space that the
file declares in its metadata wins over what its shapes suggest.
"""

import re
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from diffusion.families import FAMILIES
from diffusion.families.adapters import ADAPTERS, family_of_lora, is_lora
from diffusion.families.encoders import ENCODERS
from diffusion.families.family import Family, Kind, Look, Noise, Prediction, Variant
from diffusion.families.signature import Shapes, holds, sentences
from diffusion.families.vaes import VAES
from diffusion.header import FileTrouble, Header
from diffusion.spaces import (
    LATENT_SPACES,
    LatentSpace,
    SpaceTrouble,
    TextSpace,
    declared_latent_space,
    declared_text_space,
)

Certainty = Literal["certain", "likely", "assumed", "unknown"]

LOOKS: tuple[Look, ...] = (*VAES, *ENCODERS, *ADAPTERS)

MODEL_PREFIXES = ("model.diffusion_model.", "model.model.", "net.")
VAE_PREFIXES = ("first_stage_model.", "vae.")
CLIP_PREFIXES = ("cond_stage_model.", "conditioner.", "text_encoders.")
FEW = 5
"""This many tensors under a prefix, or fewer, are an accident and no part."""

DECLARED = "declared in the file's metadata"


@dataclass(frozen=True)
class Identity:
    """What a file is. Several candidates in a space mean that the header cannot tell them apart.

    `parts` of a checkpoint are of "model", "clip", "vae"; of a text encoder its encoder's id.
    `conditioning` are the rows that make the denoiser's inputs, `network` is the kind of its VAE,
    `model_space` a scale of its own: all are explained at `Family` and `Variant`.
    `prefixes` maps a part to what its tensor names begin with in this file, `layout` is the naming
    scheme of the model or of the single part. `certainty` is that of the spaces.
    """

    kind: Kind
    family: str | None = None
    variant: str | None = None
    title: str = ""
    latent_spaces: tuple[str, ...] = ()
    text_spaces: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    certainty: Certainty = "unknown"
    layout: str = "original"
    prefixes: Mapping[str, str] = field(default_factory=dict)
    prediction: Prediction | None = None
    noise: Noise | None = None
    conditioning: tuple[str, ...] = ()
    model_space: LatentSpace | None = None
    network: str = "kl"
    runnable: bool = False
    latent_space_declared: LatentSpace | None = None
    text_space_declared: TextSpace | None = None


def identify(header: Header) -> Identity:
    """What the file is. Raises `FileTrouble` where what it declares of itself makes no sense."""
    shapes = header.shapes
    prefixes = prefixes_of(shapes)
    if "model" in prefixes or len(prefixes) > 1:
        found = _checkpoint(shapes, prefixes, header.metadata)
    else:
        prefix = next(iter(prefixes.values()), "")
        found = _single(stripped(shapes, prefix), prefix, header.metadata)
    try:
        return _with_declared(found, header.metadata, shapes)
    except SpaceTrouble as error:
        sentence = f"{header.path.name}: {error}"
        raise FileTrouble(header.path, sentence) from None


def prefixes_of(shapes: Shapes) -> dict[str, str]:
    """The prefix of each part ("model", "clip", "vae") that the file holds under one."""
    found: dict[str, str] = {}
    options = {"model": MODEL_PREFIXES, "clip": CLIP_PREFIXES, "vae": VAE_PREFIXES}
    every = tuple(prefix for group in options.values() for prefix in group)
    counts = dict.fromkeys(every, 0)
    for name in shapes:
        if name.startswith(every):
            for prefix in every:
                counts[prefix] += name.startswith(prefix)
    for part, group in options.items():
        best = max(group, key=lambda prefix: counts[prefix])
        if counts[best] > FEW:
            found[part] = best
    return found


def stripped(shapes: Shapes, prefix: str) -> Shapes:
    """The tensors under a prefix, without it."""
    if not prefix:
        return shapes
    start = len(prefix)
    return {name[start:]: shape for name, shape in shapes.items() if name.startswith(prefix)}


def _checkpoint(shapes: Shapes, prefixes: dict[str, str], metadata: Mapping[str, str]) -> Identity:
    kind: Kind = "checkpoint" if len(prefixes) > 1 else "diffusion_model"
    parts = tuple(part for part in ("model", "clip", "vae") if part in prefixes)
    lines = tuple(f"it holds a {part} under {prefixes[part]}" for part in parts)
    blank = Identity(kind, parts=parts, evidence=lines, prefixes=prefixes)
    if "model" not in prefixes:
        return blank
    found = _denoiser(stripped(shapes, prefixes["model"]), shapes, metadata)
    if found is None:
        return replace(blank, evidence=(*lines, "its denoiser is of no known family"))
    return replace(
        found, kind=kind, parts=parts, prefixes=prefixes, evidence=(*lines, *found.evidence)
    )


def _single(shapes: Shapes, prefix: str, metadata: Mapping[str, str]) -> Identity:
    """A file of one thing."""
    if any(name.startswith("control_model.") for name in shapes):
        prefix = "control_model."
        shapes = stripped(shapes, prefix)
    found = [_of_look(look, shapes) for look in LOOKS if holds(look.signature, shapes)]
    denoiser = _denoiser(shapes, shapes, metadata)
    if denoiser is not None:
        found.append(denoiser)
    if not found and is_lora(shapes):
        found.append(_lora(shapes, metadata))
    if len(found) == 1:
        identity = _narrowed(found[0], metadata)
        return replace(identity, prefixes=dict.fromkeys(identity.parts, prefix))
    some = ", ".join(list(shapes)[:3])
    if found:
        fits = " and ".join(sorted({item.title for item in found}))
        return Identity("unknown", evidence=(f"it fits more than one kind of file: {fits}",))
    return Identity("unknown", evidence=(f"its tensors fit no known kind of file: {some}, …",))


def _of_look(look: Look, shapes: Shapes) -> Identity:
    family = FAMILIES[look.family] if look.family else None
    latent = look.latent_spaces or ((family.latent_space,) if family else ())
    text = look.text_spaces or ((family.text_space,) if family else ())
    return Identity(
        look.kind,
        family=look.family,
        # An encoder or a VAE belongs to no family; which one it is, is its variant.
        variant=look.id,
        title=look.title,
        latent_spaces=latent,
        text_spaces=text,
        parts=look.parts,
        evidence=sentences(look.signature, shapes),
        certainty="certain" if latent or text else "unknown",
        layout=look.layout,
        network=look.network,
        runnable=look.runnable,
    )


def _denoiser(bare: Shapes, whole: Shapes, metadata: Mapping[str, str]) -> Identity | None:
    """The family and variant of a denoiser, by its tensors without prefix; None where none fits."""
    fitting = [
        (family, layout)
        for family in FAMILIES.values()
        for layout, signature in family.layouts.items()
        if holds(signature, bare)
    ]
    if len(fitting) != 1:
        return None
    family, layout = fitting[0]
    variant = _variant(family, bare, whole)
    signature = family.layouts[layout]
    identity = Identity(
        "diffusion_model",
        family=family.id,
        variant=variant.id if variant else None,
        title=f"{family.title} {variant.title}" if variant else family.title,
        latent_spaces=(family.latent_space,),
        text_spaces=(variant.text_space if variant and variant.text_space else family.text_space,),
        parts=("model",),
        evidence=sentences(signature, bare),
        certainty="certain",
        layout=layout,
        prediction=_prediction(family, variant, metadata),
        noise=variant.noise if variant and variant.noise else family.noise,
        conditioning=(*family.conditioning, *(variant.conditioning if variant else ())),
        model_space=variant.model_space if variant else None,
        network=family.vae,
        runnable=family.runnable and layout == "original" and (not variant or variant.runnable),
    )
    sizes = family.sizes.get(layout, ())
    if holds(sizes, bare):
        return replace(identity, evidence=(*identity.evidence, *sentences(sizes, bare)))
    line = f"it is built like {family.title} at other sizes, so its spaces are its own"
    return replace(
        identity,
        title=f"like {identity.title}",
        latent_spaces=(),
        text_spaces=(),
        certainty="unknown",
        evidence=(*identity.evidence, line),
    )


def _variant(family: Family, bare: Shapes, whole: Shapes) -> Variant | None:
    # Marker tensors of a variant may lie beside the denoiser.
    shapes = ChainMap(dict(bare), dict(whole)) if whole is not bare else bare
    fitting = [variant for variant in family.variants if holds(variant.signature, shapes)]
    return fitting[0] if len(fitting) == 1 else None


def _prediction(family: Family, variant: Variant | None, metadata: Mapping[str, str]) -> Prediction:
    if variant and variant.prediction:
        return variant.prediction
    told = told_prediction(metadata)
    return told if told and family.prediction == "epsilon" else family.prediction


_TOLD: Mapping[str, Prediction] = {
    "v": "velocity",
    "v_prediction": "velocity",
    "epsilon": "epsilon",
    "eps": "epsilon",
    "stable-diffusion-v2-768-v": "velocity",
    "stable-diffusion-v2-512": "epsilon",
}


def told_prediction(metadata: Mapping[str, str]) -> Prediction | None:
    """What the metadata say that a network predicts; None where they are silent."""
    keys = ("modelspec.prediction_type", "modelspec.predict_key", "modelspec.architecture")
    told = (metadata.get(key, "").strip().lower() for key in keys)
    return next((_TOLD[text] for text in told if text in _TOLD), None)


def _lora(shapes: Shapes, metadata: Mapping[str, str]) -> Identity:
    found = family_of_lora(shapes)
    family, line = found if found else (_told_base(metadata), "its metadata names the base model")
    if family is None:
        return Identity("lora", title="LoRA", evidence=("it changes the weights of a model",))
    owner = FAMILIES[family]
    return Identity(
        "lora",
        family=family,
        title=f"LoRA for {owner.title}",
        latent_spaces=(owner.latent_space,),
        text_spaces=(owner.text_space,),
        evidence=(line,),
        certainty="likely",
    )


_BASES = (
    (re.compile(r"sdxl"), "sdxl"),
    (re.compile(r"sd_v1"), "sd15"),
    (re.compile(r"sd_v2"), "sd2"),
    (re.compile(r"sd3"), "sd3"),
    (re.compile(r"flux1"), "flux1"),
)


def _told_base(metadata: Mapping[str, str]) -> str | None:
    """The family that a training program wrote down as the base."""
    told = metadata.get("ss_base_model_version", "")
    return next((family for pattern, family in _BASES if pattern.match(told)), None)


def _narrowed(identity: Identity, metadata: Mapping[str, str]) -> Identity:
    """An ambiguous VAE, narrowed by the architecture that its metadata names, if it names one."""
    told = metadata.get("modelspec.architecture", "").removesuffix("/vae")
    if len(identity.latent_spaces) < 2 or not told:
        return identity
    spaces = {item.latent_space for item in FAMILIES.values() if told in item.modelspec}
    left = tuple(space for space in identity.latent_spaces if space in spaces)
    if len(left) != 1:
        return identity
    line = f"its metadata names the architecture {told}"
    return replace(
        identity, latent_spaces=left, certainty="likely", evidence=(*identity.evidence, line)
    )


def _with_declared(identity: Identity, metadata: Mapping[str, str], shapes: Shapes) -> Identity:
    """The identity with the spaces that the file itself declares, which win."""
    latent, text = declared_latent_space(metadata), declared_text_space(metadata)
    if latent is not None:
        decoder = shapes.get(identity.prefixes.get("vae", "") + "decoder.conv_in.weight", ())
        if len(decoder) == 4 and decoder[1] != latent.channels:
            raise SpaceTrouble(
                f"it declares a latent space of {latent.channels} channels, but its VAE decodes "
                f"{decoder[1]}."
            )
        identity = replace(
            identity,
            latent_spaces=(latent.id,),
            latent_space_declared=None if latent.id in LATENT_SPACES else latent,
            evidence=(f"latent space {latent.id!r}: {DECLARED}", *identity.evidence),
            certainty="certain",
        )
    if text is not None:
        identity = replace(
            identity,
            text_spaces=(text.id,),
            text_space_declared=text,
            evidence=(f"text space {text.id!r}: {DECLARED}", *identity.evidence),
            certainty="certain",
        )
    return identity
