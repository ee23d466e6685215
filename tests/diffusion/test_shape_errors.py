"""What torch says of shapes is told as whose prompt or latent met whose model."""

import pytest
import torch
from torch import nn

from diffusion.shape_errors import LATENTS, PROMPTS, explained
from diffusion.spaces import LATENT_SPACES, TEXT_SPACES


def told(module: nn.Module, value: torch.Tensor) -> str:
    """The sentence for the error that torch itself raises."""
    with pytest.raises(RuntimeError) as caught:
        module(value)
    sentence = explained(str(caught.value))
    assert sentence is not None, caught.value
    return sentence


def test_sdxls_prompt_in_an_sd1_model_is_told_by_name() -> None:
    sentence = told(nn.Linear(768, 320), torch.zeros(2, 77, 2048))
    assert sentence == (
        "The prompt was made for SDXL (CLIP-L and OpenCLIP-G), and the model reads prompts of "
        "SD 1.x (CLIP-L): take the text encoder of the model's own checkpoint."
    )
    assert sentence == explained("mat1 and mat2 shapes cannot be multiplied (154x2048 and 768x320)")


@pytest.mark.parametrize("given", PROMPTS)
@pytest.mark.parametrize("wanted", PROMPTS)
def test_every_pair_of_prompts_names_both(given: int, wanted: int) -> None:
    if given != wanted:
        sentence = told(nn.Linear(wanted, 8), torch.zeros(1, 3, given))
        assert PROMPTS[given] in sentence
        assert PROMPTS[wanted] in sentence


@pytest.mark.parametrize(
    ("given", "wanted"), [(4, 16), (16, 4), (32, 16), (4, 9), (3, 4), (16, 32)]
)
def test_a_latent_of_other_channels_names_both_families(given: int, wanted: int) -> None:
    sentence = told(nn.Conv2d(wanted, 8, 3), torch.zeros(1, given, 8, 8))
    assert LATENTS[given] in sentence
    assert LATENTS[wanted] in sentence
    assert "weight of size" not in sentence


def test_the_vector_of_sdxls_sizes_is_told_from_a_prompt() -> None:
    sentence = told(nn.Linear(2560, 8), torch.zeros(1, 2816))
    assert "made for SDXL, and the model reads prompts of the SDXL refiner" in sentence


def test_other_sizes_are_told_to_look_at_what_enters_and_other_errors_are_left_alone() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.zeros(1, 4, 8, 8) + torch.zeros(1, 4, 8, 9)
    assert str(explained(str(caught.value))).startswith("Two things of different sizes met.")
    with pytest.raises(RuntimeError) as caught:
        torch.cat([torch.zeros(1, 2, 3), torch.zeros(1, 3, 2)])
    assert str(explained(str(caught.value))).startswith("Two things of different sizes met.")
    assert explained("division by zero") is None
    assert explained("CUDA error: an illegal memory access was encountered") is None


def test_the_tables_know_every_width_and_channel_count_of_what_can_be_run() -> None:
    runs = ("sd1", "sd2", "sdxl", "sdxl_refiner", "sd3", "flux1", "flux2_dev", "flux2_klein_4b")
    for space in runs:
        assert set(TEXT_SPACES[space].width) <= set(PROMPTS), space
    for latent in ("sd1", "sdxl", "sd3", "flux1", "flux2", "wan21"):
        assert LATENT_SPACES[latent].channels in LATENTS
