"""How each text space is encoded, as data: which encoders, which of their layers, how they join.

To add one: a line here, and where it is of a new kind, its encoder in `diffusion.encoders` or its
join in `diffusion.text_join`.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Reading:
    """How a language model reads a prompt: between two texts that make a conversation of it.

    A token is what stands after each of `layers`, side by side. `padded_in_front`: padding stands
    before the conversation, and else behind it.
    """

    before: str
    after: str
    layers: tuple[int, ...]
    padded_in_front: bool = False


@dataclass(frozen=True)
class Part:
    """One encoder's share in a text space.

    `skip` 1 takes the tokens from its last layer, 2 from the one before; `norm` says whether they
    pass the final normalisation. `pad` is the id that fills a chunk, the end token's where None.
    `projected`: the pooled vector goes through the file's text projection. `fixed`: a person's
    CLIP skip does not move `skip`. `optional`: the space can do without this encoder. `least`: so
    many tokens are what T5 and language models pad a shorter prompt to. `reading`: of a language
    model. `layers`: how many the published encoder has, where files go about without the last of
    them, which nothing reads.
    """

    encoder: str
    skip: int = 1
    norm: bool = True
    pad: int | None = None
    projected: bool = False
    fixed: bool = False
    optional: bool = False
    least: int = 1
    reading: Reading | None = None
    layers: int | None = None

    @property
    def form(self) -> str:
        """What tells its module from others that are made of the same encoder."""
        depth = f"-{max(self.reading.layers)}" if self.reading else ""
        return f"{self.encoder}{'-projected' if self.projected else ''}{depth}"


@dataclass(frozen=True)
class Protocol:
    """The encoders of a text space and the name of what joins their results (`text_join.JOINS`)."""

    parts: tuple[Part, ...]
    join: str = "alone"


# SDXL's penultimate layers are not normalised (Podell et al. 2023, section 2.1).
_CLIP_G = Part("clip_g", skip=2, norm=False, pad=0, projected=True)

# What FLUX.2 was trained with, to the letter: what is said before a prompt is part of the model.
_MISTRAL = Reading(
    before=(
        "<s>[SYSTEM_PROMPT]You are an AI that reasons about image descriptions. You give "
        "structured responses focusing on object relationships, object\nattribution and actions "
        "without speculation.[/SYSTEM_PROMPT][INST]"
    ),
    after="[/INST]",
    layers=(10, 20, 30),
    padded_in_front=True,
)
_QWEN = Reading(
    before="<|im_start|>user\n",
    after="<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
    layers=(9, 18, 27),
)


def _flux2(encoder: str, reading: Reading) -> Protocol:
    return Protocol((Part(encoder, fixed=True, least=512, reading=reading),))


PROTOCOLS: dict[str, Protocol] = {
    "sd1": Protocol((Part("clip_l"),)),
    "sd2": Protocol((Part("clip_h", skip=2, pad=0, layers=24),)),
    "sdxl": Protocol((Part("clip_l", skip=2, norm=False), _CLIP_G), "side_by_side"),
    "sdxl_refiner": Protocol((_CLIP_G,)),
    "sd3": Protocol(
        (
            Part("clip_l", skip=2, norm=False, optional=True),
            replace(_CLIP_G, optional=True),
            Part("t5xxl", fixed=True, optional=True, least=77),
        ),
        "sd3",
    ),
    "flux1": Protocol(
        (Part("clip_l", fixed=True, optional=True), Part("t5xxl", fixed=True, least=256)), "flux1"
    ),
    "flux2_dev": _flux2("mistral_small", _MISTRAL),
    "flux2_klein_4b": _flux2("qwen3_4b", _QWEN),
    "flux2_klein_9b": _flux2("qwen3_8b", _QWEN),
}
"""The protocol of every text space that can be encoded, by the space's id."""
