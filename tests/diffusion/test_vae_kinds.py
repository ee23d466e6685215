"""The 16-channel and FLUX.2's VAE: published names, equal to diffusers', in their wire forms."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from diffusion.checkpoint import CheckpointTrouble
from diffusion.engine import Engine
from diffusion.header import read_header
from diffusion.identity.rules import recognise
from diffusion.patch_statistics import PatchStatistics
from diffusion.vae import AutoencoderKL, VaeConfig
from diffusion.vae_names import vae_layout, vae_names
from tests.diffusion.files import known_shapes, write_zeros

SIXTEEN = VaeConfig(
    pixel_channels=3,
    stem_channels=16,
    channels=(16, 32, 32, 64),
    encoder_blocks=1,
    decoder_blocks=2,
    latent_channels=16,
    quantised_channels=None,
    norm_groups=8,
)
FLUX2 = VaeConfig(**{**vars(SIXTEEN), "latent_channels": 8, "normalised": True})


def shapes_of(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def small_vae(config: VaeConfig) -> AutoencoderKL:
    torch.manual_seed(0)
    vae = AutoencoderKL(config).eval().requires_grad_(False)
    if config.normalised:
        vae.bn.running_mean.normal_(std=2)
        vae.bn.running_var.uniform_(0.3, 3)
    return vae


def small_pixels() -> Tensor:
    return torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("name", ["vae_z16_ldm_flux1_or_sd3", "vae_flux2_ldm"])
def test_names_and_shapes_are_those_of_published_files(name: str) -> None:
    shapes = known_shapes(name)
    with torch.device("meta"):
        vae = AutoencoderKL(VaeConfig.from_shapes(shapes))
    assert shapes_of(vae) == shapes


@pytest.mark.parametrize(
    ("name", "original"),
    [
        ("vae_z16_diffusers_flux1_or_sd3", "vae_z16_ldm_flux1_or_sd3"),
        ("vae_flux2_diffusers", "vae_flux2_ldm"),
    ],
)
def test_the_names_of_diffusers_become_exactly_the_original_ones(name: str, original: str) -> None:
    theirs, ours = known_shapes(name), known_shapes(original)
    assert vae_layout(theirs) == "diffusers"
    names = vae_names(theirs, "diffusers")
    assert names.keys() == ours.keys()
    for mine, other in names.items():
        assert ours[mine] in (theirs[other], (*theirs[other], 1, 1)), mine


@pytest.mark.parametrize("config", [SIXTEEN, FLUX2], ids=["16 channels", "FLUX.2"])
def test_any_config_is_read_back_from_its_own_shapes(config: VaeConfig) -> None:
    assert VaeConfig.from_shapes(shapes_of(small_vae(config)), norm_groups=8) == config


def test_only_flux2_needs_pictures_of_whole_patches() -> None:
    assert (SIXTEEN.downscale, SIXTEEN.cell) == (8, 8)
    assert (FLUX2.downscale, FLUX2.cell) == (8, 16)


@pytest.mark.parametrize("config", [SIXTEEN, FLUX2], ids=["16 channels", "FLUX.2"])
def test_moments_and_decoding_equal_diffusers_on_the_same_weights(config: VaeConfig) -> None:
    ours = small_vae(config)
    theirs = diffusers_vae(ours)
    pixels = small_pixels()
    moments, expected = ours.moments(pixels), theirs.encode(pixels).latent_dist
    # float32 sums in another order, after some thirty layers
    assert torch.allclose(moments.mean, expected.mean, atol=1e-5)
    assert torch.allclose(moments.log_variance, expected.logvar, atol=1e-5)
    raw = torch.randn(2, config.latent_channels, 8, 6, generator=torch.Generator().manual_seed(2))
    decoded = theirs.decode(raw).sample
    assert torch.allclose(ours.decode(raw), decoded, atol=1e-5)
    assert decoded.std() > 0.02


def test_flux2s_latents_are_normalised_as_its_batch_norm_does_on_patches() -> None:
    vae = small_vae(FLUX2)
    raw = torch.randn(2, 8, 6, 4, generator=torch.Generator().manual_seed(3))
    patches = functional.pixel_unshuffle(raw, 2)
    plain = functional.batch_norm(
        patches, vae.bn.running_mean, vae.bn.running_var, training=False, eps=1e-4
    )
    wire = vae.to_wire(raw)
    assert wire.shape == raw.shape
    # a division instead of a product with the inverse
    assert torch.allclose(wire, functional.pixel_shuffle(plain, 2), atol=1e-5)
    assert torch.allclose(vae.from_wire(wire), raw, atol=1e-5)


def test_a_latent_of_odd_size_has_the_statistics_of_each_place() -> None:
    statistics = PatchStatistics(1).eval()
    statistics.running_mean.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    shifted = statistics.denormalise(torch.zeros(1, 1, 3, 3))[0, 0]
    assert shifted.tolist() == [[1, 2, 1], [3, 4, 3], [1, 2, 1]]


def test_other_latents_travel_raw() -> None:
    vae, raw = small_vae(SIXTEEN), torch.randn(1, 16, 4, 4)
    assert torch.equal(vae.to_wire(raw), raw)
    assert torch.equal(vae.from_wire(raw), raw)


GROUPS = {"latent_loom.architecture": json.dumps({"vae": {"norm_groups": 8}})}


def write(vae: AutoencoderKL, path: Path) -> Path:
    save_file(dict(vae.state_dict()), path, GROUPS)
    return path


@pytest.mark.parametrize("config", [SIXTEEN, FLUX2], ids=["16 channels", "FLUX.2"])
def test_the_engine_loads_and_runs_them_in_their_wire_form(
    config: VaeConfig, tmp_path: Path
) -> None:
    module = small_vae(config)
    vae = Engine("cpu", "float32").vae(write(module, tmp_path / "vae.safetensors"))
    assert vae.config == config
    pictures = torch.rand(1, 67, 50, 3, generator=torch.Generator().manual_seed(4))
    wire = vae.encode(pictures)
    # 67 x 50 pixels without what is over whole cells: 64 x 48, for both 8 and 16 pixels a cell
    pixels = pictures[:, 1:65, 1:49].movedim(-1, 1) * 2 - 1
    raw = module.encode(pixels)
    assert wire.shape == (1, config.latent_channels, 8, 6)
    assert torch.allclose(wire, module.to_wire(raw), atol=1e-5)
    assert torch.allclose(wire, raw, atol=1e-5) is not config.normalised
    decoded = (module.decode(raw) / 2 + 0.5).clamp(0, 1).movedim(1, -1)
    # there and back through the statistics, and float32 sums over other batches
    assert torch.allclose(vae.decode(wire), decoded, atol=1e-4)


def test_flux2s_statistics_stay_exact_in_half_precision(tmp_path: Path) -> None:
    module = small_vae(FLUX2)
    vae = Engine("cpu", "bfloat16").vae(write(module, tmp_path / "vae.safetensors"))
    assert isinstance(vae.module, AutoencoderKL)
    assert vae.module.encoder.conv_in.weight.dtype == torch.bfloat16
    assert torch.equal(vae.module.bn.running_mean, module.bn.running_mean)
    assert torch.equal(vae.module.bn.running_var, module.bn.running_var)


def test_the_consistency_decoder_is_known_and_said_not_to_run_yet(tmp_path: Path) -> None:
    path = tmp_path / "decoder.safetensors"
    encoder = {
        n: s for n, s in known_shapes("vae_kl_f8_z4_diffusers").items() if "decoder" not in n
    }
    write_zeros(path, {**encoder, "decoder_unet.conv_in.weight": (320, 7, 3, 3)})
    found = recognise(read_header(path))
    assert (found.kind, found.latent_spaces, found.runnable) == ("vae", ("sd1",), False)
    with pytest.raises(CheckpointTrouble, match=r"SD consistency decoder, which .* cannot run yet"):
        Engine("cpu", "float32").vae(path)


def diffusers_vae(ours: AutoencoderKL) -> nn.Module:
    """diffusers' model with our weights, renamed by diffusers' own conversion."""
    diffusers = pytest.importorskip("diffusers")
    from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

    config = ours.config
    levels = len(config.channels)
    sizes = {
        "block_out_channels": config.channels,
        "layers_per_block": config.encoder_blocks,
        "latent_channels": config.latent_channels,
        "norm_num_groups": config.norm_groups,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
    }
    kind = diffusers.AutoencoderKLFlux2 if config.normalised else diffusers.AutoencoderKL
    if not config.normalised:
        sizes |= {"use_quant_conv": False, "use_post_quant_conv": False}
    model = kind(**sizes)
    weights = {f"first_stage_model.{name}": tensor for name, tensor in ours.state_dict().items()}
    renamed = convert_ldm_vae_checkpoint(weights, dict(model.config))
    for theirs, mine in (
        ("quant_conv", "encoder.quant_conv"),
        ("post_quant_conv", "decoder.post_quant_conv"),
        ("bn", "bn"),
    ):
        found = {n: t for n, t in ours.state_dict().items() if n.startswith(f"{mine}.")}
        renamed |= {theirs + name.removeprefix(mine): tensor for name, tensor in found.items()}
    model.load_state_dict(renamed, strict=True)
    return model.eval().requires_grad_(False)
