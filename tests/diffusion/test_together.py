"""Runs whose calls of a network are joined give what each of them gives alone."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from diffusion.denoiser import Denoiser
from diffusion.engine import Engine
from diffusion.sample import sample
from diffusion.samplers import SAMPLERS
from diffusion.together import Call, Member, Together, fitting, joined
from nodes.sockets import Conditioning
from tests.helpers.tiny_model import TEXT_WIDTH, tiny_checkpoint

CLOSE = 2e-4
"""Of latents about 1 to 20: float32 sums in another order, over up to 6 steps of a sampler."""


@pytest.fixture(scope="module")
def denoiser(tmp_path_factory: pytest.TempPathFactory) -> Denoiser:
    folder = tmp_path_factory.mktemp("together")
    path = tiny_checkpoint(folder / "tiny.safetensors")
    return Engine(device="cpu", precision="float32").denoiser(path)


def prompt(seed: int, tokens: int) -> Conditioning[Any]:
    generator = torch.Generator().manual_seed(seed)
    return Conditioning(torch.randn(1, tokens, TEXT_WIDTH, generator=generator), None, "tiny-text")


def latent_of(denoiser: Denoiser, choices: dict[str, Any], size: int = 8) -> Tensor:
    choices = dict(choices)
    tokens, words = choices.pop("tokens"), choices["seed"] % 1000
    walk = sample(
        denoiser, torch.zeros(1, 4, size, size), prompt(words, tokens), prompt(1, 16), **choices
    )
    *_, last = walk
    assert last.latent is not None
    return last.latent


def at_once(works: list[Callable[[Member], Any]], meeting: Together) -> list[Any]:
    """What each work gives, or raises, each in a thread of its own."""
    given: list[Any] = [None] * len(works)

    def take_part(number: int) -> None:
        with meeting.member(number) as member:
            try:
                given[number] = works[number](member)
            except Exception as error:  # noqa: BLE001  it is what the test looks at
                given[number] = error

    threads = [threading.Thread(target=take_part, args=(k,)) for k in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "the runs wait for each other"
    return given


RUNS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**63),
        "tokens": st.sampled_from([16, 16, 32, 48, 80]),
        "cfg": st.sampled_from([1.0, 4.0]),
        "steps": st.integers(2, 6),
        "sampler": st.sampled_from(sorted(SAMPLERS)),
    }
)


@settings(max_examples=12, deadline=None)
@given(runs=st.lists(RUNS, min_size=2, max_size=4))
def test_joined_runs_give_what_single_runs_give(denoiser: Denoiser, runs: list[Any]) -> None:
    alone = [latent_of(denoiser, choices) for choices in runs]
    works = [lambda m, c=choices: latent_of(m.joining(denoiser), c) for choices in runs]
    together = at_once(works, Together(len(runs)))  # type: ignore[arg-type]
    for one, other, choices in zip(alone, together, runs, strict=True):
        scale = one.abs().max().clamp(min=1)
        torch.testing.assert_close(
            other / scale, one / scale, rtol=0, atol=CLOSE, msg=lambda m, c=choices: f"{c}: {m}"
        )


@pytest.mark.parametrize("sampler", ["euler", "euler_ancestral", "dpmpp_2m_sde", "dpmpp_sde"])
def test_runs_of_different_seeds_and_prompts_are_joined_in_every_call(
    denoiser: Denoiser, sampler: str
) -> None:
    calls: list[int] = []
    handle = denoiser.module.register_forward_pre_hook(
        lambda module, given: calls.append(len(given[0]))
    )
    runs = [
        {"seed": k, "tokens": tokens, "cfg": 4.0, "steps": 4, "sampler": sampler}
        for k, tokens in enumerate((16, 16, 32))
    ]
    meeting = Together(len(runs))
    try:
        at_once([lambda m, c=c: latent_of(m.joining(denoiser), c) for c in runs], meeting)  # type: ignore[misc]
    finally:
        handle.remove()
    assert set(calls) == {6}, "three runs, each with both sides of its guidance"
    assert meeting.joined == 3 * len(calls)


def test_a_run_that_fails_or_ends_early_does_not_keep_the_others(denoiser: Denoiser) -> None:
    def failing(member: Member) -> None:
        raise ValueError("no picture")

    short = {"seed": 1, "tokens": 16, "cfg": 1.0, "steps": 1, "sampler": "euler"}
    long = {**short, "steps": 5}
    works = [failing, *(lambda m, c=c: latent_of(m.joining(denoiser), c) for c in (short, long))]
    failed, first, second = at_once(works, Together(3))  # type: ignore[arg-type]
    assert isinstance(failed, ValueError)
    torch.testing.assert_close(first, latent_of(denoiser, short), rtol=0, atol=CLOSE)
    torch.testing.assert_close(second, latent_of(denoiser, long), rtol=0, atol=CLOSE)


def test_where_memory_runs_out_fewer_are_joined_and_then_none(denoiser: Denoiser) -> None:
    sizes: list[int] = []

    def scarce(module: Any, given: Any) -> None:
        sizes.append(len(given[0]))
        if len(given[0]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    runs = [{"seed": k, "tokens": 16, "cfg": 1.0, "steps": 3, "sampler": "euler"} for k in range(4)]
    meeting = Together(4)
    handle = denoiser.module.register_forward_pre_hook(scarce)
    try:
        made = at_once([lambda m, c=c: latent_of(m.joining(denoiser), c) for c in runs], meeting)  # type: ignore[misc]
    finally:
        handle.remove()
    assert [isinstance(one, Tensor) for one in made] == [True] * 4
    assert sizes == [4, *[1] * 4, 2, *[1] * 4, *[1] * 4], "what did not fit is not tried again"
    assert (meeting.most, meeting.joined) == (1, 0)
    for one, choices in zip(made, runs, strict=True):
        assert torch.equal(one, latent_of(denoiser, choices))


def call(tokens: int = 16, size: int = 8, stretches: bool = True, **extras: Tensor) -> Call:
    def network(x: Tensor, timesteps: Tensor, tokens: Tensor, **extras: Tensor) -> Tensor:
        return x + tokens.mean(dim=(1, 2))[:, None, None, None]

    network = SAME.setdefault("network", network)
    return Call(
        network,
        torch.randn(2, 4, size, size),
        torch.zeros(2),
        torch.randn(2, tokens, 5),
        extras,
        stretches,
    )


SAME: dict[str, Any] = {}


def test_only_calls_that_fit_are_joined() -> None:
    one, other = call(16), call(64)
    assert fitting([one, other]) == [[one, other]]
    assert fitting([one, far := call(80)]) == [[one], [far]], "tokens are repeated 4 times at most"
    assert fitting([one, large := call(size=16)]) == [[one], [large]]
    both, still = call(16, stretches=False), call(32, stretches=False)
    assert fitting([both, still]) == [[both], [still]], "their number matters in joint attention"
    told = call(16, y=torch.zeros(2, 3))
    assert fitting([one, told, other]) == [[one, other], [told]]
    for made, asked in zip(joined([one, other]), (one, other), strict=True):
        torch.testing.assert_close(made, asked.make())


def test_a_compiled_network_is_left_as_it_is(denoiser: Denoiser, tmp_path: Path) -> None:
    from dataclasses import replace

    compiled = replace(denoiser, compiled=denoiser.module)
    assert Member(Together(1), 0).joining(compiled) is compiled
