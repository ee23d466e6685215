"""Tell the family and the variant of a diffusion model from its tensors and its metadata."""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace

from diffusion.denoiser_names import original_shapes
from diffusion.families import FAMILIES
from diffusion.families.family import Family, Prediction, Variant
from diffusion.families.signature import Shapes, holds, sentences
from diffusion.identity.identity import Identity


def denoiser(bare: Shapes, whole: Shapes, metadata: Mapping[str, str]) -> Identity | None:
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
    own = original_shapes(family.network.kind, bare)
    variant = _variant(family, own, whole)
    signature = family.layouts[layout]
    reasons = (variant.reason,) if variant and variant.reason else ()
    spaces = variant.latent_spaces if variant and variant.latent_spaces else ()
    identity = Identity(
        "diffusion_model",
        family=family.id,
        variant=variant.id if variant else None,
        title=f"{family.title} {variant.title}" if variant else family.title,
        latent_spaces=spaces or (family.latent_space,),
        text_spaces=(variant.text_space if variant and variant.text_space else family.text_space,),
        parts=("model",),
        evidence=(*sentences(signature, bare), *reasons),
        certainty="unknown" if len(spaces) > 1 else "certain",
        layout=layout,
        prediction=_prediction(family, variant, metadata),
        noise=variant.noise if variant and variant.noise else family.noise,
        conditioning=(*family.conditioning, *(variant.conditioning if variant else ())),
        model_space=variant.model_space if variant else None,
        network=family.vae,
        runnable=family.runnable and (not variant or variant.runnable),
    )
    if holds(family.sizes, own):
        return replace(identity, evidence=(*identity.evidence, *sentences(family.sizes, own)))
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
    shapes = ChainMap(dict(bare), dict(whole))
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
