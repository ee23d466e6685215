"""Compiling is an option: it says how long it took, and what cannot be compiled runs as it is."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from diffusion.compiled import Compiled
from diffusion.engine import Engine
from diffusion.streaming import stream
from tests.diffusion.carriers import CountingCarrier


class Network(nn.Module):
    """x plus what the other arguments add up to."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: Tensor, shift: Tensor, extra: Tensor | None = None) -> Tensor:
        self.calls += 1
        return x + shift.sum() + (0 if extra is None else extra.sum())


class Compiler:
    """A stand-in whose product doubles what the network says, so that it is told apart."""

    def __init__(self) -> None:
        self.compiled: list[nn.Module] = []
        self.calls = 0

    def __call__(self, module: nn.Module) -> Callable[..., Tensor]:
        self.compiled.append(module)

        def call(*arguments: Tensor, **named: Tensor) -> Tensor:
            self.calls += 1
            made: Tensor = 2 * module(*arguments, **named)
            return made

        return call


ONE = torch.ones(1, 3)


def test_the_time_is_told_for_every_size_once() -> None:
    told: list[str] = []
    times = iter([0.0, 41.5, 50.0, 51.0])
    compiler = Compiler()
    network = Compiled(Network(), told.append, compiler, lambda: next(times))
    for _ in range(3):
        assert torch.equal(network(ONE, ONE), torch.full((1, 3), 8.0))
    assert told == [
        "The model was compiled for inputs of 1 x 3 in 41.5 s, its first call included."
    ]
    network(torch.ones(2, 3), ONE)
    assert "2 x 3 in 1.0 s" in told[1]
    assert len(compiler.compiled) == 1
    assert compiler.calls == 4


def test_a_network_that_cannot_be_compiled_runs_as_it_is_and_that_is_told_once() -> None:
    def broken(module: nn.Module) -> Callable[..., Tensor]:
        raise ImportError("No module named 'triton'\nand more lines")

    told: list[str] = []
    network = Compiled(Network(), told.append, broken)
    for _ in range(2):
        assert torch.equal(network(ONE, ONE, extra=ONE), torch.full((1, 3), 7.0))
    assert told == [
        "The model could not be compiled and runs as it is: ImportError: No module named 'triton'."
    ]


def test_a_compiler_that_fails_at_the_first_call_is_no_failure_of_the_run() -> None:
    def lazy(module: nn.Module) -> Callable[..., Tensor]:
        def call(*arguments: Tensor) -> Tensor:
            raise RuntimeError("Failed to find a C++ compiler")

        return call

    told: list[str] = []
    network = Compiled(Network(), told.append, lazy)
    assert torch.equal(network(ONE, ONE), torch.full((1, 3), 4.0))
    assert "C++ compiler" in told[0]


def test_what_is_the_networks_own_fault_is_raised() -> None:
    class Faulty(Network):
        def forward(self, x: Tensor, shift: Tensor, extra: Tensor | None = None) -> Tensor:
            raise ValueError("a fault of its own")

    network = Compiled(Faulty(), lambda _: None, Compiler())
    with pytest.raises(ValueError, match="a fault of its own"):
        network(ONE, ONE)


def test_memory_that_runs_out_is_no_reason_to_give_up_compiling() -> None:
    class Scarce(Compiler):
        def __call__(self, module: nn.Module) -> Callable[..., Tensor]:
            made = super().__call__(module)

            def call(*arguments: Tensor) -> Tensor:
                if self.calls == 0:
                    self.calls = 1
                    raise torch.OutOfMemoryError("out of memory")
                return made(*arguments)

            return call

    told: list[str] = []
    network = Compiled(Network(), told.append, Scarce())
    with pytest.raises(torch.OutOfMemoryError):
        network(ONE, ONE)
    assert torch.equal(network(ONE, ONE), torch.full((1, 3), 8.0))
    assert "could not" not in told[0]


def test_a_network_whose_weights_are_streamed_is_not_compiled() -> None:
    class Row(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(2, 2)
            self.blocks = nn.ModuleList(nn.Linear(2, 2) for _ in range(2))

        def forward(self, x: Tensor) -> Tensor:
            for block in self.blocks:
                x = block(x)
            return x

    module, compiler, told = Row().requires_grad_(False), Compiler(), list[str]()
    expected = module(torch.ones(1, 2))
    stream(module, 0, CountingCarrier())
    assert torch.equal(Compiled(module, told.append, compiler)(torch.ones(1, 2)), expected)
    assert not compiler.compiled
    assert "do not all fit" in told[0]


def test_an_engine_compiles_only_where_it_was_asked_to(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = Compiler()
    monkeypatch.setattr("torch.compile", lambda module, dynamic: compiler(module))
    x, prompt = torch.randn(1, 4, 8, 8), torch.randn(1, 5, 24)
    plain = Engine("cpu", "float32")
    told: list[str] = []
    compiling = Engine("cpu", "float32", compiling=True, tell=told.append)
    assert plain.key != compiling.key
    plain.denoiser(checkpoint).denoise(x, 1.0, prompt)
    assert not compiler.compiled
    compiling.denoiser(checkpoint).denoise(x, 1.0, prompt)
    assert compiler.calls == 1
    assert "compiled for inputs of 1 x 4 x 8 x 8" in told[0]
