"""Stable Cascade (Pernias et al. 2023): a small latent (stage C) that stage B makes large."""

from diffusion.families.family import Family, Network
from diffusion.families.signature import Has, Lacks

_END = Has("clf.1.weight")
_TEXT_OF_C = "clip_txt_mapper.weight"

CASCADE_C = Family(
    id="cascade_c",
    title="Stable Cascade stage C",
    latent_space="cascade_c",
    text_space="cascade",
    prediction="epsilon",
    noise=None,  # a cosine
    layouts={"original": (_END, Has(_TEXT_OF_C))},
    network=Network("cascade_c"),
)

CASCADE_B = Family(
    id="cascade_b",
    title="Stable Cascade stage B",
    latent_space="cascade_b",
    text_space="cascade",
    prediction="epsilon",
    noise=None,  # a cosine
    layouts={
        "original": (_END, Has("clip_mapper.weight"), Lacks(_TEXT_OF_C)),
        "diffusers": (
            _END,
            Has("clip_txt_pooled_mapper.weight"),
            Has("effnet_mapper.0.weight"),
            Lacks(_TEXT_OF_C),
            Lacks("clip_mapper.weight"),
        ),
    },
    network=Network("cascade_b"),
)
