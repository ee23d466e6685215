"""FLUX.2 has the published names and shapes, and computes what diffusers computes."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from diffusion.denoiser import Denoiser
from diffusion.families import FAMILIES
from diffusion.families.family import FlowNoise
from diffusion.flux2 import Flux2, Flux2Config
from diffusion.identity.rules import recognise
from diffusion.loaded_vae import LoadedVae
from diffusion.noise_levels import levels_of
from diffusion.prediction import PREDICTIONS
from diffusion.sample import sample
from diffusion.spaces import LATENT_SPACES
from diffusion.vae import AutoencoderKL, VaeConfig
from nodes.sockets import Conditioning
from tests.diffusion.files import header_of, known_shapes
from tests.diffusion.small_flux2 import diffusers_flux2

SMALL = Flux2Config(
    channels=4,
    width=96,
    heads=3,
    feed_forward=144,
    double_blocks=2,
    single_blocks=3,
    context_width=24,
    time_width=256,
    guided=True,
)


def shapes_of(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def small_flux2(guided: bool = True) -> Flux2:
    torch.manual_seed(0)
    model = Flux2(Flux2Config(**{**vars(SMALL), "guided": guided})).eval().requires_grad_(False)
    for name, tensor in model.named_parameters():
        if name.endswith("scale"):
            tensor.uniform_(0.5, 1.5)  # they begin as ones, which would hide a mistake
    return model


def small_inputs(height: int = 12, width: int = 8) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "x": torch.randn(2, 4, height, width, generator=generator),
        "timesteps": torch.tensor([0.9, 0.25]),
        "context": torch.randn(2, 7, 24, generator=generator),
        "guidance": torch.tensor([4.0, 1.0]),
    }


@pytest.mark.parametrize("name", ["flux2_dev", "flux2_klein_4b", "flux2_klein_9b"])
def test_names_and_shapes_are_those_of_published_files(name: str) -> None:
    shapes = known_shapes(name)
    with torch.device("meta"):
        model = Flux2(Flux2Config.from_shapes(shapes))
    assert shapes_of(model) == shapes


@pytest.mark.parametrize(
    ("name", "sizes", "guided"),
    [
        ("flux2_dev", (6144, 48, 8, 48, 15360), True),
        ("flux2_klein_4b", (3072, 24, 5, 20, 7680), False),
        ("flux2_klein_9b", (4096, 32, 8, 24, 12288), False),
    ],
)
def test_the_sizes_are_read_from_shapes(name: str, sizes: tuple[int, ...], guided: bool) -> None:
    config = Flux2Config.from_shapes(known_shapes(name))
    assert (
        config.width,
        config.heads,
        config.double_blocks,
        config.single_blocks,
        config.context_width,
    ) == sizes
    assert (config.channels, config.feed_forward) == (32, 3 * config.width)
    assert (config.guided, config.axes) == (guided, (32, 32, 32, 32))


def test_any_config_is_read_back_from_its_own_shapes() -> None:
    assert Flux2Config.from_shapes(shapes_of(small_flux2())) == SMALL


@pytest.mark.parametrize("size", [(12, 8), (4, 16)])
def test_a_forward_pass_equals_diffusers_on_the_same_weights(size: tuple[int, int]) -> None:
    ours, inputs = small_flux2(), small_inputs(*size)
    expected = diffusers_forward(ours, inputs)
    # float32 sums in another order, after five blocks; outputs are about 1
    assert torch.allclose(ours(**inputs), expected, atol=1e-5)
    assert expected.std() > 0.1


def test_klein_equals_diffusers_without_guidance() -> None:
    ours, inputs = small_flux2(guided=False), small_inputs()
    del inputs["guidance"]
    assert torch.allclose(ours(**inputs), diffusers_forward(ours, inputs), atol=1e-5)


def test_an_odd_size_keeps_its_size() -> None:
    assert small_flux2()(**small_inputs(11, 7)).shape == (2, 4, 11, 7)


def test_the_order_of_the_words_counts() -> None:
    ours, inputs = small_flux2(), small_inputs()
    turned = ours(**{**inputs, "context": inputs["context"].flip(1)})
    assert (ours(**inputs) - turned).abs().max() > 1e-4


def test_noise_becomes_a_picture_through_the_vae_of_its_space() -> None:
    config = Flux2Config(**{**vars(SMALL), "channels": 32})
    torch.manual_seed(0)
    family = FAMILIES["flux2"]
    assert isinstance(family.noise, FlowNoise)
    denoiser = Denoiser(
        Flux2(config).eval().requires_grad_(False),
        PREDICTIONS[family.prediction],
        levels_of(family.noise),
        LATENT_SPACES[family.latent_space],
        family.conditioning,
        family.network.joint,
    )
    words = torch.randn(1, 7, 24, generator=torch.Generator().manual_seed(1))
    prompt = Conditioning[Any](words, None, family.text_space)
    walk = sample(
        denoiser, torch.zeros(1, 32, 6, 4), prompt, prompt, seed=1, steps=3, cfg=1.0,
        schedule="simple",
    )  # fmt: skip
    *_, last = walk
    assert last.latent is not None
    assert 0.1 < last.latent.std() < 10
    sizes = {"stem_channels": 8, "channels": (8, 8, 8, 16), "norm_groups": 4}
    vae = AutoencoderKL(
        VaeConfig(
            pixel_channels=3,
            encoder_blocks=1,
            decoder_blocks=1,
            latent_channels=32,
            quantised_channels=None,
            normalised=True,
            **sizes,
        )
    ).eval()
    made = LoadedVae(vae, denoiser.space, lambda check: vae).decode(last.latent)
    assert made.shape == (1, 48, 32, 3)
    assert made.std() > 0


def diffusers_forward(ours: Flux2, inputs: dict[str, Tensor]) -> Tensor:
    """diffusers' answer with our weights, renamed by diffusers' own conversion."""
    model = diffusers_flux2(ours)
    x = inputs["x"]
    height, width = x.shape[2] // 2, x.shape[3] // 2
    places = torch.zeros(height, width, 4)
    places[..., 1] = torch.arange(height)[:, None]
    places[..., 2] = torch.arange(width)[None]
    words = torch.zeros(inputs["context"].shape[1], 4)
    words[:, 3] = torch.arange(len(words))
    folded = x.view(len(x), -1, height, 2, width, 2).permute(0, 1, 3, 5, 2, 4)
    answer = model(
        hidden_states=folded.reshape(len(x), -1, height * width).transpose(1, 2),
        encoder_hidden_states=inputs["context"],
        timestep=inputs["timesteps"],
        guidance=inputs.get("guidance"),
        img_ids=places.reshape(-1, 4),
        txt_ids=words,
    ).sample
    parts = answer.transpose(1, 2).reshape(len(x), -1, 2, 2, height, width)
    return parts.permute(0, 1, 4, 2, 5, 3).reshape(x.shape)


@pytest.mark.parametrize(
    ("width", "text_space"),
    [(15360, "flux2_dev"), (7680, "flux2_klein_4b"), (12288, "flux2_klein_9b")],
)
def test_diffusers_names_tell_dev_from_klein_as_well(width: int, text_space: str) -> None:
    shapes = {
        "double_stream_modulation_img.linear.weight": (576, 96),
        "x_embedder.weight": (96, 128),
        "context_embedder.weight": (96, width),
    }
    found = recognise(header_of(shapes))
    assert (found.family, found.text_spaces) == ("flux2", (text_space,))
