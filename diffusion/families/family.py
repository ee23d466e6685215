"""What a model family is, as data: its spaces, its prediction and noise, how its files look."""

from dataclasses import dataclass, field
from typing import Literal

from diffusion.families.signature import Signature
from diffusion.spaces import LatentSpace

Prediction = Literal["epsilon", "velocity", "flow", "edm"]

Kind = Literal[
    "checkpoint",
    "diffusion_model",
    "vae",
    "tiny_vae",
    "text_encoder",
    "lora",
    "controlnet",
    "upscale_model",
    "embedding",
    "unknown",
]


@dataclass(frozen=True)
class DiscreteNoise:
    """DDPM noise: beta rises as the square of a line from √first to √last in `count` timesteps."""

    first: float = 0.00085
    last: float = 0.012
    count: int = 1000
    zero_snr: bool = False


@dataclass(frozen=True)
class FlowNoise:
    """Flow noise: σ = shift·t/(1+(shift-1)·t); the network is told σ·multiplier."""

    shift: float
    count: int = 1000
    multiplier: float = 1000.0


@dataclass(frozen=True)
class LogNoise:
    """Levels evenly spaced in log σ from `low` to `high`; the network is told ln(σ)/4."""

    low: float = 0.002
    high: float = 80.0
    count: int = 1000


Noise = DiscreteNoise | FlowNoise | LogNoise


@dataclass(frozen=True)
class Variant:
    """A member of a family that differs by its header. `signature` comes on top of the family's.

    `text_space`, `prediction` and `noise` are given where they differ from the family's,
    `latent_spaces` where they do or where no header tells which of them it is, and `model_space`
    where the network sees the family's raw latents on another scale.
    `runnable` is False where the engine lacks what this variant needs, and `reason` says what that
    is, as a clause.
    """

    id: str
    title: str
    signature: Signature
    text_space: str | None = None
    latent_spaces: tuple[str, ...] = ()
    prediction: Prediction | None = None
    noise: Noise | None = None
    conditioning: tuple[str, ...] = ()
    model_space: LatentSpace | None = None
    runnable: bool = True
    reason: str = ""


@dataclass(frozen=True)
class Network:
    """The kind of a denoiser, and of its sizes those that leave no trace in tensor shapes.

    Attention has `heads` heads at every width, or heads of `head_width` where that is given.
    """

    kind: str = "unet"
    heads: int | None = None
    head_width: int | None = None

    @property
    def joint(self) -> bool:
        """Whether text and picture attend to each other in one attention, as in transformers."""
        return self.kind != "unet"


@dataclass(frozen=True)
class Spread:
    """Holds where the standard deviation of the values of the tensor `key` is above a number."""

    key: str
    above: float


@dataclass(frozen=True)
class Family:
    """A group of models that share architecture and spaces.

    `layouts` maps the name of a naming scheme ("original", "diffusers") to the signature of the
    bare denoiser under it; all else speaks of its original names. `sizes`, where given, are the
    conditions under which the file speaks the family's own spaces; a file of the same architecture
    at other sizes speaks spaces that only it can declare. `text_prefixes` maps an encoder's id to
    where it lies in a checkpoint. `modelspec` lists the architecture ids that files' metadata name
    it by, and `resolution` is the side that it was trained at, in pixels. `runnable`: this program
    can make pictures with it; of a family that it only recognises, `noise` may be None.

    What builds it is named here and found elsewhere, since this package knows no torch: `network`
    in `diffusion.networks.DENOISERS`, `vae` in `diffusion.networks.AUTOENCODERS`, the rows of
    `conditioning` (a variant's come on top) in `diffusion.conditioning.PREPARERS`, and the text
    encoders of `text_space` in `diffusion.families.text.PROTOCOLS`. `velocity_where` tells velocity
    from epsilon by a tensor's values where no header does.
    """

    id: str
    title: str
    latent_space: str
    text_space: str
    prediction: Prediction
    noise: Noise | None
    layouts: dict[str, Signature]
    sizes: Signature = ()
    variants: tuple[Variant, ...] = ()
    text_prefixes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    modelspec: tuple[str, ...] = ()
    resolution: int = 1024
    runnable: bool = False
    network: Network = Network()
    conditioning: tuple[str, ...] = ()
    vae: str = "kl"
    velocity_where: Spread | None = None


@dataclass(frozen=True)
class Look:
    """How a file that is no denoiser looks: a VAE, a text encoder, an adapter.

    `latent_spaces` and `text_spaces` are the candidates: several where no header tells them apart.
    `runnable`: this program can use the file. `network`: of a VAE, its kind in
    `diffusion.networks.AUTOENCODERS`.
    """

    kind: Kind
    id: str
    title: str
    signature: Signature
    layout: str = "original"
    family: str | None = None
    latent_spaces: tuple[str, ...] = ()
    text_spaces: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    runnable: bool = False
    network: str = "kl"
