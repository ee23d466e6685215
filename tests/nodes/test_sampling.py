"""KSampler is glue: it hands everything on, tells of its steps and gives a raw latent back."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from diffusion.denoiser import Denoiser
from diffusion.levels import ddpm_levels
from diffusion.prediction import PREDICTIONS
from diffusion.sample import NotFinite, sample
from diffusion.spaces import LATENT_SPACES
from graph.cancel import Cancelled
from nodes.sampling import k_sampler
from nodes.services import WrongSpace
from nodes.sockets import Conditioning, Latent, Mask, Model
from tests.helpers.services import Interrupt, Models, Progress, Spaces


class Network(nn.Module):
    """Answers with a tenth of its input, moved by the prompt's mean."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.1))

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
        return x * self.factor + context.mean(dim=(1, 2))[:, None, None, None]


@pytest.fixture
def denoiser() -> Denoiser:
    return Denoiser(Network(), PREDICTIONS["epsilon"], ddpm_levels(), LATENT_SPACES["sd1"])


def prompt(value: float, space: str = "sd1") -> Conditioning[Any]:
    return Conditioning(torch.full((1, 3, 5), value), None, space)


def run(denoiser: Denoiser, latent: Latent[Any], **changes: Any) -> Latent[Any]:
    given: dict[str, Any] = {
        "model": Model(Path("x"), "content", "sd1", "sd1"),
        "positive": prompt(0.3),
        "negative": prompt(-0.1),
        "latent": latent,
        "seed": 7,
        "steps": 5,
        "cfg": 4.0,
        "sampler": "euler",
        "scheduler": "karras",
        "denoise": 1.0,
        "models": Models(denoiser=denoiser),
        "spaces": Spaces(),
        "progress": Progress(),
        "interrupt": Interrupt(),
    }
    return k_sampler(**{**given, **changes})


def empty(batch: int = 1) -> Latent[Any]:
    return Latent(torch.zeros(batch, 4, 4, 6), "sd1")


def test_the_result_is_the_engines_own(denoiser: Denoiser) -> None:
    made = run(denoiser, empty(2))
    steps = list(
        sample(
            denoiser,
            torch.zeros(2, 4, 4, 6),
            prompt(0.3),
            prompt(-0.1),
            seed=7,
            steps=5,
            cfg=4.0,
            sampler="euler",
            schedule="karras",
        )
    )
    assert steps[-1].latent is not None
    assert torch.equal(made.samples, steps[-1].latent)
    assert made.space == "sd1"


def test_every_step_is_told_and_shown(denoiser: Denoiser) -> None:
    progress = Progress()
    run(denoiser, empty(), progress=progress)
    assert progress.steps == [(k, 5) for k in range(1, 6)]
    assert [picture.shape for picture in progress.pictures] == [(4, 6, 3)] * 4  # not the last


def test_a_denoise_of_0_gives_the_latent_back(denoiser: Denoiser) -> None:
    latent: Latent[Any] = Latent(torch.rand(1, 4, 4, 6), "sd1")
    assert torch.equal(run(denoiser, latent, denoise=0.0).samples, latent.samples)


def test_a_mask_keeps_what_it_covers_and_stays_with_the_latent(denoiser: Denoiser) -> None:
    values = torch.zeros(1, 4, 6)
    values[:, :, 3:] = 1
    latent: Latent[Any] = Latent(torch.rand(1, 4, 4, 6), "sd1", Mask(values))
    made = run(denoiser, latent)
    kept = made.samples[..., :3] - latent.samples[..., :3]
    assert kept.abs().max() < 1e-5  # float32, scaled there and back
    assert (made.samples[..., 3:] - latent.samples[..., 3:]).abs().min() > 1e-3
    assert made.mask is latent.mask


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"latent": Latent(torch.zeros(1, 4, 4, 4), "sdxl")}, "latent"),
        ({"positive": prompt(0.0, "sd2")}, "positive prompt"),
        ({"negative": prompt(0.0, "sd2")}, "negative prompt"),
    ],
)
def test_what_is_of_another_space_than_the_model_is_refused(
    denoiser: Denoiser, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(WrongSpace, match=named):
        run(denoiser, changes.pop("latent", empty()), **changes)


def test_sampling_can_be_cancelled_in_the_middle(denoiser: Denoiser) -> None:
    progress = Progress()
    with pytest.raises(Cancelled):
        run(denoiser, empty(), progress=progress, interrupt=Interrupt(at=3))
    assert progress.steps == [(1, 5), (2, 5)]


def test_a_model_that_answers_with_nan_is_told_with_its_step(denoiser: Denoiser) -> None:
    network = denoiser.module
    assert isinstance(network, Network)
    network.factor.data.fill_(float("nan"))
    with pytest.raises(NotFinite, match="step 1 of 5"):
        run(denoiser, empty())


def test_a_batch_can_draw_its_noise_as_comfyui_does(denoiser: Denoiser) -> None:
    loom, comfyui = run(denoiser, empty(2)), run(denoiser, empty(2), noise="comfyui")
    # one draw for the batch begins with the same numbers, and goes on with others
    assert torch.equal(loom.samples[:1], comfyui.samples[:1])
    assert not torch.equal(loom.samples[1:], comfyui.samples[1:])
