"""Why a file that was recognised cannot be run, as far as its header shows it: a sentence each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from diffusion.families import FAMILIES
from diffusion.families.signature import Shapes, holds
from diffusion.families.vaes import VAES
from diffusion.header import READABLE, Header, TensorInfo
from diffusion.identity.damage import damage
from diffusion.identity.identity import Identity
from diffusion.identity.parts import stripped
from diffusion.vae_names import tiny_names

NAMES = {
    "model": "diffusion model",
    "clip": "text encoder",
    "vae": "VAE",
    "controlnet": "ControlNet",
}

UPSCALERS = ("esrgan", "compact")
"""What `diffusion.upscaler` builds."""

ANOTHER = "Get another version of it, in fp16, bf16 or plain fp8."


@dataclass(frozen=True)
class Flaw:
    """One reason. `code` and `reason` are stable; no `parts` stand for all of the file.

    `code`: "not_runnable", or "damaged_model" where tensors are not those of a whole model.
    """

    code: str
    reason: str
    message: str
    parts: tuple[str, ...] = ()


def flaws_of(header: Header, found: Identity) -> tuple[Flaw, ...]:
    """What keeps the file from being run; nothing where its header shows no reason."""
    if header.form == "gguf":
        message = (
            f"It is {_a(found.title or 'model')} in a GGUF file, which this version cannot run "
            "yet: get the safetensors version of it."
        )
        return (Flaw("not_runnable", "gguf", message),)
    if found.kind == "controlnet" and not found.runnable:
        message = (
            f"It is a {found.title}, which is recognised and which this version cannot run yet: "
            "choose one of SD 1.x, SD 2.x or SDXL, or take it out of the workflow."
        )
        return (Flaw("not_runnable", "controlnet", message),)
    if found.kind == "upscale_model" and found.variant not in UPSCALERS:
        message = (
            f"It is {_a(found.title)}, which this version cannot run yet: choose an ESRGAN or a "
            "compact upscaler."
        )
        return (Flaw("not_runnable", "upscaler", message),)
    flaws = [*_unfit(header, found), *_halved(header, found), *_formats(header, found)]
    broken = {part for flaw in flaws for part in flaw.parts or found.parts}
    flaws += [
        Flaw("damaged_model", item.reason, item.message, item.parts)
        for item in damage(header, found)
        if not broken.intersection(item.parts or found.parts)
    ]
    return tuple(flaws)


def lacks_of(header: Header, found: Identity) -> tuple[str, ...]:
    """The half ("encoder" or "decoder") that the file's VAE comes without."""
    if "vae" not in found.parts:
        return ()
    names = _part(header, found, "vae")
    if found.kind == "tiny_vae":
        names = dict.fromkeys(tiny_names(names), ())
    halves = {name.partition(".")[0] for name in names}
    lacking = tuple(half for half in ("encoder", "decoder") if half not in halves)
    return lacking if len(lacking) == 1 else ()


def _unfit(header: Header, found: Identity) -> Iterator[Flaw]:
    """What this version has no network or no encoder for."""
    if "model" in found.parts:
        yield from _unfit_model(found)
    if "vae" in found.parts and found.kind == "checkpoint":
        yield from _unfit_vae(_part(header, found, "vae"))
    if found.kind == "vae" and not found.runnable:
        message = f"It is {_a(found.title)}, which this version cannot run yet: choose another VAE."
        yield Flaw("not_runnable", "vae", message)
    if found.kind == "text_encoder" and not found.runnable:
        message = (
            f"It is {_a(found.title)}, a text encoder that this version cannot run yet: choose "
            "another model and its encoders."
        )
        yield Flaw("not_runnable", "encoder", message)


def _unfit_vae(shapes: Shapes) -> Iterator[Flaw]:
    """A checkpoint's VAE that is of a kind of its own."""
    look = next((look for look in VAES if holds(look.signature, shapes)), None)
    if look is not None and not look.runnable:
        message = f"Its VAE is {_a(look.title)}, which this version cannot run yet: load another."
        yield Flaw("not_runnable", "vae", message, ("vae",))


def _unfit_model(found: Identity) -> Iterator[Flaw]:
    # The text encoders of a checkpoint are found by its family.
    parts = tuple(part for part in ("model", "clip") if part in found.parts)
    if found.family is None:
        close = found.nearest[0].sentence if found.nearest else ""
        near = f" ({close})" if close else ""
        message = (
            f"Its diffusion model is of no family that this version knows{near}: choose another "
            "model, or get another version of this one."
        )
        yield Flaw("not_runnable", "unknown", message, parts)
    elif not found.runnable:
        why = next((v.reason for v in FAMILIES[found.family].variants if v.id == found.variant), "")
        because = f", since {why}" if why else ""
        message = (
            f"It was recognised as {found.title}, which this version cannot run yet{because}: "
            "choose another model."
        )
        yield Flaw("not_runnable", "family", message, parts)
    elif not found.latent_spaces:
        message = (
            f"It is {found.title} at other sizes, and its metadata do not declare which latent "
            "space it denoises: get the published model, or declare the space."
        )
        yield Flaw("not_runnable", "sizes", message, ("model",))


def _halved(header: Header, found: Identity) -> Iterator[Flaw]:
    """Half of a VAE of a kind that is run whole only."""
    lacking = lacks_of(header, found)
    if lacking and found.kind != "tiny_vae":
        held = "decoder" if lacking == ("encoder",) else "encoder"
        message = (
            f"It holds only the {held} of a VAE, and this version runs such VAEs whole only: get "
            "the file that holds both halves."
        )
        yield Flaw("not_runnable", "half", message, () if found.kind == "vae" else ("vae",))


def _formats(header: Header, found: Identity) -> Iterator[Flaw]:
    """Weights in a form that cannot be read: with scales beside them, packed, or unheard of."""
    single = len(found.parts) < 2
    for part in found.parts:
        prefix = found.prefixes.get(part, "")
        inside = header.tensors
        if prefix:
            inside = {name: info for name, info in inside.items() if name.startswith(prefix)}
        what = _stored(inside)
        if what is not None:
            reason, words = what
            owner = "It" if single else f"Its {NAMES.get(part, part)}"
            message = f"{owner} is stored as {words}, which this version cannot read yet. {ANOTHER}"
            yield Flaw("not_runnable", reason, message, () if single else (part,))


_PACKED = (
    (
        "scaled_weights",
        "8-bit numbers with scales beside them",
        (".scale_weight", ".weight_scale", ".weight_scale_2", "scaled_fp8", ".comfy_quant"),
    ),
    (
        "packed_weights",
        "4-bit numbers packed by bitsandbytes",
        (".absmax", ".quant_map", "bitsandbytes__nf4", "bitsandbytes__fp4"),
    ),
    (
        "packed_weights",
        "4-bit numbers packed for one kind of graphics card",
        (".qweight", ".qzeros", ".wscales", ".smooth_factor"),
    ),
)
"""The reason, the words, and how the names end of what such files have beside their weights."""

_ENDINGS = tuple(ending for _, _, endings in _PACKED for ending in endings)


def _stored(tensors: Mapping[str, TensorInfo]) -> tuple[str, str] | None:
    """The reason and the words for how the tensors are stored, where that cannot be read."""
    beside = [name for name in tensors if name.endswith(_ENDINGS)]
    for reason, words, endings in _PACKED:
        if any(name.endswith(endings) for name in beside):
            return reason, words
    formats = {info.dtype for info in tensors.values()}
    strange = sorted(formats - READABLE)
    if strange:
        return "number_format", f"numbers of the format {strange[0]}"
    integers = {form for form in formats if form.startswith(("I", "U"))}
    whole = any(
        info.dtype in integers and len(info.shape) > 1 and name.endswith(".weight")
        for name, info in (tensors.items() if integers else ())
    )
    return ("packed_weights", "whole numbers") if whole else None


def _part(header: Header, found: Identity, part: str) -> Shapes:
    return stripped(header.shapes, found.prefixes.get(part, ""))


def _a(title: str) -> str:
    return f"{'an' if title[:1] in 'AEIOUaeiou' else 'a'} {title}"
