"""Load what a workflow names from files, and keep it while there is memory: nodes ask only here."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from diffusion.checkpoint import CheckpointTrouble, adopt, bytes_of, nothing
from diffusion.denoiser import Denoiser
from diffusion.devices import choose_device, choose_precision, describe
from diffusion.families.family import DiscreteNoise, Noise
from diffusion.header import FileTrouble
from diffusion.layouts import clip_names, vae_layout, vae_names
from diffusion.levels import FlowLevels, NoiseLevels, ddpm_levels
from diffusion.loaded_vae import LoadedVae
from diffusion.memory import Key, Memory, Pending, default_budget
from diffusion.opened import Opened, naming
from diffusion.prediction import PREDICTIONS
from diffusion.text import TextEncoder, build_text_model
from diffusion.tokenizer import tokenizer_for
from diffusion.unet import UNet, UNetConfig
from diffusion.vae import AutoencoderKL, VaeConfig

VERSION = 1
"""To be raised when equal inputs give other numbers than before: older results are stale then."""

V = TypeVar("V")
Check = Callable[[], None]


class Engine:
    """One device, one precision, and the models that are loaded on it.

    Every loader takes `check_cancel`, which is called before each tensor that is read and raises to
    stop, and raises `FileTrouble` or `CheckpointTrouble`, whose messages name the file.
    """

    def __init__(
        self,
        device: str = "auto",
        precision: str = "auto",
        memory_budget: int | None = None,
        tokenizer_folders: Sequence[Path] = (),
    ) -> None:
        """`memory_budget`: bytes for models. `tokenizer_folders`: where CLIP's words may lie.

        Raises `NoSuchDevice`.
        """
        self.device = choose_device(device)
        self.precision = choose_precision(precision, self.device)
        budget = default_budget(self.device) if memory_budget is None else memory_budget
        self.memory = Memory(budget)
        self._tokenizer_folders = tuple(tokenizer_folders)

    @property
    def key(self) -> str:
        """What the engine adds to the key of a result: equal keys, equal numbers."""
        formats = "-".join(str(dtype).removeprefix("torch.") for dtype in self.precision)
        return f"engine{VERSION}:{self.device.type}:{formats}"

    def describe(self) -> str:
        """The device and the precision, for people."""
        return f"{describe(self.device)}, {str(self.precision.denoiser).removeprefix('torch.')}"

    def denoiser(self, path: Path, check_cancel: Check = nothing) -> Denoiser:
        """The diffusion model of a checkpoint or of a file of its own."""
        dtype = self.precision.denoiser

        def prepare() -> Pending[Denoiser]:
            file = Opened.at(path)
            found, told = file.identity, file.architecture
            prefix = file.model_prefix()
            if file.space is None or found.prediction is None or found.noise is None:
                raise CheckpointTrouble(
                    f"{path.name} is {found.title} at other sizes, and its metadata do not declare "
                    "which latent space it denoises."
                )
            shapes = file.shapes(prefix)
            config = UNetConfig.from_shapes(
                shapes, heads=told.unet_heads, norm_groups=told.unet_norm_groups or 32
            )
            with torch.device("meta"):
                module = UNet(config)
            prediction, levels = PREDICTIONS[found.prediction], levels_of(found.noise)
            denoiser = Denoiser(module, prediction, levels, file.space)
            names = {name: prefix + name for name in shapes}
            fill = self._filling(module, file, names, dtype, check_cancel)
            return Pending(bytes_of(module, dtype), lambda: fill(denoiser))

        return self._get("model", path, dtype, prepare)

    def vae(self, path: Path, check_cancel: Check = nothing) -> LoadedVae:
        """The VAE of a checkpoint or of a file of its own."""
        return self._vae(path, self.precision.vae, check_cancel)

    def text_encoder(self, path: Path, check_cancel: Check = nothing) -> TextEncoder:
        """The text encoder of a checkpoint or of a file of its own, with its tokenizer.

        Raises `TokenizerMissing` where CLIP's vocabulary is nowhere to be had.
        """
        dtype = self.precision.text

        def prepare() -> Pending[TextEncoder]:
            file = Opened.at(path)
            told, prefix = file.architecture, file.clip_prefix()
            shapes = file.shapes(prefix)
            inner = clip_names(shapes)
            tokenizer = tokenizer_for(file.header.metadata, self._tokenizer_folders)
            module = build_text_model(
                {name: shapes[theirs] for name, theirs in inner.items()},
                heads=told.clip_heads,
                activation=told.clip_activation or "quick_gelu",
                end=tokenizer.end,
            )
            encoder = TextEncoder(module, tokenizer)
            names = {name: prefix + theirs for name, theirs in inner.items()}
            fill = self._filling(module, file, names, dtype, check_cancel)
            return Pending(bytes_of(module, dtype), lambda: fill(encoder))

        return self._get("clip", path, dtype, prepare)

    def _vae(self, path: Path, dtype: torch.dtype, check_cancel: Check) -> LoadedVae:
        def prepare() -> Pending[LoadedVae]:
            file = Opened.at(path)
            prefix = file.vae_prefix()
            shapes = file.shapes(prefix)
            inner = vae_names(shapes, vae_layout(shapes))
            config = VaeConfig.from_shapes(
                {name: shapes[theirs] for name, theirs in inner.items()},
                norm_groups=file.architecture.vae_norm_groups or 32,
            )
            with torch.device("meta"):
                module = AutoencoderKL(config)
            loaded = LoadedVae(module, file.space, exact)
            names = {name: prefix + theirs for name, theirs in inner.items()}
            fill = self._filling(module, file, names, dtype, check_cancel)
            return Pending(bytes_of(module, dtype), lambda: fill(loaded))

        def exact() -> AutoencoderKL:
            return self._vae(path, torch.float32, nothing).module

        return self._get("vae", path, dtype, prepare)

    def _filling(
        self,
        module: nn.Module,
        file: Opened,
        names: Mapping[str, str],
        dtype: torch.dtype,
        check_cancel: Check,
    ) -> Callable[[V], V]:
        """A function that fills the module from the file and gives back what it is handed."""

        def fill(owner: V) -> V:
            adopt(
                module,
                file.header,
                names,
                dtype=dtype,
                device=self.device,
                check_cancel=check_cancel,
            )
            return owner

        return fill

    def _get(
        self, part: str, path: Path, dtype: torch.dtype, prepare: Callable[[], Pending[V]]
    ) -> V:
        try:
            key = Key.of(part, path, dtype)
        except OSError:
            raise FileTrouble(path, f"There is no file {path}.") from None
        with naming(path):
            return self.memory.get(key, prepare)


def levels_of(noise: Noise) -> NoiseLevels:
    """The table of noise levels that a family's data describe."""
    if isinstance(noise, DiscreteNoise):
        return ddpm_levels(noise.first, noise.last, noise.count, zero_snr=noise.zero_snr)
    return FlowLevels(noise.shift, noise.count, noise.multiplier)
