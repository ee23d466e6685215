"""Load what a workflow names from files, and keep it while there is memory: nodes ask only here."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from diffusion.checkpoint import CheckpointTrouble, nothing
from diffusion.compiled import Compiled
from diffusion.controlnet import ControlNet, controlnet_of
from diffusion.denoiser import Denoiser
from diffusion.devices import (
    choose_device,
    choose_precision,
    describe,
    has_bfloat16,
    use_tf32,
)
from diffusion.embeddings import Find, no_embeddings
from diffusion.encoders import ENCODERS
from diffusion.families.family import Network
from diffusion.families.text import Part
from diffusion.filling import Filling
from diffusion.header import FileTrouble
from diffusion.loaded_upscaler import LoadedUpscaler
from diffusion.loaded_vae import LoadedVae
from diffusion.lora import Lora, Target, apply_loras, key_of
from diffusion.lora_names import DENOISER_PREFIXES, ENCODER_PREFIXES
from diffusion.machine import default_budget, free_memory, workspace
from diffusion.memory import Key, Memory, Pending
from diffusion.networks import AUTOENCODERS, DENOISERS, Built
from diffusion.noise_levels import levels_of
from diffusion.opened import Opened, naming, protocol_of
from diffusion.prediction import PREDICTIONS
from diffusion.shortage import Relief
from diffusion.streaming import Carrier, carrier_for
from diffusion.text_join import PromptEncoder, TextEncoders
from diffusion.upscaler import upscaler_of
from diffusion.wide import widened

VERSION = 2
"""To be raised when equal inputs give other numbers than before: older results are stale then."""

log = logging.getLogger(__name__)

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
        *,
        compiling: bool = False,
        tell: Callable[[str], None] = log.warning,
        carrier: Carrier[Any] | None = None,
    ) -> None:
        """`memory_budget`: bytes for models. `tokenizer_folders`: where CLIP's words may lie.

        `compiling`: diffusion models are compiled. `tell`: hears, in a sentence for people, what is
        done otherwise than was asked for. `carrier`: brings the weights of models that do not fit,
        the device's own if not given. Raises `NoSuchDevice`.
        """
        self.device = choose_device(device)
        self.precision = choose_precision(precision, self.device)
        self._tf32 = use_tf32(precision, self.device)
        self._compiling = compiling
        budget = default_budget(self.device) if memory_budget is None else memory_budget
        self.memory = Memory(
            budget, lambda: free_memory(self.device), workspace=workspace(self.device)
        )
        self._tell = tell
        self._relief = Relief(self.memory.free, tell)
        bring = carrier_for(self.device) if carrier is None else carrier
        self._filling = Filling(self.device, bring, tell)
        self._tokenizer_folders = tuple(tokenizer_folders)

    @property
    def key(self) -> str:
        """What the engine adds to the key of a result: equal keys, equal numbers."""
        formats = "-".join(str(dtype).removeprefix("torch.") for dtype in self.precision)
        ways = "-tf32" * self._tf32 + "-compiled" * self._compiling
        return f"engine{VERSION}:{self.device.type}:{formats}{ways}"

    def describe(self) -> str:
        """The device and the precision, for people."""
        return f"{describe(self.device)}, {str(self.precision.denoiser).removeprefix('torch.')}"

    def denoiser(
        self, path: Path, check_cancel: Check = nothing, *, loras: Sequence[Lora] = ()
    ) -> Denoiser:
        """The diffusion model of a checkpoint or of a file of its own, changed by LoRAs.

        Raises `LoraTrouble` where one does not suit it.
        """
        dtype = self.precision.denoiser

        def prepare() -> Pending[Denoiser]:
            file = Opened.at(path)
            found, family = file.identity, file.family
            prefix = file.model_prefix()
            if file.space is None or family is None or found.noise is None:
                raise CheckpointTrouble(
                    f"{path.name} is {found.title} at other sizes, and its metadata do not declare "
                    "which latent space it denoises."
                )
            build = DENOISERS[family.network.kind]
            built = build(file.shapes(prefix), family.network, file.architecture)
            denoiser = Denoiser(
                built.module,
                PREDICTIONS[file.prediction(prefix)],
                levels_of(file.noise(found.noise)),
                found.model_space or file.space,
                found.conditioning,
                family.network.joint,
                self._relief,
                Compiled(built.module, self._tell) if self._compiling else None,
            )
            target = Target(built.module, family.network.kind, DENOISER_PREFIXES)
            changed = self._changing(target, loras, check_cancel)
            return self._filling.pending(
                denoiser, built, file, prefix, dtype, check_cancel, changed
            )

        return self._get(f"model{key_of(loras)}", path, dtype, prepare)

    def vae(self, path: Path, check_cancel: Check = nothing) -> LoadedVae:
        """The VAE of a checkpoint or of a file of its own."""
        return self._vae(path, self.precision.vae, check_cancel)

    def text_encoder(
        self,
        paths: Path | Sequence[Path],
        check_cancel: Check = nothing,
        *,
        space: str = "",
        clip_skip: int | None = None,
        loras: Sequence[Lora] = (),
        find: Find = no_embeddings,
    ) -> TextEncoders:
        """The text encoders of a checkpoint, or of files of their own, with their tokenizers.

        `space`: the text space that they shall encode in, where the files leave a choice.
        `clip_skip`: see `ClipText.forward`; the space's own if not given. `loras` change what they
        have changes for. `find`: the embeddings that prompts name. Raises `TokenizerMissing` where
        a vocabulary is nowhere to be had, and `LoraTrouble`.
        """
        every = [paths] if isinstance(paths, Path) else list(paths)
        files = [self._opened(path) for path in every]
        places = {
            encoder: (file, prefix)
            for file in files
            for encoder, prefix in file.text_prefixes().items()
        }
        chosen = protocol_of(files, space, tuple(places))
        readers: dict[str, PromptEncoder] = {}
        for part in chosen.parts:
            if part.encoder in places:
                file, prefix = places[part.encoder]
                skip = part.skip if clip_skip is None or part.fixed else clip_skip
                part = replace(part, skip=skip)
                readers[part.encoder] = self._encoder(file, prefix, part, check_cancel, loras)
        return TextEncoders(readers, chosen.join, self._relief, find)

    def _encoder(
        self, file: Opened, prefix: str, part: Part, check_cancel: Check, loras: Sequence[Lora]
    ) -> PromptEncoder:
        kind = ENCODERS[part.encoder]
        dtype = self.precision.large_text if kind.large else self.precision.text
        narrow = None
        if dtype == torch.float32 and not kind.large:
            narrow = file.half_precision(prefix)
        dtype = narrow or dtype

        def prepare() -> Pending[tuple[nn.Module, Any]]:
            tokenizer = kind.tokenizer(file.header, self._tokenizer_folders)
            built = kind.build(file.shapes(prefix), part, file.architecture, tokenizer)
            if narrow is not None:
                widened(built.module)
            both = (built.module, tokenizer)
            target = Target(built.module, "text", ENCODER_PREFIXES.get(part.encoder, ()))
            changed = self._changing(target, loras, check_cancel)
            return self._filling.pending(both, built, file, prefix, dtype, check_cancel, changed)

        form = f"{part.form}{key_of(loras)}"
        module, tokenizer = self._get(form, file.header.path, dtype, prepare)
        with naming(file.header.path):
            return kind.reader(module, tokenizer, part)

    def _vae(self, path: Path, dtype: torch.dtype, check_cancel: Check) -> LoadedVae:
        def prepare() -> Pending[LoadedVae]:
            file = Opened.at(path)
            prefix = file.vae_prefix()
            built = AUTOENCODERS[file.identity.network](file.shapes(prefix), file.architecture)
            autoencoder: Any = built.module
            loaded = LoadedVae(autoencoder, file.space, exact, None, self._relief, wider)
            return self._filling.pending(loaded, built, file, prefix, dtype, check_cancel)

        def exact(check: Callable[[], None]) -> Any:
            return self._vae(path, torch.float32, check).module

        def of_more_range(check: Callable[[], None]) -> Any:
            return self._vae(path, torch.bfloat16, check).module

        narrow = dtype == torch.float16 and has_bfloat16(self.device)
        wider = of_more_range if narrow else None

        return self._get("vae", path, dtype, prepare)

    def controlnet(self, path: Path, check_cancel: Check = nothing) -> ControlNet:
        """A ControlNet, to steer a UNet of its own family."""
        dtype = self.precision.denoiser

        def prepare() -> Pending[ControlNet]:
            file = self._opened(path)
            family, prefix = file.family, file.controlnet_prefix()
            network = Network() if family is None else family.network
            module, names = controlnet_of(file.shapes(prefix), network, file.architecture)
            built = Built(module, names)
            return self._filling.pending(module, built, file, prefix, dtype, check_cancel)

        return self._get("controlnet", path, dtype, prepare)

    def upscaler(self, path: Path, check_cancel: Check = nothing) -> LoadedUpscaler:
        """A network that enlarges pictures."""

        def prepare() -> Pending[LoadedUpscaler]:
            file = self._opened(path)
            built: Any = upscaler_of(file.shapes(""))
            loaded = LoadedUpscaler(built.module, self._relief)
            return self._filling.pending(loaded, built, file, "", self.precision.vae, check_cancel)

        return self._get("upscaler", path, self.precision.vae, prepare)

    def _opened(self, path: Path) -> Opened:
        if not path.exists():
            raise FileTrouble(path, f"There is no file {path}.")
        with naming(path):
            return Opened.at(path)

    def _changing(
        self, target: Target, loras: Sequence[Lora], check_cancel: Check
    ) -> Callable[[], None]:
        """What puts the LoRAs into the module, once it has its weights."""
        return lambda: apply_loras(target, loras, self._tell, check_cancel) if loras else None

    def _get(
        self, part: str, path: Path, dtype: torch.dtype, prepare: Callable[[], Pending[V]]
    ) -> V:
        try:
            key = Key.of(part, path, dtype)
        except OSError:
            raise FileTrouble(path, f"There is no file {path}.") from None
        with naming(path):
            return self.memory.get(key, prepare)
