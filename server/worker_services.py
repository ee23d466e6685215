"""What a running node is handed beside its inputs, for the services of `nodes.services`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from diffusion.checkpoint import CheckpointTrouble
from diffusion.controlnet import Control, steers
from diffusion.denoiser import Denoiser
from diffusion.embeddings import Find, no_embeddings
from diffusion.engine import Engine
from diffusion.families import FAMILIES
from diffusion.loaded_upscaler import LoadedUpscaler
from diffusion.loaded_vae import LoadedVae
from diffusion.model_sampling import resampled
from diffusion.spaces import LATENT_SPACES, LatentSpace
from diffusion.text_join import TextEncoders
from diffusion.together import Member
from diffusion.unet import UNet
from graph.cancel import Cancel
from graph.execute import Call
from graph.files import FileFacts
from graph.plan import Plan
from graph.widgets import ModelFile
from graph.workflow import Workflow
from nodes import services
from nodes.outputs import FolderOutputs, Origin
from nodes.provenance import UsedFile
from nodes.services import BadFile
from nodes.sockets import Clip, Model, Steering, Upscaler, Vae
from server.catalogue import Catalogue
from server.content_hashes import ContentHashes
from server.model_folders import INPUT, LATENTS, FileRefused
from server.settings import Settings
from server.worker_embeddings import finder
from server.worker_memory import holder_of
from server.worker_previews import RunProgress
from server.worker_provenance import Timing, made_with
from server.worker_spaces import RunSpaces, steps_behind


@dataclass(frozen=True)
class RunContext:
    """What the services of one run have in common. `saved` is the workflow as it was sent."""

    run: str
    saved: Mapping[str, Any]
    workflow: Workflow
    plan: Plan
    settings: Settings
    output: Path
    catalogue: Catalogue
    engine: Engine | None
    contents: ContentHashes
    timing: Timing = field(default_factory=Timing)
    member: Member | None = None
    """The run's place among those that are sampled together with it, if there are any."""

    def models(self, call: Call) -> "RunModels":
        """What loads models for a node."""
        run = "" if self.member is None else self.run
        space, node = self.catalogue.latent_space, holder_of(call.node, run)
        embeddings = partial(finder, self.catalogue, call.title)
        return RunModels(self.engine, call.cancel, node, space, self.member, embeddings)

    def service(self, name: str, call: Call) -> object:
        """The service that goes by the name of its class."""
        return _MAKERS[name](self, call)


class RunInterrupt(services.Interrupt):
    """Looks at the run's wish to stop."""

    def __init__(self, cancel: Cancel) -> None:
        self._cancel = cancel

    def check(self) -> None:
        self._cancel.check()


class RunFacts(services.Facts):
    """Asks the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def of(self, file: ModelFile) -> FileFacts:
        found = self._catalogue.facts(file.folder, file.name)
        if found is None:
            raise BadFile(f"There is no file {file.name!r} in {file.folder} any more.")
        if found.trouble:
            raise BadFile(found.trouble)
        return found


class RunModels(services.Models):
    """Has the engine load what a recipe names; a person may cancel meanwhile."""

    def __init__(
        self,
        engine: Engine | None,
        cancel: Cancel,
        node: str = "",
        space: Callable[[str], LatentSpace | None] = LATENT_SPACES.get,
        member: Member | None = None,
        embeddings: Callable[[str], Find] = lambda space: no_embeddings,
    ) -> None:
        """`node`: in whose name models are in use, until the memory is told to let it go.

        `space`: the latent space of an id. `embeddings`: what finds those that prompts in a text
        space name.
        """
        self._embeddings = embeddings
        self._space = space
        if engine is None:
            raise RuntimeError("This worker was started without models.")
        self._engine = engine
        self._check = cancel.check
        self._node = node
        self._member = member

    def denoiser(self, model: Model[Any, Any]) -> Denoiser:
        with self._engine.memory.held_by(self._node):
            path = Path(model.path)
            denoiser = self._engine.denoiser(path, self._check, loras=model.loras)
        if model.steering:
            controls = tuple(self._control(each, denoiser, path) for each in model.steering)
            denoiser = replace(denoiser, controls=controls)
        if model.rescale:
            denoiser = replace(denoiser, rescale=model.rescale)
        if self._member is not None:
            denoiser = self._member.joining(denoiser)
        return resampled(denoiser, model.sampling) if model.sampling else denoiser

    def _control(self, steering: Steering, denoiser: Denoiser, model: Path) -> Control:
        """Raises `CheckpointTrouble` where it was made for a model that is built otherwise."""
        path = Path(steering.network.path)
        with self._engine.memory.held_by(self._node):
            module = self._engine.controlnet(path, self._check)
        if not isinstance(denoiser.module, UNet) or not steers(module, denoiser.module):
            raise CheckpointTrouble(
                f"{path.name} cannot steer {model.name}: it was made for a model of other sizes, "
                "or with other blocks. Choose the model that it was made for, or take Apply "
                "ControlNet out."
            )
        span = steering.begin, steering.end
        return Control(module, steering.pictures, steering.strength, *span)

    def text_encoder(self, clip: Clip[Any]) -> TextEncoders:
        with self._engine.memory.held_by(self._node):
            return self._engine.text_encoder(
                [Path(path) for path in (clip.path, *clip.others)],
                self._check,
                space=clip.text_space,
                clip_skip=clip.clip_skip,
                loras=clip.loras,
                find=self._embeddings(clip.text_space),
            )

    def vae(self, vae: Vae[Any]) -> LoadedVae:
        """The VAE, within the space that is known of its file by more than its header."""
        return self._loaded(vae).within(self._space(vae.latent_space))

    def upscaler(self, model: Upscaler) -> LoadedUpscaler:
        with self._engine.memory.held_by(self._node):
            return self._engine.upscaler(Path(model.path), self._check)

    def _loaded(self, vae: Vae[Any]) -> LoadedVae:
        with self._engine.memory.held_by(self._node):
            loaded = self._engine.vae(Path(vae.path), self._check)
            if vae.encoder is None:
                return loaded
            return loaded.encoded_by(self._engine.vae(Path(vae.encoder), self._check))


def _outputs(context: RunContext, call: Call) -> FolderOutputs:
    settings = context.settings
    nodes = _nodes_behind(context.plan, call.key)
    used = _files_behind(context, call.key)

    def about() -> dict[str, Any]:
        files = [
            {"folder": file.folder, "name": file.name, "sha256": _content(context, call, file)}
            for file in used
        ]
        return {"files": files, "made": made_with(context.engine, context.timing, nodes)}

    origin = Origin(
        node=call.node,
        title=call.title,
        workflow=context.saved,
        nodes=nodes,
        files=tuple(file for file in used if file.folder not in (INPUT, LATENTS)),
        about=about,
    )
    return FolderOutputs(
        origin, context.output, settings.temp, context.run, call.emit, settings.metadata
    )


def _content(context: RunContext, call: Call, file: UsedFile) -> str:
    try:
        path = context.catalogue.resolve(file.folder, file.name)
        return context.contents.of(path, call.cancel.check)
    except (FileRefused, OSError):  # it went away while the run was on
        return ""


def _nodes_behind(plan: Plan, key: str) -> dict[str, Mapping[str, Any]]:
    """What the step was computed from, the nearest first, in the form of `nodes.provenance`."""
    return {
        step.nodes[0]: {
            "type": step.shape.definition.type,
            "title": step.title,
            "values": step.values,
            "inputs": {
                name: plan.steps[origin.key].nodes[0]
                for name, origin in step.wires.items()
                if not isinstance(origin, list)
            },
        }
        for step in steps_behind(plan, key)
    }


def _files_behind(context: RunContext, key: str) -> tuple[UsedFile, ...]:
    """The files that the step was computed from, the nearest first."""
    found: dict[tuple[str, str], UsedFile] = {}
    for step in steps_behind(context.plan, key):
        for folder, name in step.files():
            if (folder, name) in found:
                continue
            family = _family_of(context.catalogue, context.catalogue.facts(folder, name))
            found[folder, name] = UsedFile(folder, name, family)
    return tuple(found.values())


def _family_of(catalogue: Catalogue, facts: FileFacts | None) -> str:
    """What people call the file's family: by the latent space that it declares, where that is one
    of its own and no published family's."""
    if facts is None:
        return ""
    spaces = facts.spaces.get("latent", ())
    if len(spaces) == 1 and spaces[0] not in LATENT_SPACES:
        return catalogue.space_title("latent", spaces[0])
    family = FAMILIES.get(facts.family or "")
    return facts.family or "" if family is None else family.title


_MAKERS: Mapping[str, Callable[[RunContext, Call], object]] = {
    "Progress": lambda context, call: RunProgress(context.settings, context.run, call),
    "Interrupt": lambda context, call: RunInterrupt(call.cancel),
    "Facts": lambda context, call: RunFacts(context.catalogue),
    "Spaces": lambda context, call: RunSpaces(
        context.catalogue, context.workflow, context.plan, call.key
    ),
    "Models": RunContext.models,
    "Outputs": _outputs,
}
