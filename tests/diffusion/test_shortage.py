"""Where memory runs out, other models go and the work is done once more, and people are told."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from diffusion.engine import Engine
from diffusion.shortage import NotEnoughMemory, Relief, attempted, in_words, is_shortage
from diffusion.text import ClipText
from diffusion.tiles import TileSize, Tiling, smaller
from diffusion.unet import UNet
from diffusion.vae import AutoencoderKL


def ran_out() -> torch.OutOfMemoryError:
    """What torch raises on a graphics card."""
    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")


class Scarce:
    """Stands in for a network's method, and has memory only where `enough` says so of its input."""

    def __init__(self, method: Callable[..., Tensor], enough: Callable[[Tensor], bool]) -> None:
        self.shapes: list[torch.Size] = []
        self._method, self._enough = method, enough

    def __get__(self, module: object, kind: type) -> Callable[..., Tensor]:
        def call(x: Tensor, *rest: Tensor, **named: Tensor) -> Tensor:
            self.shapes.append(x.shape)
            if not self._enough(x):
                raise ran_out()
            return self._method(module, x, *rest, **named)

        return call


@pytest.mark.parametrize(
    "error",
    [
        ran_out(),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
        RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
    ],
)  # fmt: skip
def test_every_way_of_running_out_of_memory_is_known(error: Exception) -> None:
    def fail() -> int:
        raise error

    assert is_shortage(error)
    assert attempted(fail) is None


def test_other_errors_are_not_taken_for_it() -> None:
    def fail() -> int:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    assert not is_shortage(ValueError("out of memory"))
    with pytest.raises(RuntimeError, match="mat1"):
        attempted(fail)


def test_work_is_done_once_more_without_the_other_models_and_that_is_told() -> None:
    told: list[str] = []
    tries: list[int] = []

    def work() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise ran_out()
        return "done"

    relief = Relief(lambda: 2 * 10**9, told.append)
    assert relief.tried(work, "testing", "a test.") == "done"
    (sentence,) = told
    assert "while testing" in sentence
    assert "2.0 GB of other models were freed" in sentence


def test_the_first_attempts_tensors_are_gone_before_the_second() -> None:
    import weakref

    alive: list[weakref.ref[Tensor]] = []

    def work() -> bool:
        if not alive:
            large = torch.zeros(100)
            alive.append(weakref.ref(large))
            raise ran_out()
        return alive[0]() is None

    assert Relief(lambda: 0, lambda _: None).tried(work, "testing", "a test.")


def test_work_that_fails_twice_says_what_to_do() -> None:
    def work() -> int:
        raise ran_out()

    with pytest.raises(NotEnoughMemory, match="not enough memory for a test: smaller"):
        Relief(lambda: 0, lambda _: None).tried(work, "testing", "a test: smaller.")


def test_sizes_are_told_as_people_count() -> None:
    assert [in_words(size) for size in (3 * 10**6, 999_000_000, 6_940_000_000)] == [
        "3 MB",
        "999 MB",
        "6.9 GB",
    ]


def test_a_step_that_runs_out_of_memory_frees_the_others_and_gives_the_same(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    engine = Engine("cpu", "float32", tell=told.append)
    denoiser = engine.denoiser(checkpoint)
    x, prompt = torch.randn(1, 4, 8, 8), torch.randn(1, 5, 24)
    expected = denoiser.denoise(x, 1.0, prompt)
    with engine.memory.held_by("the sampler"):
        engine.denoiser(checkpoint)
    engine.vae(checkpoint)
    assert len(engine.memory.report()) == 2
    scarce = Scarce(UNet.forward, lambda x: len(engine.memory.report()) == 1)
    monkeypatch.setattr(UNet, "forward", scarce)
    assert torch.equal(denoiser.denoise(x, 1.0, prompt), expected)
    assert len(scarce.shapes) == 2
    assert len(told) == 1
    assert "of other models were freed" in told[0]
    assert [row.key.part for row in engine.memory.report()] == ["model"]


def test_a_prompt_that_runs_out_of_memory_frees_the_others_and_gives_the_same(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    engine = Engine("cpu", "float32", tell=told.append)
    with engine.memory.held_by("a node"):
        encoders = engine.text_encoder(checkpoint)
    engine.vae(checkpoint)
    expected = encoders.encode("a (b:1.2)").tokens
    scarce = Scarce(ClipText.forward, lambda ids: len(engine.memory.report()) == 1)
    monkeypatch.setattr(ClipText, "forward", scarce)
    assert torch.equal(encoders.encode("a (b:1.2)").tokens, expected)
    assert len(scarce.shapes) == 2
    assert "while a prompt was being encoded" in told[0]


def test_a_step_that_never_fits_says_what_to_do(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    denoiser = Engine("cpu", "float32", tell=lambda _: None).denoiser(checkpoint)
    scarce = Scarce(UNet.forward, lambda x: False)
    monkeypatch.setattr(UNet, "forward", scarce)
    with pytest.raises(NotEnoughMemory, match="make the picture or the batch smaller"):
        denoiser.denoise(torch.zeros(1, 4, 8, 8), 1.0, torch.zeros(1, 5, 24))
    assert len(scarce.shapes) == 2  # once more, and no oftener


def test_a_decode_that_runs_out_of_memory_is_made_in_tiles_and_told(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    vae = Engine("cpu", "float32", tell=told.append).vae(checkpoint)
    raw = torch.randn(1, 4, 60, 50, generator=torch.Generator().manual_seed(0))
    whole = vae.decode(raw)
    scarce = Scarce(AutoencoderKL.decode, lambda x: x.shape[-1] * x.shape[-2] <= 24 * 24)
    monkeypatch.setattr(AutoencoderKL, "decode", scarce)
    tiles = vae.decode(raw)
    assert tiles.shape == whole.shape
    # as in test_loaded_vae: normalisation sees one tile only, and places agree
    assert torch.corrcoef(torch.stack([tiles.flatten(), whole.flatten()]))[0, 1] > 0.95
    assert "tiles of 96 pixels" in told[-1]  # 24 cells of 4 pixels


def test_an_encode_that_runs_out_of_memory_is_made_in_tiles_and_told(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    vae = Engine("cpu", "float32", tell=told.append).vae(checkpoint)
    pictures = torch.rand(1, 200, 240, 3, generator=torch.Generator().manual_seed(0))
    whole = vae.encode(pictures)
    scarce = Scarce(AutoencoderKL.encode, lambda x: x.shape[-1] <= 96)
    monkeypatch.setattr(AutoencoderKL, "encode", scarce)
    tiles = vae.encode(pictures)
    assert tiles.shape == whole.shape
    assert torch.corrcoef(torch.stack([tiles.flatten(), whole.flatten()]))[0, 1] > 0.95
    assert "tiles of 96 pixels" in told[-1]


def test_a_decode_that_fits_without_the_others_stays_whole(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    engine = Engine("cpu", "float32", tell=told.append)
    engine.denoiser(checkpoint)
    vae = engine.vae(checkpoint)
    raw = torch.randn(2, 4, 12, 12)
    whole = vae.decode(raw)
    scarce = Scarce(AutoencoderKL.decode, lambda x: not engine.memory.report())
    monkeypatch.setattr(AutoencoderKL, "decode", scarce)
    assert torch.equal(vae.decode(raw), whole)
    assert len(told) == 1
    assert "were freed" in told[0]


def test_a_vae_that_fits_in_no_tile_says_what_to_do(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = Engine("cpu", "float32", tell=lambda _: None).vae(checkpoint)
    scarce = Scarce(AutoencoderKL.decode, lambda x: False)
    monkeypatch.setattr(AutoencoderKL, "decode", scarce)
    with pytest.raises(NotEnoughMemory, match="close other programs"):
        vae.decode(torch.zeros(1, 4, 40, 40), tiles=TileSize(128, 16))
    assert min(shape[-1] for shape in scarce.shapes) == 8  # cells; the smallest tile there is


def test_tiles_get_ever_smaller_and_never_as_large_as_what_has_failed() -> None:
    tiling = Tiling(96, 16, 1, 8)
    whole = [(each.size, each.overlap) for each in smaller(tiling, 128 * 128, tiled=False)]
    assert whole == [(96, 16), (48, 12), (24, 6), (12, 3)]
    assert [each.size for each in smaller(tiling, 300 * 300, tiled=True)] == [48, 24, 12]
    assert [each.size for each in smaller(tiling, 64 * 64, tiled=False)] == [48, 24, 12]
    assert not list(smaller(tiling, 6 * 6, tiled=False))
