"""The VAE has the published names and shapes, and computes what diffusers computes."""

import pytest
import torch

from diffusion.layers import MissingTensor
from diffusion.vae import AutoencoderKL, Moments, VaeConfig, sample_posterior
from tests.diffusion.files import known_shapes, shapes_of

SMALL = VaeConfig(
    pixel_channels=3,
    stem_channels=16,
    channels=(16, 32, 32, 64),
    encoder_blocks=1,
    decoder_blocks=2,
    latent_channels=4,
    quantised_channels=4,
    norm_groups=8,
)


def small_vae() -> AutoencoderKL:
    torch.manual_seed(0)
    return AutoencoderKL(SMALL).eval().requires_grad_(False)


def small_pixels(height: int = 64, width: int = 48) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(2, 3, height, width, generator=generator) * 2 - 1


@pytest.mark.parametrize("name", ["vae_kl_f8_z4_ldm", "vae_z16_ldm_flux1_or_sd3"])
def test_names_and_shapes_are_those_of_published_checkpoints(name: str) -> None:
    shapes = known_shapes(name)
    with torch.device("meta"):
        vae = AutoencoderKL(VaeConfig.from_shapes(shapes))
    assert shapes_of(vae) == shapes


def test_the_sizes_of_stable_diffusions_vae_are_read_from_its_shapes() -> None:
    config = VaeConfig.from_shapes(known_shapes("vae_kl_f8_z4_ldm"))
    assert config.channels == (128, 256, 512, 512)
    assert (config.encoder_blocks, config.decoder_blocks) == (2, 3)
    assert (config.latent_channels, config.downscale) == (4, 8)


def test_a_vae_without_quant_convs_is_recognised() -> None:
    config = VaeConfig.from_shapes(known_shapes("vae_z16_ldm_flux1_or_sd3"))
    assert config.quantised_channels is None
    assert config.latent_channels == 16


def test_any_config_is_read_back_from_its_own_shapes() -> None:
    assert VaeConfig.from_shapes(shapes_of(small_vae()), norm_groups=8) == SMALL


def test_a_missing_tensor_is_named() -> None:
    shapes = shapes_of(small_vae())
    del shapes["decoder.conv_in.weight"]
    with pytest.raises(MissingTensor, match=r"decoder\.conv_in\.weight"):
        VaeConfig.from_shapes(shapes)


def test_moments_and_decoding_equal_diffusers_on_the_same_weights() -> None:
    ours = small_vae()
    theirs = diffusers_vae(ours)
    pixels = small_pixels()
    moments = ours.moments(pixels)
    expected = theirs.encode(pixels).latent_dist
    # float32 sums in another order, after some thirty layers
    assert torch.allclose(moments.mean, expected.mean, atol=1e-5)
    assert torch.allclose(moments.log_variance, expected.logvar, atol=1e-5)
    raw = torch.randn(2, 4, 8, 6, generator=torch.Generator().manual_seed(2))
    decoded = theirs.decode(raw).sample
    assert torch.allclose(ours.decode(raw), decoded, atol=1e-5)
    assert decoded.std() > 0.02


def test_encoding_gives_the_mean_an_eighth_of_the_size() -> None:
    vae = small_vae()
    pixels = small_pixels(64, 48)
    latents = vae.encode(pixels)
    assert latents.shape == (2, 4, 8, 6)
    assert torch.equal(latents, vae.moments(pixels).mean)
    assert vae.decode(latents).shape == pixels.shape


def test_a_draw_from_the_posterior_has_its_mean_and_deviation() -> None:
    moments = Moments(torch.full((1, 4, 64, 64), 3.0), torch.full((1, 4, 64, 64), -1.3862944))
    draw = sample_posterior(moments, torch.Generator().manual_seed(0))
    # 16,384 draws: the mean of deviation 0.5 is known to 0.004, four of them are 0.016
    assert abs(float(draw.mean()) - 3.0) < 0.016
    assert abs(float(draw.std()) - 0.5) < 0.016


def diffusers_vae(ours: AutoencoderKL) -> torch.nn.Module:
    """diffusers' model with our weights, renamed by diffusers' own conversion."""
    diffusers = pytest.importorskip("diffusers")
    from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

    levels = len(SMALL.channels)
    model = diffusers.AutoencoderKL(
        block_out_channels=SMALL.channels,
        layers_per_block=SMALL.encoder_blocks,
        latent_channels=SMALL.latent_channels,
        norm_num_groups=SMALL.norm_groups,
        down_block_types=["DownEncoderBlock2D"] * levels,
        up_block_types=["UpDecoderBlock2D"] * levels,
    )
    weights = {f"first_stage_model.{name}": tensor for name, tensor in ours.state_dict().items()}
    model.load_state_dict(convert_ldm_vae_checkpoint(weights, dict(model.config)), strict=True)
    return model.eval().requires_grad_(False)
