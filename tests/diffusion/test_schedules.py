"""Noise levels and schedules equal their formulas, written down here a second time."""

import math

import numpy as np
import pytest
import torch
from diffusers import EulerDiscreteScheduler
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta as beta_distribution

from diffusion.levels import DiscreteLevels, FlowLevels, ddpm_levels
from diffusion.schedules import SCHEDULES, sigmas_for

LEVELS = ddpm_levels()
FLOAT32 = 2e-6  # relative: a few roundings of float32


def table() -> np.ndarray:
    """The 1000 levels, in float64 numpy."""
    betas = np.linspace(math.sqrt(0.00085), math.sqrt(0.012), 1000) ** 2
    alphas = np.cumprod(1 - betas)
    return np.sqrt((1 - alphas) / alphas)


def test_the_levels_are_the_published_ones() -> None:
    assert LEVELS.sigmas.dtype == torch.float32
    np.testing.assert_array_equal(LEVELS.sigmas.numpy(), table().astype(np.float32))
    assert LEVELS.sigma_min == pytest.approx(0.02916716, abs=5e-9)
    assert LEVELS.sigma_max == pytest.approx(14.6146412, abs=5e-7)


def test_the_network_is_told_whole_timesteps() -> None:
    assert LEVELS.timestep(LEVELS.sigma_max) == 999
    assert LEVELS.timestep(LEVELS.sigma_min) == 0
    assert LEVELS.timestep(1e9) == 999
    logs = np.log(table())
    for sigma in np.geomspace(0.03, 14.6, 97):
        assert LEVELS.timestep(float(sigma)) == np.abs(logs - math.log(sigma)).argmin()


@given(st.floats(0, 999))
@settings(max_examples=50, deadline=None)
def test_levels_between_timesteps_lie_on_lines_in_log_sigma(timestep: float) -> None:
    expected = math.exp(np.interp(timestep, np.arange(1000), np.log(table())))
    # float32 timesteps near 1000 are 6e-5 apart, and log σ rises by up to 0.3 a timestep
    assert LEVELS.sigma(timestep) == pytest.approx(expected, rel=3e-5)


def test_a_fraction_of_the_way_is_a_fraction_of_the_timesteps() -> None:
    assert LEVELS.at(0) > 1e8
    assert LEVELS.at(1) == 0
    assert LEVELS.at(0.25) == pytest.approx(LEVELS.sigma(0.75 * 999))


def test_zero_terminal_snr_keeps_the_first_level_and_drowns_the_last() -> None:
    levels = ddpm_levels(zero_snr=True)
    assert levels.sigma_min == pytest.approx(LEVELS.sigma_min, rel=FLOAT32)
    assert levels.sigma_max == pytest.approx(4518.8, abs=0.1)


def test_flow_levels_are_shifted_and_their_timesteps_are_scaled() -> None:
    levels = FlowLevels(shift=3.0)
    t = np.arange(1, 1001) / 1000
    np.testing.assert_allclose(levels.sigmas.numpy(), 3 * t / (1 + 2 * t), rtol=FLOAT32)
    assert levels.timestep(0.5) == 500
    assert levels.sigma(500) == pytest.approx(0.75)
    assert levels.at(0.5) == pytest.approx(0.75)
    assert (levels.at(0), levels.at(1)) == (1.0, 0.0)


def expected(name: str, n: int) -> list[float]:
    """A schedule's levels over the 1000, by its formula, in float64."""
    sigma = table()
    high, low = sigma[-1], sigma[0]

    def at(timesteps: np.ndarray) -> np.ndarray:
        return np.exp(np.interp(timesteps, np.arange(1000), np.log(sigma)))

    ramp = np.linspace(0, 1, n)
    stride = max(1000 // n, 1)
    quantiles = beta_distribution.ppf(1 - np.arange(n) / n, 0.6, 0.6)
    lists = {
        "normal": lambda: at(np.linspace(999, 0, n)),
        "sgm_uniform": lambda: at(np.linspace(999, 0, n + 1)[:-1]),
        "karras": lambda: (high ** (1 / 7) + ramp * (low ** (1 / 7) - high ** (1 / 7))) ** 7,
        "exponential": lambda: np.exp(math.log(high) + ramp * math.log(low / high)),
        "simple": lambda: [sigma[999 - int(k * 1000 / n)] for k in range(n)],
        "ddim_uniform": lambda: [sigma[k] for k in range(1, 1000, stride)][::-1],
        "beta": lambda: [
            sigma[k] for k in sorted({round(999 * float(q)) for q in quantiles}, reverse=True)
        ],
        "linear_quadratic": lambda: linear_quadratic(n, high),
        "kl_optimal": lambda: np.tan((1 - ramp) * math.atan(high) + ramp * math.atan(low)),
    }
    return [*lists[name](), 0.0]


def linear_quadratic(n: int, high: float) -> list[float]:
    """Found by its conditions, not by its formula: a line to 0.025, then the one parabola that
    meets the line in value and slope and ends at 1.
    """
    half = n // 2
    slope = 0.025 / half
    rows = [[half**2, half, 1], [2 * half, 1, 0], [n**2, n, 1]]
    a, b, c = np.linalg.solve(rows, [0.025, slope, 1.0])
    shares = [k * slope if k < half else a * k * k + b * k + c for k in range(n)]
    return [(1 - share) * high for share in shares]


@pytest.mark.parametrize("n", [2, 7, 20, 30])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_equals_its_formula(name: str, n: int) -> None:
    sigmas = SCHEDULES[name](LEVELS, n)
    assert sigmas.dtype == torch.float32
    # 3e-5: float32 timesteps, as above
    np.testing.assert_allclose(sigmas.numpy(), expected(name, n), rtol=3e-5, atol=1e-7)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 50, 999])
def test_every_schedule_falls_to_zero(name: str, steps: int) -> None:
    sigmas = SCHEDULES[name](LEVELS, steps)
    assert sigmas[-1] == 0
    assert (sigmas.diff() < 0).all()


def test_ddim_uniform_gives_a_step_more_where_the_table_does_not_divide() -> None:
    assert len(SCHEDULES["ddim_uniform"](LEVELS, 20)) == 20 + 1
    assert len(SCHEDULES["ddim_uniform"](LEVELS, 30)) == 31 + 1


def test_beta_names_a_level_once() -> None:
    assert len(SCHEDULES["beta"](LEVELS, 1000)) < 1000


def test_a_table_that_ends_at_zero_gets_no_second_zero() -> None:
    alphas = torch.cat([torch.ones(2), torch.linspace(0.999, 0.01, 998)]).double()
    levels = DiscreteLevels(alphas.clamp(max=1 - 1e-13))
    for name in ("normal", "ddim_uniform"):
        sigmas = SCHEDULES[name](levels, 10)
        assert (sigmas < 1e-5).sum() == 1
        assert len(sigmas) == 11 + (name == "ddim_uniform")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("name", ["normal", "karras", "exponential"])
def test_schedules_equal_those_of_diffusers(name: str) -> None:
    flags = {} if name == "normal" else {f"use_{name}_sigmas": True}
    theirs = EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        timestep_spacing="linspace",
        **flags,
    )
    theirs.set_timesteps(20)
    ours = SCHEDULES[name](LEVELS, 20)
    # 1e-4: they interpolate σ, not log σ, between timesteps, and hold float32 products
    torch.testing.assert_close(ours, theirs.sigmas.float(), rtol=1e-4, atol=1e-6)


def test_part_of_a_denoise_takes_the_end_of_a_longer_list() -> None:
    whole = sigmas_for(LEVELS, "karras", 40)
    assert torch.equal(sigmas_for(LEVELS, "karras", 20, denoise=0.5), whole[-21:])
    assert torch.equal(
        sigmas_for(LEVELS, "karras", 7, denoise=0.3), SCHEDULES["karras"](LEVELS, 23)[-8:]
    )
    assert torch.equal(
        sigmas_for(LEVELS, "karras", 20, denoise=0.99995), SCHEDULES["karras"](LEVELS, 20)
    )
    assert len(sigmas_for(LEVELS, "karras", 20, denoise=0)) == 0


def test_the_last_but_one_level_can_be_left_out() -> None:
    longer = SCHEDULES["karras"](LEVELS, 21).tolist()
    sigmas = sigmas_for(LEVELS, "karras", 20, discard_penultimate=True)
    assert sigmas.tolist() == longer[:-2] + longer[-1:]


def test_a_run_may_start_late_and_end_early() -> None:
    whole = sigmas_for(LEVELS, "normal", 10)
    late = sigmas_for(LEVELS, "normal", 10, start=4)
    assert torch.equal(late, whole[4:])
    early = sigmas_for(LEVELS, "normal", 10, end=4)
    assert torch.equal(early[:4], whole[:4])
    assert early[4] == 0
    assert torch.equal(sigmas_for(LEVELS, "normal", 10, end=4, leave_noise=True), whole[:5])
    assert torch.equal(sigmas_for(LEVELS, "normal", 10, end=10), whole)
    assert len(sigmas_for(LEVELS, "normal", 10, start=10)) == 0
    assert len(sigmas_for(LEVELS, "normal", 10, end=0)) < 2


def test_a_level_named_twice_is_one_step() -> None:
    sigmas = sigmas_for(LEVELS, "simple", 1000, denoise=0.4)
    assert (sigmas.diff() < 0).all()
