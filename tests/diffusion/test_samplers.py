"""Samplers solve the Gaussian problem, whose answers are known, at the order that they claim."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from diffusion.noise import Noise
from diffusion.samplers import SAMPLERS, Sampler, Step
from tests.diffusion import gaussian

CPU = torch.device("cpu")
OWN = [row for row in SAMPLERS.values() if row.name == row.walk.__name__]  # not second names
DETERMINISTIC = [row for row in OWN if row.noise == "none" and row.name != "dpm_adaptive"]
STOCHASTIC = [row for row in OWN if row.noise != "none"]


class Counted:
    """The Gaussian problem's denoiser, which notes the levels that it is asked at."""

    def __init__(self) -> None:
        self.calls: list[float] = []

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        self.calls.append(sigma)
        return gaussian.denoise(x, sigma)


class Silent:
    """A step noise that no deterministic sampler may ask for."""

    flow = False
    middle = (1.0, 0.0)

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:
        raise AssertionError("a deterministic sampler asked for noise")


class Still(Silent):
    """The same for a flow."""

    flow = True


def last(steps: list[Step]) -> Tensor:
    return steps[-1].x


def named(row: Sampler) -> str:
    return row.name


@pytest.mark.parametrize("row", DETERMINISTIC, ids=named)
def test_a_deterministic_sampler_converges_at_its_order(row: Sampler) -> None:
    start = torch.linspace(-30, 30, 9, dtype=torch.float64)
    exact = gaussian.flown(start, 10.0, 0.1)
    counts = [64, 128, 256]
    errors = []
    for count in counts:
        sigmas = gaussian.even(10.0, 0.1, count)
        result = last(list(row.walk(gaussian.denoise, start, sigmas, Silent())))
        errors.append(float((result - exact).abs().max()))
    slope = math.log(errors[0] / errors[-1]) / math.log(counts[-1] / counts[0])
    assert slope > row.order - 0.15, errors  # 0.15: terms of higher order are not gone yet
    assert errors[-1] < 1e-2


@pytest.mark.parametrize("name", ["uni_pc", "uni_pc_bh2"])
def test_unipc_is_of_third_order_until_its_last_step(name: str) -> None:
    start = torch.linspace(-30, 30, 9, dtype=torch.float64)
    errors = []
    for count in (64, 128, 256):
        sigmas = gaussian.even(10.0, 0.1, count)
        steps = list(SAMPLERS[name].walk(gaussian.denoise, start, sigmas, Silent()))
        exact = gaussian.flown(start, 10.0, float(sigmas[-2]))
        errors.append(float((steps[-2].x - exact).abs().max()))
    assert math.log2(errors[0] / errors[-1]) / 2 > 2.85, errors


@pytest.mark.parametrize("row", DETERMINISTIC, ids=named)
def test_a_deterministic_sampler_ends_at_the_picture(row: Sampler) -> None:
    start = gaussian.MEAN + torch.linspace(-1, 1, 9, dtype=torch.float64) * 10
    sigmas = torch.cat([gaussian.even(10.0, 0.03, 60), torch.zeros(1, dtype=torch.float64)])
    result = last(list(row.walk(gaussian.denoise, start, sigmas, Silent())))
    exact = gaussian.flown(start, 10.0, 0.0)
    assert float((result - exact).abs().max()) < 0.06 / row.order**2


def test_ddim_is_eulers_method() -> None:
    start = torch.linspace(-3, 3, 9, dtype=torch.float64)
    sigmas = gaussian.even(10.0, 0.1, 10)
    by_name = [
        last(list(SAMPLERS[name].walk(gaussian.denoise, start, sigmas, Silent())))
        for name in ("ddim", "euler")
    ]
    assert torch.equal(*by_name)


def consistent(x: Tensor, sigma: float) -> Tensor:
    """What a perfect consistency model answers: the end of the path that x is on."""
    return gaussian.flown(x, sigma, 0.0)


def consistent_flow(x: Tensor, sigma: float) -> Tensor:
    keep = 1 - sigma
    spread = math.sqrt(keep**2 * gaussian.DEVIATION**2 + sigma**2)
    return gaussian.MEAN + (x - keep * gaussian.MEAN) * (gaussian.DEVIATION / spread)


def population(
    row: Sampler, denoise: Callable[[Tensor, float], Tensor], sigmas: Tensor, *, flow: bool
) -> Tensor:
    """40,000 results, from starts that are distributed exactly as the first level's data are."""
    noise = Noise(11, (1, 4, 100, 100))
    top = float(sigmas[0])
    keep = 1 - top if flow else 1.0
    spread = math.sqrt(keep**2 * gaussian.DEVIATION**2 + top**2)
    start = keep * gaussian.MEAN + noise.start() * spread
    if row.noise == "brownian":
        step_noise = noise.brownian(float(sigmas[sigmas > 0].min()), top, CPU, flow=flow)
    else:
        step_noise = noise.per_step(CPU, flow=flow)
    return last(list(row.walk(denoise, start, sigmas, step_noise)))


def assert_is_the_data(result: Tensor) -> None:
    # 40,000 draws: the mean's standard error is 0.0025, the deviation's 0.0018; the rest is the
    # discretisation of 80 steps.
    assert float(result.mean()) == pytest.approx(gaussian.MEAN, abs=0.015)
    assert float(result.std()) == pytest.approx(gaussian.DEVIATION, abs=0.02)


@pytest.mark.parametrize("row", STOCHASTIC, ids=named)
def test_a_stochastic_sampler_gives_the_data_their_mean_and_variance(row: Sampler) -> None:
    sigmas = torch.cat([gaussian.even(14.6, 0.03, 80), torch.zeros(1)]).float()
    denoise = consistent if row.name == "lcm" else gaussian.denoise
    assert_is_the_data(population(row, denoise, sigmas, flow=False))


@pytest.mark.parametrize("row", STOCHASTIC, ids=named)
def test_a_stochastic_sampler_serves_flow_models(row: Sampler) -> None:
    sigmas = torch.linspace(1, 0, 81)
    if row.below_one:
        sigmas[0] = 0.9999
    denoise = consistent_flow if row.name == "lcm" else gaussian.denoise_flow
    assert_is_the_data(population(row, denoise, sigmas, flow=True))


@pytest.mark.parametrize("name", ["dpm_fast", "dpm_adaptive"])
def test_dpm_solver_takes_a_flow_to_the_picture(name: str) -> None:
    sigmas = torch.cat([torch.linspace(1, 0.3, 20), torch.zeros(1)])
    start = torch.linspace(-2, 2, 9)
    *_, end = SAMPLERS[name].walk(gaussian.denoise_flow, start, sigmas, Still())
    # from 0.3 on the estimate is E[x₀ | x], which keeps 0.76 of the data's deviation
    keep = 0.7 * gaussian.DEVIATION / math.hypot(0.7 * gaussian.DEVIATION, 0.3)
    expected = gaussian.MEAN + keep * gaussian.DEVIATION * start
    # dpm_adaptive's tolerance is 5 % of the states, here up to 2
    torch.testing.assert_close(end.x, expected, atol=0.05, rtol=0)


@pytest.mark.parametrize("row", DETERMINISTIC, ids=named)
def test_a_deterministic_sampler_serves_flow_models(row: Sampler) -> None:
    sigmas = torch.linspace(1, 0, 81)
    if row.below_one:
        sigmas[0] = 0.9999
    assert_is_the_data(population(row, gaussian.denoise_flow, sigmas, flow=True))


@pytest.mark.parametrize("row", OWN, ids=named)
@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_every_step_is_reported_once(row: Sampler, steps: int) -> None:
    noise = Noise(3, (2, 4, 8, 8))
    sigmas = torch.cat([gaussian.even(10.0, 0.1, steps)[:-1], torch.zeros(1)]).float()
    if row.noise == "brownian":
        step_noise = noise.brownian(float(sigmas[:-1].min()), 10.0, CPU)
    else:
        step_noise = noise.per_step(CPU)
    seen = list(row.walk(gaussian.denoise, noise.start() * 10, sigmas, step_noise))
    done = [step.index for step in seen]
    if row.own_levels:
        assert done == sorted(set(done))
        assert seen[-1].index == seen[-1].steps
    else:
        assert done == list(range(1, steps + 1))
        assert {step.steps for step in seen} == {steps}
        assert [step.sigma for step in seen] == sigmas[:-1].tolist()
    assert all(torch.isfinite(step.x).all() for step in seen)


@pytest.mark.parametrize("steps", [2, 3, 6, 7, 8])
def test_dpm_fast_evaluates_once_a_step_of_the_list(steps: int) -> None:
    counted = Counted()
    sigmas = gaussian.even(10.0, 0.1, steps)
    list(SAMPLERS["dpm_fast"].walk(counted, torch.ones(1), sigmas, Silent()))
    assert len(counted.calls) == steps


def test_dpm_adaptive_keeps_its_tolerance_whatever_the_list() -> None:
    start = torch.linspace(-30, 30, 9, dtype=torch.float64)
    counted = Counted()
    few, many = (
        list(SAMPLERS["dpm_adaptive"].walk(counted, start, gaussian.even(10.0, 0.1, n), Silent()))
        for n in (2, 50)
    )
    assert torch.equal(last(few), last(many))
    assert len(few) == few[-1].steps
    exact = gaussian.flown(start, 10.0, 0.1)
    # a step may err by 5 % of the states, whose squares are averaged: the largest count most
    assert float((last(few) - exact).abs().max()) < 0.05 * float(exact.abs().max())
    assert len(counted.calls) < 2 * 60


def test_dpm_adaptive_gives_up_where_the_answers_are_not_finite() -> None:
    def broken(x: Tensor, sigma: float) -> Tensor:
        return x * float("nan")

    walk = SAMPLERS["dpm_adaptive"].walk(
        broken, torch.ones(1), gaussian.even(10.0, 0.1, 5), Silent()
    )
    assert next(walk).denoised.isnan().all()


@pytest.mark.parametrize("name", ["sa_solver", "sa_solver_pece"])
def test_sa_solver_outside_of_the_middle_is_of_third_order(name: str) -> None:
    start = torch.linspace(-30, 30, 9, dtype=torch.float64)
    exact = gaussian.flown(start, 10.0, 0.1)
    errors = []
    for count in (64, 128, 256):
        sigmas = gaussian.even(10.0, 0.1, count)
        result = last(list(SAMPLERS[name].walk(gaussian.denoise, start, sigmas, Silent())))
        errors.append(float((result - exact).abs().max()))
    assert math.log2(errors[0] / errors[-1]) / 2 > 2.85, errors


def test_sa_solver_adds_noise_in_the_middle_of_the_way_alone() -> None:
    class Middle(Silent):
        middle = (1.0, 5.0)

        def __init__(self) -> None:
            self.ends: list[float] = []

        def __call__(self, sigma: float, sigma_next: float) -> Tensor:
            self.ends.append(sigma_next)
            return torch.zeros(1)

    noise, sigmas = Middle(), gaussian.even(10.0, 0.1, 20)
    list(SAMPLERS["sa_solver"].walk(gaussian.denoise, torch.ones(1), sigmas, noise))
    assert noise.ends == [sigma for sigma in sigmas.tolist() if 1 <= sigma <= 5]


def test_a_sampler_gives_up_its_step_before_it_makes_the_next() -> None:
    calls = []

    def counted(x: Tensor, sigma: float) -> Tensor:
        calls.append(sigma)
        return gaussian.denoise(x, sigma)

    walk = SAMPLERS["euler"].walk(counted, torch.ones(1), gaussian.even(10.0, 0.1, 10), Silent())
    next(walk)
    assert len(calls) == 1


def test_the_corrector_costs_no_evaluation() -> None:
    calls = []

    def counted(x: Tensor, sigma: float) -> Tensor:
        calls.append(sigma)
        return gaussian.denoise(x, sigma)

    sigmas = gaussian.even(10.0, 0.1, 10)
    list(SAMPLERS["uni_pc"].walk(counted, torch.ones(1), sigmas, Silent()))
    assert len(calls) == 10
