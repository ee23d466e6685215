"""Equal seeds give equal noise, and a batch's noise is that of its pictures alone."""

import pytest
import torch
import torchsde

from diffusion.noise import SEEDS, Noise, Scheme

CPU = torch.device("cpu")
SHAPE = (3, 4, 16, 16)
ONE = (1, 4, 16, 16)


def test_picture_k_of_a_batch_starts_as_a_single_run_with_seed_plus_k() -> None:
    batch = Noise(5, SHAPE).start()
    for k in range(3):
        assert torch.equal(batch[k : k + 1], Noise(5 + k, ONE).start())


def test_step_noise_of_a_batch_is_that_of_its_single_runs() -> None:
    batch = Noise(5, SHAPE).per_step(CPU)
    draws = [batch(2.0, 1.0), batch(1.0, 0.5)]
    for k in range(3):
        single = Noise(5 + k, ONE).per_step(CPU)
        for draw in draws:
            assert torch.equal(draw[k : k + 1], single(2.0, 1.0))


def test_brownian_noise_of_a_batch_is_that_of_its_single_runs() -> None:
    batch = Noise(5, SHAPE).brownian(0.1, 10.0, CPU)
    draw = batch(5.0, 3.0)
    for k in range(3):
        single = Noise(5 + k, ONE).brownian(0.1, 10.0, CPU)
        assert torch.equal(draw[k : k + 1], single(5.0, 3.0))


def test_step_noise_does_not_repeat_the_start_noise_or_itself() -> None:
    for scheme in ("loom", "comfyui"):
        noise = Noise(5, SHAPE, scheme)
        steps = noise.per_step(CPU)
        draws = [noise.start(), steps(2.0, 1.0), steps(1.0, 0.5)]
        for a, b in [(0, 1), (0, 2), (1, 2)]:
            # 3072 pairs: chance correlations beyond 0.09 are 5 standard errors away
            both = torch.stack([draws[a].flatten(), draws[b].flatten()])
            assert abs(float(torch.corrcoef(both)[0, 1])) < 0.09


def test_noise_is_unit_normal() -> None:
    noise = Noise(1, (1, 4, 200, 200))
    brownian = noise.brownian(0.1, 10.0, CPU)
    for draw in (noise.start(), noise.per_step(CPU)(2.0, 1.0), brownian(2.0, 1.5)):
        # 160,000 draws: standard errors 0.0025 and 0.0018
        assert float(draw.mean()) == pytest.approx(0, abs=0.012)
        assert float(draw.std()) == pytest.approx(1, abs=0.009)


def test_brownian_steps_add_up() -> None:
    noise = Noise(1, ONE).brownian(0.1, 10.0, CPU)
    long = noise(9.0, 1.0) * 8.0**0.5
    short = noise(9.0, 4.0) * 5.0**0.5 + noise(4.0, 1.0) * 3.0**0.5
    torch.testing.assert_close(long, short, atol=1e-5, rtol=0)  # a tree of float32 sums


def test_the_comfyui_scheme_draws_the_batch_at_once() -> None:
    torch.manual_seed(5)
    assert torch.equal(Noise(5, SHAPE, "comfyui").start(), torch.randn(SHAPE))
    torch.manual_seed(6)
    assert torch.equal(Noise(5, SHAPE, "comfyui").per_step(CPU)(2.0, 1.0), torch.randn(SHAPE))


def test_a_single_picture_starts_alike_in_both_schemes() -> None:
    assert torch.equal(Noise(5, ONE).start(), Noise(5, ONE, "comfyui").start())


def test_seeds_reach_to_the_last_64_bit_number_and_wrap_around() -> None:
    batch = Noise(SEEDS - 1, (2, 4, 16, 16)).start()
    assert torch.equal(batch[1:], Noise(0, ONE).start())


def test_drawing_noise_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(0)
    state = torch.get_rng_state()
    noise = Noise(5, SHAPE)
    noise.per_step(CPU)(2.0, 1.0)
    noise.brownian(0.1, 10.0, CPU)(2.0, 1.0)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("scheme", ["loom", "comfyui"])
def test_brownian_noise_is_the_same_in_whatever_order_it_is_asked_for(scheme: Scheme) -> None:
    steps = [(9.0, 4.0), (4.0, 3.0), (3.0, 0.7), (9.0, 6.0), (0.7, 0.1)]
    forwards, backwards = (Noise(5, SHAPE, scheme).brownian(0.1, 10.0, CPU) for _ in range(2))
    first = [forwards(*step) for step in steps]
    again = [backwards(*step) for step in reversed(steps)]
    for one, other in zip(first, reversed(again), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(forwards(*steps[0]), first[0])


def test_a_neighbour_changes_no_pictures_noise() -> None:
    alone, beside = (Noise(5, (n, *SHAPE[1:])) for n in (1, 3))
    for made in ("per_step", "brownian"):
        span = (0.1, 10.0) if made == "brownian" else ()
        one, many = (getattr(noise, made)(*span, CPU) for noise in (alone, beside))
        for step in [(10.0, 4.0), (4.0, 1.0)]:
            assert torch.equal(many(*step)[:1], one(*step))


def test_the_comfyui_scheme_has_one_brownian_path_for_the_batch() -> None:
    tree = torchsde.BrownianTree(t0=0.1, w0=torch.zeros(SHAPE), t1=10.0, entropy=5)
    noise = Noise(5, SHAPE, "comfyui").brownian(0.1, 10.0, CPU)
    assert torch.equal(noise(9.0, 4.0), tree(4.0, 9.0) * (-1 / 5**0.5))
