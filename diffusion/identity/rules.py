"""Decide what a model file is from its header alone: kind, family, spaces, parts, and why.

No rule guesses from a file's name, and the order of the rules decides nothing. A space that the
file declares in its metadata wins over what its shapes suggest.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from diffusion.families import FAMILIES
from diffusion.families.adapters import ADAPTERS, family_of_lora, is_lora
from diffusion.families.embeddings import family_of, vectors_in
from diffusion.families.encoders import ENCODERS
from diffusion.families.family import Kind, Look
from diffusion.families.signature import Shapes, holds, sentences
from diffusion.families.vaes import VAES
from diffusion.header import FileTrouble, Header
from diffusion.identity.denoisers import denoiser
from diffusion.identity.identity import Identity
from diffusion.identity.metadata import told_spaces
from diffusion.identity.nearest import nearest
from diffusion.identity.parts import LOOSE_PREFIXES, prefixes_of, stripped
from diffusion.spaces import (
    LATENT_SPACES,
    SpaceTrouble,
    declared_latent_space,
    declared_text_space,
)

LOOKS: tuple[Look, ...] = (*VAES, *ENCODERS, *ADAPTERS)

DECLARED = "declared in the file's metadata"


def recognise(header: Header) -> Identity:
    """What the file is. Raises `FileTrouble` where what it declares of itself makes no sense."""
    shapes = header.shapes
    prefixes = prefixes_of(shapes)
    if "model" not in prefixes and prefixes:  # AuraFlow's checkpoints have a loose one
        under = _under_a_loose_prefix(shapes, header.metadata)
        prefixes.update(under.prefixes if under else {})
    if "model" in prefixes or len(prefixes) > 1:
        found = _checkpoint(shapes, prefixes, header.metadata)
    else:
        prefix = next(iter(prefixes.values()), "")
        found = _single(stripped(shapes, prefix), prefix, header.metadata)
    try:
        return _with_declared(found, header.metadata, shapes)
    except SpaceTrouble as error:
        sentence = f"{header.path.name}: {error}"
        raise FileTrouble(header.path, sentence, "declaration") from None


def _checkpoint(shapes: Shapes, prefixes: dict[str, str], metadata: Mapping[str, str]) -> Identity:
    kind: Kind = "checkpoint" if len(prefixes) > 1 else "diffusion_model"
    parts = tuple(part for part in ("model", "clip", "vae") if part in prefixes)
    lines = tuple(f"it holds a {part} under {prefixes[part]}" for part in parts)
    blank = Identity(kind, parts=parts, evidence=lines, prefixes=prefixes)
    if "model" not in prefixes:
        return blank
    found = denoiser(stripped(shapes, prefixes["model"]), shapes, metadata)
    if found is None:
        bare = stripped(shapes, prefixes["model"])
        close = nearest(bare, denoisers_only=True)
        unknown = ("its denoiser is of no known family", *(item.sentence for item in close))
        return replace(blank, evidence=(*lines, *unknown), nearest=close)
    return replace(
        found, kind=kind, parts=parts, prefixes=prefixes, evidence=(*lines, *found.evidence)
    )


def _single(shapes: Shapes, prefix: str, metadata: Mapping[str, str]) -> Identity:
    """A file of one thing."""
    if any(name.startswith("control_model.") for name in shapes):
        prefix = "control_model."
        shapes = stripped(shapes, prefix)
    found = [_of_look(look, shapes) for look in LOOKS if holds(look.signature, shapes)]
    model = denoiser(shapes, shapes, metadata)
    if model is not None:
        found.append(model)
    if vectors_in(shapes):
        found.append(_embedding(shapes))
    if not found and is_lora(shapes):
        found.append(_lora(shapes, metadata))
    if len(found) == 1:
        identity = _narrowed(found[0], metadata)
        return replace(identity, prefixes=dict.fromkeys(identity.parts, prefix))
    if not found and (under := _under_a_loose_prefix(shapes, metadata)):
        return under
    some = ", ".join(list(shapes)[:3])
    if found:
        fits = " and ".join(sorted({item.title for item in found}))
        return Identity("unknown", evidence=(f"it fits more than one kind of file: {fits}",))
    close = nearest(shapes)
    why = f"its tensors fit no known kind of file: {some}, …"
    return Identity("unknown", evidence=(why, *(item.sentence for item in close)), nearest=close)


def _under_a_loose_prefix(shapes: Shapes, metadata: Mapping[str, str]) -> Identity | None:
    """A denoiser whose every name begins alike, where the file is nothing else."""
    for prefix in LOOSE_PREFIXES:
        bare = stripped(shapes, prefix)
        found = denoiser(bare, shapes, metadata) if bare else None
        if found is not None:
            return replace(found, prefixes={"model": prefix})
    return None


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


def _embedding(shapes: Shapes) -> Identity:
    vectors = vectors_in(shapes)
    family = FAMILIES.get(family_of(vectors) or "")
    widths = " and ".join(str(item.width) for item in vectors)
    return Identity(
        "embedding",
        family=family.id if family else None,
        variant="embedding",
        title="textual inversion",
        latent_spaces=(family.latent_space,) if family else (),
        text_spaces=(family.text_space,) if family else (),
        evidence=(f"its vectors have {widths} numbers",),
        certainty="certain" if family else "unknown",
    )


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
    told, spaces = told_spaces(metadata)
    if len(identity.latent_spaces) < 2:
        return identity
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
