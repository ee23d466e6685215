"""Every sampler serves every kind of run: short ones, parts of one, img2img, a mask, a cancel."""

from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion.sample import Progress, sample
from diffusion.samplers import SAMPLERS
from tests.diffusion.toy import FAMILIES, NEGATIVE, POSITIVE

KINDS = ("sd1", "sd2-velocity", "sdxl-zero-snr", "sd3", "flux1")
SHAPE = (4, 6)


def latent(kind: str, batch: int = 1) -> Tensor:
    """A picture's latent, in raw form: numbers about 1 in the model's scale."""
    space = FAMILIES[kind].denoiser.space
    generator = torch.Generator().manual_seed(8)
    made = torch.randn(batch, space.channels, *SHAPE, generator=generator)
    return space.denormalise(made)


def run(kind: str, name: str, given: Tensor | None = None, **options: Any) -> list[Progress]:
    settings = {"seed": 3, "steps": 4, "cfg": 2.0, "schedule": "karras", **options}
    start = torch.zeros_like(latent(kind)) if given is None else given
    walk = sample(FAMILIES[kind].denoiser, start, POSITIVE, NEGATIVE, sampler=name, **settings)
    return list(walk)


def result(*args: Any, **options: Any) -> Tensor:
    made = run(*args, **options)[-1].latent
    assert made is not None
    assert made.isfinite().all()
    assert made.shape[-2:] == SHAPE
    return made


def each_kind(test: Any) -> Any:
    return pytest.mark.parametrize("name", SAMPLERS)(test)


@each_kind
def test_runs_of_one_step_and_of_two_end_in_numbers(name: str) -> None:
    for kind in KINDS:
        for steps in (1, 2):
            records = run(kind, name, steps=steps)
            assert records[-1].step == records[-1].steps >= 1
            assert records[-1].latent is not None
            assert records[-1].latent.isfinite().all(), (kind, steps)


@each_kind
def test_one_step_to_zero_ends_at_the_estimate(name: str) -> None:
    # UniPC ends at σ = 0.001 in place of 0
    close = 2e-3 if name.startswith("uni_pc") else 1e-4  # of latents up to 20
    for kind in KINDS:
        (record,) = run(kind, name, steps=1)
        assert record.latent is not None
        expected = FAMILIES[kind].denoiser.space.denormalise(record.denoised)
        torch.testing.assert_close(record.latent, expected, atol=20 * close, rtol=0)


@each_kind
def test_a_picture_is_changed_by_as_much_as_is_asked(name: str) -> None:
    for kind in KINDS:
        picture = latent(kind)
        little, much = (result(kind, name, picture, denoise=share) for share in (0.1, 0.9))
        assert float((little - picture).abs().mean()) > 0, kind
        assert float((little - picture).abs().mean()) < float((much - picture).abs().mean()), kind


@each_kind
def test_a_run_can_be_done_in_parts(name: str) -> None:
    for kind in KINDS:
        half = result(kind, name, end=2, leave_noise=True)
        rest = result(kind, name, half, start=2, add_noise=False)
        finished = result(kind, name, end=2)
        assert not torch.equal(half, rest), kind
        assert not torch.equal(half, finished), kind


@each_kind
def test_what_a_mask_covers_stays(name: str) -> None:
    mask = torch.zeros(1, *SHAPE)
    mask[..., 3:] = 1
    for kind in ("sd1", "sd3"):
        picture = latent(kind)
        made = result(kind, name, picture, mask=mask, denoise=0.7)
        changes = (made - picture).abs()
        # the last step lands on the estimate, which is the picture there; three samplers stop next
        # to the picture, at their list's last level or σ = 0.001, with that level's noise
        assert float(changes[..., :3].max()) < (0.8 if SAMPLERS[name].own_levels else 0.1), kind
        assert float(changes[..., 3:].mean()) > 0.05, kind


@each_kind
def test_a_cancel_is_heard_before_the_next_evaluation(name: str) -> None:
    class Stop(Exception):
        pass

    calls, looks = [], []
    model = FAMILIES["sd1"].denoiser
    hook = model.module.register_forward_pre_hook(lambda *_: calls.append(1))

    def check() -> None:
        looks.append(1)
        if len(looks) == 3:
            raise Stop

    try:
        with pytest.raises(Stop):
            run("sd1", name, steps=8, check_cancel=check)
    finally:
        hook.remove()
    assert len(calls) == 2


@each_kind
def test_every_step_has_an_estimate_to_show(name: str) -> None:
    records = run("sd1", name, steps=6)
    assert [record.step for record in records] == sorted({record.step for record in records})
    for record in records:
        assert record.denoised.shape == (1, 4, *SHAPE)
        assert record.denoised.isfinite().all()
    assert records[-1].step == records[-1].steps


@each_kind
def test_equal_seeds_give_equal_latents_whatever_ran_before(name: str) -> None:
    first = result("sd1", name)
    result("sd1", name, seed=99)
    torch.manual_seed(0)
    torch.randn(7)
    assert torch.equal(result("sd1", name), first)
    assert not torch.equal(result("sd1", name, seed=4), first)
