"""Tiny autoencoders have the published names, equal diffusers', and TAEF2 keeps a photograph."""

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from diffusion.engine import Engine
from diffusion.header import read_header
from diffusion.identity.rules import recognise
from diffusion.layers import MissingTensor
from diffusion.preview import decoded
from diffusion.spaces import LATENT_SPACES
from diffusion.tiny_vae import (
    HalfVae,
    TinyAutoencoder,
    TinyConfig,
    UnknownScale,
)
from diffusion.vae_names import tiny_names

WEIGHTS = Path(__file__).parents[2].parent / "shared" / "data" / "vae"
SMALL = TinyConfig(latent_channels=4, width=16)


def shapes_of(tensors: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def small_tiny(config: TinyConfig = SMALL) -> TinyAutoencoder:
    torch.manual_seed(0)
    return TinyAutoencoder(config).eval().requires_grad_(False)


def taef2() -> dict[str, Tensor]:
    """The published weights of TAEF2, both halves in one."""
    halves = {half: WEIGHTS / f"taef2_{half}.pth" for half in ("encoder", "decoder")}
    if not all(path.exists() for path in halves.values()):
        pytest.skip("the published weights are not on this machine")
    return {
        f"taesd_{half}.{name}": tensor.float()
        for half, path in halves.items()
        for name, tensor in torch.load(path, weights_only=True).items()
    }


def named(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {ours: tensors[theirs] for ours, theirs in tiny_names(tensors).items()}


def psnr(left: Tensor, right: Tensor) -> float:
    """Decibels between pictures in 0…1."""
    return -10 * math.log10(float(((left - right) ** 2).mean()))


def test_taef2_keeps_a_photograph_at_27_decibels() -> None:
    data = pytest.importorskip("skimage.data")
    state = named(taef2())
    model = TinyAutoencoder(TinyConfig.from_shapes(shapes_of(state))).eval()
    assert model.config == TinyConfig(latent_channels=32, pooled=True)
    model.load_state_dict(state, strict=True)
    picture = torch.from_numpy(data.astronaut()[:256, 64:320].copy()).float() / 255
    with torch.no_grad():
        latent = model.encode(picture.movedim(-1, 0)[None] * 2 - 1)
        decoded = model.decode(latent)
    assert latent.shape == (1, 32, 32, 32)
    # model-space latents: about mean 0, variance 1
    assert 0.5 < latent.std() < 2
    assert abs(float(latent.mean())) < 0.5
    made = ((decoded[0].movedim(0, -1) + 1) / 2).clamp(0, 1)
    assert psnr(made, picture) >= 27


@pytest.mark.parametrize("channels", [4, 16])
def test_encoding_and_decoding_equal_diffusers_on_the_same_weights(channels: int) -> None:
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.AutoencoderTiny(
        latent_channels=channels,
        encoder_block_out_channels=(16, 16, 16, 16),
        decoder_block_out_channels=(16, 16, 16, 16),
    ).eval()
    state = named(dict(theirs.state_dict()))
    config = TinyConfig.from_shapes(shapes_of(state))
    assert config == TinyConfig(latent_channels=channels, width=16)
    ours = small_tiny(config)
    ours.load_state_dict(state, strict=True)
    pixels = torch.rand(2, 3, 48, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    latent = torch.randn(2, channels, 6, 4, generator=torch.Generator().manual_seed(2)) * 3
    with torch.no_grad():
        # float32 in the same order of operations, but for fused kernels
        assert torch.allclose(ours.encode(pixels), theirs.encode(pixels).latents, atol=1e-6)
        assert torch.allclose(ours.decode(latent), theirs.decode(latent).sample, atol=1e-6)


def test_the_engine_loads_taef2_and_keeps_a_photograph(tmp_path: Path) -> None:
    data = pytest.importorskip("skimage.data")
    path = tmp_path / "taef2.safetensors"
    save_file({name: tensor.half() for name, tensor in taef2().items()}, path)
    vae = Engine("cpu", "float32").vae(path)
    assert vae.space == LATENT_SPACES["flux2"]
    picture = torch.from_numpy(data.coffee()[:208, 100:308].copy()).float()[None] / 255
    wire = vae.encode(picture)
    assert wire.shape == (1, 32, 26, 26)
    assert psnr(vae.decode(wire), picture) >= 27
    shown = decoded(LATENT_SPACES["flux2"].normalise(wire), LATENT_SPACES["flux2"], vae)
    assert shown.dtype == "uint8"
    assert psnr(torch.from_numpy(shown).float()[None] / 255, picture) >= 27


@pytest.mark.parametrize(("channels", "candidates"), [(4, ("sd1", "sdxl")), (16, ("flux1", "sd3"))])
@pytest.mark.parametrize("form", ["both", "diffusers"])
def test_a_file_of_any_form_is_recognised_and_loaded(
    channels: int, candidates: tuple[str, str], form: str, tmp_path: Path
) -> None:
    module = small_tiny(TinyConfig(latent_channels=channels))
    state = module.state_dict()
    path = tmp_path / "tiny.safetensors"
    save_file({_saved_as(form, name): tensor for name, tensor in state.items()}, path)
    found = recognise(read_header(path))
    assert (found.kind, found.latent_spaces) == ("tiny_vae", candidates)
    vae = Engine("cpu", "float32").vae(path)
    assert vae.space is None
    raw = torch.randn(1, channels, 4, 4)
    with pytest.raises(UnknownScale):
        vae.decode(raw)
    for space in (LATENT_SPACES[id_] for id_ in candidates):
        expected = module.decode(space.normalise(raw)).movedim(1, -1) / 2 + 0.5
        decoded = vae.within(space).decode(raw)
        assert torch.allclose(decoded, expected.clamp(0, 1), atol=1e-5)
        back = vae.within(space).encode(decoded)
        assert torch.allclose(
            space.normalise(back), module.encode(decoded.movedim(-1, 1) * 2 - 1), atol=1e-5
        )


def _saved_as(form: str, name: str) -> str:
    half, number, rest = name.split(".", 2)
    if form == "both":
        return f"taesd_{name}"
    return f"{half}.layers.{int(number) - (half == 'decoder')}.{rest}"


def test_a_decoder_alone_decodes_through_the_engine(tmp_path: Path) -> None:
    state = small_tiny(TinyConfig(latent_channels=16)).state_dict()
    half = {n.removeprefix("decoder."): t for n, t in state.items() if n.startswith("decoder")}
    path = tmp_path / "taef1_decoder.safetensors"
    save_file(half, path)
    vae = Engine("cpu", "float32").vae(path).within(LATENT_SPACES["flux1"])
    assert vae.decode(torch.zeros(1, 16, 4, 4)).shape == (1, 32, 32, 3)
    with pytest.raises(HalfVae, match="no encoder"):
        vae.encode(torch.zeros(1, 32, 32, 3))


def test_every_form_of_file_has_the_same_names() -> None:
    ours = small_tiny().state_dict()
    halves = {
        half: {n.removeprefix(f"{half}."): t for n, t in ours.items() if n.startswith(half)}
        for half in ("encoder", "decoder")
    }
    for half, tensors in halves.items():
        whole = {f"{half}.{name}" for name in tensors}
        assert tiny_names(tensors).keys() == whole
        assert tiny_names([f"taesd_{name}" for name in whole]).keys() == whole
    assert {"encoder.14.weight", "decoder.19.weight"} <= ours.keys()


def test_a_half_says_which_half_is_lacking() -> None:
    ours = small_tiny().state_dict()
    shapes = shapes_of({n: t for n, t in ours.items() if n.startswith("decoder")})
    decoder = small_tiny(TinyConfig.from_shapes(shapes))
    assert decoder.decode(torch.zeros(1, 4, 2, 2)).shape == (1, 3, 16, 16)
    with pytest.raises(HalfVae, match="no encoder"):
        decoder.encode(torch.zeros(1, 3, 16, 16))
    shapes = shapes_of({n: t for n, t in ours.items() if n.startswith("encoder")})
    encoder = small_tiny(TinyConfig.from_shapes(shapes))
    assert encoder.encode(torch.zeros(1, 3, 16, 16)).shape == (1, 4, 2, 2)
    with pytest.raises(HalfVae, match="no decoder"):
        encoder.decode(torch.zeros(1, 4, 2, 2))


def test_another_file_is_refused() -> None:
    with pytest.raises(MissingTensor, match="no tiny VAE"):
        TinyConfig.from_shapes({"lm_head.weight": (4, 4)})


@pytest.mark.parametrize("space", ["sd1", "sdxl"])
def test_latents_travel_raw(space: str) -> None:
    model, latent = small_tiny(), torch.randn(1, 4, 3, 3)
    raw = model.to_wire(latent, LATENT_SPACES[space])
    assert torch.allclose(raw, LATENT_SPACES[space].denormalise(latent))
    back = model.from_wire(raw, LATENT_SPACES[space])
    assert torch.allclose(back, latent, atol=1e-6)  # a division and a multiplication


def test_flux2s_latents_travel_as_they_are() -> None:
    latent = torch.randn(1, 32, 3, 3)
    model = small_tiny(TinyConfig(latent_channels=32, width=16, pooled=True))
    assert torch.equal(model.to_wire(latent, LATENT_SPACES["flux2"]), latent)


def test_without_a_space_the_scale_is_not_guessed() -> None:
    with pytest.raises(UnknownScale, match=r"SD 1\.x or SDXL"):
        small_tiny().from_wire(torch.zeros(1, 4, 2, 2))
    with pytest.raises(UnknownScale):
        small_tiny().to_wire(torch.zeros(1, 4, 2, 2))


def test_a_file_may_say_its_scale_itself() -> None:
    model = small_tiny(TinyConfig(latent_channels=16, width=16, scaled=True))
    model.vae_scale.fill_(1.5305)
    model.vae_shift.fill_(0.0609)
    latent = torch.randn(1, 16, 3, 3)
    expected = LATENT_SPACES["sd3"].denormalise(latent)
    assert torch.allclose(model.to_wire(latent), expected, atol=1e-6)
    assert torch.allclose(model.from_wire(expected), latent, atol=1e-6)


def test_the_pooled_block_is_in_the_middle_only() -> None:
    model = small_tiny(TinyConfig(latent_channels=32, width=16, pooled=True))
    pooled = {name.split(".pool.")[0] for name in model.state_dict() if ".pool." in name}
    assert pooled == {f"encoder.{n}" for n in (11, 12, 13)} | {f"decoder.{n}" for n in (3, 4, 5)}
    assert isinstance(model.encoder[11], nn.Module)
