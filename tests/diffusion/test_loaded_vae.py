"""A VAE decodes and encodes pictures of any size, can be stopped, and says what it cannot take."""

from pathlib import Path

import pytest
import torch

from diffusion import loaded_vae
from diffusion.engine import Engine
from diffusion.loaded_vae import VaeNotFinite, WrongShape
from diffusion.tiles import Tiling, tiled
from diffusion.vae import AutoencoderKL


def test_a_decode_can_be_cancelled_between_blocks(engine: Engine, checkpoint: Path) -> None:
    calls: list[int] = []
    vae = engine.vae(checkpoint)
    vae.decode(torch.zeros(1, 4, 2, 2), lambda: calls.append(1))
    assert len(calls) > 5
    before = len(calls)
    vae.decode(torch.zeros(1, 4, 2, 2))
    assert len(calls) == before  # nothing of the first call is left behind


def test_tiles_give_what_the_whole_gives_where_places_are_independent() -> None:
    x = torch.rand(2, 3, 37, 50)
    grown = x.repeat_interleave(2, -1).repeat_interleave(2, -2)
    checks: list[int] = []
    out = tiled(
        lambda part: part.repeat_interleave(2, -1).repeat_interleave(2, -2),
        x,
        Tiling(size=16, overlap=4, entering=1, leaving=2),
        lambda: checks.append(1),
    )
    # 1e-6: weights that add up to 1 but for float32 rounding
    torch.testing.assert_close(out, grown, atol=1e-6, rtol=0)
    assert len(checks) == 3 * 4
    small = tiled(lambda part: part, x[..., :5, :5], Tiling(16, 4, 1, 1), lambda: None)
    torch.testing.assert_close(small, x[..., :5, :5], atol=1e-6, rtol=0)


def test_a_large_picture_is_decoded_and_encoded_in_tiles(
    engine: Engine, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = engine.vae(checkpoint)
    raw = torch.randn(1, 4, 40, 24, generator=torch.Generator().manual_seed(0))
    pictures = torch.rand(1, 160, 96, 3, generator=torch.Generator().manual_seed(0))
    whole, latent = vae.decode(raw), vae.encode(pictures)
    monkeypatch.setattr(loaded_vae, "WHOLE", 100)
    monkeypatch.setattr(loaded_vae, "TILE", 20)
    monkeypatch.setattr(loaded_vae, "OVERLAP", 6)
    for tiles, straight in ((vae.decode(raw), whole), (vae.encode(pictures), latent)):
        assert tiles.shape == straight.shape
        # Normalisation sees one tile only, so they differ a little; unrelated pictures would not
        # correlate at all, and pictures out of place by a cell hardly.
        both = torch.stack([tiles.flatten(), straight.flatten()])
        assert torch.corrcoef(both)[0, 1] > 0.95


def test_numbers_that_a_narrow_format_cannot_hold_are_computed_in_float32(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine("cpu", "bfloat16")
    vae = engine.vae(checkpoint)
    decode = AutoencoderKL.decode

    def narrow(self: AutoencoderKL, raw: torch.Tensor) -> torch.Tensor:
        made = decode(self, raw)
        return made if raw.dtype == torch.float32 else made * torch.nan

    monkeypatch.setattr(AutoencoderKL, "decode", narrow)
    raw = torch.randn(1, 4, 4, 4)
    expected = Engine("cpu", "float32").vae(checkpoint).decode(raw)
    assert torch.equal(vae.decode(raw), expected)


def test_a_latent_of_no_numbers_is_told(engine: Engine, checkpoint: Path) -> None:
    with pytest.raises(VaeNotFinite, match="NaN"):
        engine.vae(checkpoint).decode(torch.full((1, 4, 2, 2), torch.nan))


def test_shapes_that_the_vae_cannot_take_are_told(engine: Engine, checkpoint: Path) -> None:
    vae = engine.vae(checkpoint)
    with pytest.raises(WrongShape, match="16 channels and this VAE takes 4"):
        vae.decode(torch.zeros(1, 16, 4, 4))
    with pytest.raises(WrongShape, match="too small"):
        vae.encode(torch.zeros(1, 3, 100, 3))


def test_bfloat16_changes_a_picture_only_a_little(checkpoint: Path) -> None:
    raw = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    exact, narrow = (Engine("cpu", p).vae(checkpoint).decode(raw) for p in ("float32", "bfloat16"))
    # 8 bits of mantissa over about 15 layers; the picture's range is 1
    assert 0 < (exact - narrow).abs().mean() < 0.02


def test_a_large_decode_is_cancelled_at_a_tile() -> None:
    class Stop(Exception):
        pass

    made: list[torch.Tensor] = []

    def stop_at_the_third() -> None:
        if len(made) == 2:
            raise Stop

    with pytest.raises(Stop):
        tiled(
            lambda part: made.append(part) or part,  # type: ignore[func-returns-value]
            torch.rand(1, 3, 40, 40),
            Tiling(size=16, overlap=4, entering=1, leaving=1),
            stop_at_the_third,
        )
    assert len(made) == 2
