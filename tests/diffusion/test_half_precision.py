"""A VAE in half precision gives no NaN: what overflows is computed again in a wider format."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from diffusion.engine import Engine
from diffusion.loaded_vae import LoadedVae
from tests.diffusion.small import METADATA, small_vae


@pytest.fixture(scope="module")
def overflowing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VAE as SDXL's first one: what its blocks compute exceeds float16, and is normalised later.

    Every weight is a float16 number.
    """
    weights = small_vae()
    for half in ("encoder", "decoder"):
        weights[f"{half}.conv_in.weight"] *= 60_000 / weights[f"{half}.conv_in.weight"].abs().max()
        weights[f"{half}.conv_in.bias"] *= 0
    assert all(tensor.half().isfinite().all() for tensor in weights.values())
    path = tmp_path_factory.mktemp("half") / "overflowing.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, path, METADATA)
    return path


def loaded(path: Path, dtype: torch.dtype, told: list[str]) -> LoadedVae:
    """The VAE as an engine with this precision loads it."""
    engine = Engine("cpu", "float32", tell=told.append)
    engine.precision = engine.precision._replace(vae=dtype)
    vae = engine.vae(path)
    assert next(vae.module.parameters()).dtype == dtype
    return vae


def way(vae: LoadedVae, name: str) -> Tensor:
    """A picture decoded, or encoded, that overflows."""
    generator = torch.Generator().manual_seed(0)
    if name == "decode":
        return vae.decode(torch.randn(2, 4, 4, 4, generator=generator) * 10)
    return vae.encode(torch.rand(2, 16, 16, 3, generator=generator))


@pytest.mark.parametrize("name", ["decode", "encode"])
def test_what_overflows_float16_is_computed_in_bfloat16_where_the_device_has_it(
    overflowing: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diffusion.engine.has_bfloat16", lambda device: True)
    told: list[str] = []
    made = way(loaded(overflowing, torch.float16, told), name)
    assert torch.equal(made, way(loaded(overflowing, torch.bfloat16, []), name))
    assert told == ["The VAE's numbers exceed float16: this picture is computed in bfloat16."]


@pytest.mark.parametrize("name", ["decode", "encode"])
def test_what_overflows_float16_is_computed_in_float32_elsewhere(
    overflowing: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diffusion.engine.has_bfloat16", lambda device: False)
    told: list[str] = []
    made = way(loaded(overflowing, torch.float16, told), name)
    assert torch.equal(made, way(loaded(overflowing, torch.float32, []), name))
    assert told == ["The VAE's numbers exceed float16: this picture is computed in float32."]


def test_what_overflows_bfloat16_too_is_computed_in_float32(
    overflowing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diffusion.engine.has_bfloat16", lambda device: True)
    told: list[str] = []
    vae = loaded(overflowing, torch.float16, told)
    decode = type(vae.module).decode

    def narrow(self: object, raw: Tensor) -> Tensor:
        made = decode(self, raw)  # type: ignore[arg-type]
        return made if raw.dtype == torch.float32 else made * torch.inf

    monkeypatch.setattr(type(vae.module), "decode", narrow)
    assert torch.equal(way(vae, "decode"), way(loaded(overflowing, torch.float32, []), "decode"))
    assert [sentence.split()[-1] for sentence in told] == ["bfloat16.", "float32."]


def test_a_vae_that_does_not_overflow_is_computed_once(checkpoint: Path) -> None:
    told: list[str] = []
    way(loaded(checkpoint, torch.float16, told), "decode")
    assert not told
