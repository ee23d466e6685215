"""The same seed makes the same picture, whatever ran before and whatever is beside it.

With the starter model, by the way that every run takes: a workflow, the worker's runner, a file.
"""

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image as Pictures
from safetensors.torch import load_file
from torch import Tensor

from diffusion.engine import Engine
from diffusion.sample import sample
from graph.events import Produced
from nodes.outputs import LATENT
from server.settings import Settings
from tests.helpers.bench import Bench, with_models
from tests.helpers.workflows import ROOT, text_to_image

pytestmark = pytest.mark.starter

SAMPLERS = ("euler", "euler_ancestral", "dpmpp_2m_sde", "seeds_3")
"""Without noise in its steps, with fresh noise, with a Brownian path, with two draws a stage."""

CLOSE = 1e-3
"""In latents up to 15. A batch's convolutions add in another order than one picture's, which shows
in the 7th digit and, after a run with guidance, in the 5th: far below a pixel's 256 levels.
"""

EMPTY, SAMPLER = "4", "5"


@pytest.fixture
def bench(settings: Settings) -> Bench:
    return Bench(with_models(settings, ROOT / "models"))


def another(settings: Settings, folder: Path) -> Bench:
    """A worker that has run nothing yet."""
    made = Settings.of(data=folder / "other")
    made.make_folders()
    return Bench(with_models(made, ROOT / "models"))


def workflow(sampler: str, seed: int, batch: int = 1, **values: Any) -> dict[str, Any]:
    made = text_to_image("starter.safetensors", sampler=sampler, seed=seed, **values)
    made["nodes"][EMPTY]["values"] |= {"width": 64, "height": 64, "batch": batch}
    return made


def to_latent(made: dict[str, Any]) -> dict[str, Any]:
    """The same, that ends in a latent's file."""
    ends = [
        id_ for id_, node in made["nodes"].items() if node["type"] in ("vae_decode", "save_image")
    ]
    for end in ends:
        del made["nodes"][end]
    made["nodes"]["keep"] = {
        "type": "save_latent",
        "values": {"file_name": "latents/kept_%counter%"},
        "inputs": {"latent": {"node": SAMPLER, "output": "latent"}},
    }
    return made


def files(bench: Bench, made: dict[str, Any]) -> list[Path]:
    before = len(bench.events(Produced))
    ended = bench.run(made)
    assert (ended.status, ended.error) == ("finished", None)
    return [bench.settings.output / event.file for event in bench.events(Produced)[before:]]


def pixels(bench: Bench, made: dict[str, Any]) -> numpy.ndarray:
    (file,) = files(bench, made)
    with Pictures.open(file) as picture:
        return numpy.asarray(picture)


def latents(bench: Bench, made: dict[str, Any]) -> Tensor:
    (file,) = files(bench, to_latent(made))
    return load_file(file)[LATENT]


def test_the_order_of_the_queue_and_the_cache_change_no_picture(
    bench: Bench, settings: Settings, tmp_path: Path
) -> None:
    jobs = [(sampler, seed) for sampler in SAMPLERS for seed in (7, 8)]
    first = {job: pixels(bench, workflow(*job)) for job in jobs}
    again = {job: pixels(bench, workflow(*job)) for job in jobs}  # from the cache
    fresh = another(settings, tmp_path)
    turned = {job: pixels(fresh, workflow(*job)) for job in reversed(jobs)}
    for job in jobs:
        assert numpy.array_equal(first[job], again[job]), job
        assert numpy.array_equal(first[job], turned[job]), job
    for sampler in SAMPLERS:
        assert not numpy.array_equal(first[sampler, 7], first[sampler, 8]), sampler


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_picture_of_a_batch_is_the_single_one_of_its_seed(bench: Bench, sampler: str) -> None:
    batch = latents(bench, workflow(sampler, 7, batch=3))
    assert batch.shape[0] == 3
    for k in range(3):
        single = latents(bench, workflow(sampler, 7 + k))
        torch.testing.assert_close(batch[k : k + 1], single, atol=CLOSE, rtol=0)
    assert (batch[0] - batch[1]).abs().max() > 100 * CLOSE


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_comfyui_choice_draws_the_batch_as_a_whole(
    bench: Bench, sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same run with all its noise drawn here, by ComfyUI's rules."""
    import diffusion.sample

    made = latents(bench, workflow(sampler, 7, batch=2, noise="comfyui"))
    monkeypatch.setattr(diffusion.sample, "Noise", Theirs)
    engine = Engine("cpu", "float32")
    path = ROOT / "models" / "checkpoints" / "starter.safetensors"
    nodes = workflow(sampler, 7)["nodes"]
    encoder, values = engine.text_encoder(path), nodes[SAMPLER]["values"]
    *_, last = sample(
        engine.denoiser(path),
        torch.zeros_like(made),
        encoder.encode(nodes["2"]["values"]["text"]),
        encoder.encode(nodes["3"]["values"]["text"]),
        seed=7,
        steps=values["steps"],
        cfg=values["cfg"],
        sampler=sampler,
        schedule=values["scheduler"],
    )
    assert last.latent is not None
    torch.testing.assert_close(made, last.latent, atol=CLOSE, rtol=0)


class Theirs:
    """Start noise: one draw of the whole batch. Steps: a generator of the next seed, which is what
    ComfyUI takes on a CPU; Brownian paths: one tree of the batch, of the run's seed.
    """

    def __init__(self, seed: int, shape: torch.Size, scheme: str) -> None:
        self.seed, self.shape = seed, shape

    def start(self) -> Tensor:
        torch.manual_seed(self.seed)
        return torch.randn(self.shape)

    def per_step(self, device: torch.device, **said: Any) -> Any:
        generator = torch.Generator().manual_seed(self.seed + 1)
        return Told(lambda *_: torch.randn(self.shape, generator=generator), **said)

    def brownian(self, low: float, high: float, device: torch.device, **said: Any) -> Any:
        import torchsde

        tree = torchsde.BrownianTree(t0=low, w0=torch.zeros(self.shape), t1=high, entropy=self.seed)

        def increment(sigma: float, after: float) -> Tensor:
            return -tree(after, sigma) / (sigma - after) ** 0.5

        return Told(increment, **said)


class Told:
    """A step noise of a function."""

    def __init__(self, drawn: Any, flow: bool, middle: tuple[float, float]) -> None:
        self.drawn, self.flow, self.middle = drawn, flow, middle

    def __call__(self, sigma: float, after: float) -> Tensor:
        drawn: Tensor = self.drawn(sigma, after)
        return drawn


def test_both_choices_begin_a_single_picture_alike(bench: Bench) -> None:
    loom, comfyui = (latents(bench, workflow("euler", 7, noise=n)) for n in ("loom", "comfyui"))
    assert torch.equal(loom, comfyui)
