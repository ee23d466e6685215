"""Guidance mixes two answers of the network, in as few calls as it can."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from diffusion.denoiser import Denoiser
from diffusion.guidance import estimates, guided
from diffusion.levels import ddpm_levels
from diffusion.prediction import PREDICTIONS, Epsilon


@dataclass
class Prompt:
    tokens: Tensor


class Plain:
    """A latent space without a scale of its own."""

    channels = 4
    downscale = 8

    def normalise(self, raw: Tensor) -> Tensor:
        return raw

    def denormalise(self, z: Tensor) -> Tensor:
        return z


class Network(nn.Module):
    """Attends to its context with one head; notes the shapes it is called with."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.query = nn.Parameter(torch.randn(4, 6, generator=generator))
        self.calls: list[tuple[int, ...]] = []
        self.timesteps: list[Tensor] = []

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
        self.calls.append((len(x), context.shape[1]))
        self.timesteps.append(timesteps)
        queries = x.flatten(2).transpose(1, 2) @ self.query
        seen = nn.functional.scaled_dot_product_attention(queries, context, context)
        return (seen @ self.query.T).transpose(1, 2).reshape(x.shape)


def denoiser() -> Denoiser:
    return Denoiser(Network(), Epsilon(), ddpm_levels(), Plain())


def prompt(tokens: int, batch: int = 1) -> Prompt:
    return Prompt(torch.randn(batch, tokens, 6, generator=torch.Generator().manual_seed(tokens)))


X = torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(1))
ROUNDING = 1e-5  # the same float32 sums in another order


def test_guidance_goes_from_the_negative_past_the_positive() -> None:
    model = denoiser()
    away = model.denoise(X, 2.0, prompt(5).tokens.expand(2, -1, -1))
    to = model.denoise(X, 2.0, prompt(7).tokens.expand(2, -1, -1))
    result = guided(model, prompt(7), prompt(5), 7.5)(X, 2.0)
    torch.testing.assert_close(result, away + 7.5 * (to - away), atol=10 * ROUNDING, rtol=0)


def test_prompts_of_one_length_share_a_call() -> None:
    model = denoiser()
    guided(model, prompt(7), prompt(7), 7.5)(X, 2.0)
    assert model.module.calls == [(4, 7)]


def test_the_negative_comes_first_in_the_shared_call() -> None:
    seen = []

    class Spy(Network):
        def forward(self, x: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
            seen.append(context)
            return x

    model = Denoiser(Spy(), Epsilon(), ddpm_levels(), Plain())
    positive, negative = Prompt(torch.ones(1, 3, 6)), Prompt(torch.zeros(1, 3, 6))
    guided(model, positive, negative, 2.0)(X, 2.0)
    assert [float(item.mean()) for item in seen[0]] == [0, 0, 1, 1]


def test_a_prompt_of_two_chunks_shares_a_call_by_repeating_the_shorter_one() -> None:
    model = denoiser()
    guided(model, prompt(14), prompt(7), 7.5)(X, 2.0)
    assert model.module.calls == [(4, 14)]


@pytest.mark.parametrize(("positive", "negative"), [(14, 7), (7, 14), (12, 8), (35, 7)])
def test_sharing_a_call_changes_nothing(positive: int, negative: int) -> None:
    model = denoiser()
    joined = guided(model, prompt(positive), prompt(negative), 3.0)(X, 2.0)
    to = guided(model, prompt(positive), prompt(negative), 1.0)(X, 2.0)
    away = guided(model, prompt(negative), prompt(negative), 1.0)(X, 2.0)
    torch.testing.assert_close(joined, away + 3.0 * (to - away), atol=10 * ROUNDING, rtol=0)


def test_lengths_that_share_no_small_multiple_are_called_apart() -> None:
    model = denoiser()
    guided(model, prompt(35), prompt(7), 7.5)(X, 2.0)
    assert model.module.calls == [(2, 7), (2, 35)]


def test_tokens_that_attend_with_the_picture_are_not_repeated() -> None:
    model = replace(denoiser(), joint=True)
    guided(model, prompt(14), prompt(7), 7.5)(X, 2.0)
    guided(model, prompt(7), prompt(7), 7.5)(X, 2.0)
    assert model.module.calls == [(2, 7), (2, 14), (4, 7)]


def test_at_cfg_one_the_negative_is_not_computed() -> None:
    model = denoiser()
    result = guided(model, prompt(7), prompt(5), 1.0)(X, 2.0)
    assert model.module.calls == [(2, 7)]
    assert torch.equal(result, model.denoise(X, 2.0, prompt(7).tokens.expand(2, -1, -1)))


def test_a_conditioning_per_picture_reaches_its_picture() -> None:
    model = denoiser()
    two = prompt(7, batch=2)
    result = guided(model, two, prompt(7), 1.0)(X, 2.0)
    for k in range(2):
        alone = guided(model, Prompt(two.tokens[k : k + 1]), prompt(7), 1.0)(X[k : k + 1], 2.0)
        torch.testing.assert_close(result[k : k + 1], alone, atol=ROUNDING, rtol=0)
    with pytest.raises(ValueError, match="2 pictures"):
        guided(model, two, prompt(7), 1.0)(torch.cat([X, X]), 2.0)


def test_the_network_is_told_the_nearest_timestep_of_every_picture() -> None:
    model = denoiser()
    guided(model, prompt(7), prompt(7), 1.0)(X, ddpm_levels().sigma(500.4))
    assert model.module.timesteps[0].tolist() == [500.0, 500.0]


def test_a_network_in_bfloat16_answers_in_float32() -> None:
    network = Network().bfloat16()
    model = Denoiser(network, Epsilon(), ddpm_levels(), Plain())
    result = guided(model, prompt(7), prompt(7), 4.0)(X, 2.0)
    assert result.dtype == torch.float32
    exact = guided(denoiser(), prompt(7), prompt(7), 4.0)(X, 2.0)
    # bfloat16 has 8 significant bits: answers of about 1, times σ = 2 and the guidance's 4
    torch.testing.assert_close(result, exact, atol=0.2, rtol=0)


def test_a_run_can_be_stopped_between_the_two_calls() -> None:
    model = denoiser()

    def check() -> None:
        if model.module.calls:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guided(model, prompt(35), prompt(7), 7.5, check)(X, 2.0)
    assert model.module.calls == [(2, 7)]


@pytest.mark.parametrize("cfg", [1.0, 3.0])
def test_both_estimates_can_be_had_even_where_guidance_is_off(cfg: float) -> None:
    model = denoiser()
    both = estimates(guided(model, prompt(7), prompt(5), cfg), X, 2.0)
    away = guided(model, prompt(5), prompt(5), 1.0)(X, 2.0)
    torch.testing.assert_close(both.away, away, atol=ROUNDING, rtol=0)
    expected = guided(model, prompt(7), prompt(5), cfg)(X, 2.0)
    torch.testing.assert_close(both.denoised, expected, atol=ROUNDING, rtol=0)
    assert float((both.denoised - both.away).abs().max()) > 100 * ROUNDING


@pytest.mark.parametrize("flow", [False, True])
def test_a_rescaled_guidance_has_the_positive_prompts_spread(flow: bool) -> None:
    """Lin et al. 2024, eq. 15 and 16, written down again over the velocities."""
    sigma = 0.6 if flow else 2.0
    plain = replace(denoiser(), prediction=PREDICTIONS["flow"]) if flow else denoiser()
    to = guided(plain, prompt(7), prompt(5), 1.0)(X, sigma)
    strong = guided(plain, prompt(7), prompt(5), 9.0)(X, sigma)

    def velocity(estimate: Tensor) -> Tensor:
        if flow:
            return (X - estimate) / sigma
        return (X / (sigma**2 + 1) - estimate) * (sigma**2 + 1) ** 0.5 / sigma

    for share in (0.3, 1.0):
        found = guided(replace(plain, rescale=share), prompt(7), prompt(5), 9.0)(X, sigma)
        v, own = velocity(strong), velocity(to)
        spread = own.std((1, 2, 3)) / v.std((1, 2, 3))
        expected = v * (share * spread[:, None, None, None] + 1 - share)
        torch.testing.assert_close(velocity(found), expected, atol=20 * ROUNDING, rtol=0)
    unguided = guided(replace(plain, rescale=1.0), prompt(7), prompt(5), 1.0)(X, sigma)
    assert torch.equal(unguided, to)


class Named(NamedTuple):
    tokens: Tensor


def test_a_conditioning_may_be_a_named_tuple() -> None:
    model = denoiser()
    named = guided(model, Named(prompt(7).tokens), Named(prompt(5).tokens), 3.0)(X, 2.0)
    assert torch.equal(named, guided(model, prompt(7), prompt(5), 3.0)(X, 2.0))
