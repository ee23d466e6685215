"""How stand-alone VAE files look, and whose latents they may speak.

SD 1.x and SDXL have VAEs of equal names and shapes, and so have FLUX.1 and SD3: there the header
leaves two candidates.
"""

from diffusion.families.family import Look
from diffusion.families.signature import Either, Has, Lacks, NoneOf, Signature


def _kl(channels: int | None, width: int | None) -> Signature:
    """A KL autoencoder under its original names."""
    return (
        Has("decoder.conv_in.weight", (width, channels, 3, 3)),
        Has("decoder.mid.block_1.norm1.weight"),
        Lacks("decoder.mid.block_1.mix_factor"),
        Lacks("decoder.time_mix_conv.weight"),
    )


def _kl_diffusers(channels: int | None, width: int | None) -> Signature:
    """The same under diffusers' names."""
    return (
        Has("decoder.conv_in.weight", (width, channels, 3, 3)),
        Has("decoder.mid_block.resnets.0.norm1.weight"),
        Has("decoder.up_blocks.0.resnets.0.norm1.weight"),
    )


_KL_ENCODER = (
    Has("encoder.conv_in.weight", (None, 3, 3, 3)),
    Either(
        (
            Has("encoder.mid.block_1.norm1.weight"),
            Has("encoder.mid_block.resnets.0.norm1.weight"),
        )
    ),
    Has("encoder.conv_out.weight"),
    Lacks("decoder.conv_in.weight"),
    Lacks("decoder_unet.conv_in.weight"),
)
"""The encoder of a KL autoencoder without its decoder."""

_FOUR_LEVELS = Has("decoder.up.3.block.0.norm1.weight")
_FOUR_LEVELS_DIFFUSERS = Has("decoder.up_blocks.3.resnets.0.norm1.weight")
_THREE_LEVELS = Lacks("decoder.up.3.block.0.norm1.weight")
_QUANT = Has("post_quant_conv.weight", (4, 4, 1, 1))
_NO_QUANT = Lacks("post_quant_conv.weight")

_Z4 = (*_kl(4, 512), _FOUR_LEVELS, _QUANT)
_Z4_DIFFUSERS = (*_kl_diffusers(4, 512), _FOUR_LEVELS_DIFFUSERS, _QUANT)
_X4 = (*_kl(4, 512), _THREE_LEVELS, _QUANT)
_Z16 = (*_kl(16, 512), _FOUR_LEVELS, _NO_QUANT)
_Z16_DIFFUSERS = (*_kl_diffusers(16, 512), _FOUR_LEVELS_DIFFUSERS, _NO_QUANT)
_Z32 = (*_kl(32, 512), _FOUR_LEVELS, Has("bn.running_mean", (128,)))
_Z32_DIFFUSERS = (
    *_kl_diffusers(32, 512),
    _FOUR_LEVELS_DIFFUSERS,
    Has("bn.running_mean", (128,)),
)
_KNOWN = NoneOf((_Z4, _X4, _Z16, _Z32))
_KNOWN_DIFFUSERS = NoneOf((_Z4_DIFFUSERS, _Z16_DIFFUSERS, _Z32_DIFFUSERS))


def _vae(
    id_: str, title: str, signature: Signature, spaces: tuple[str, ...], layout: str = "original"
) -> Look:
    runnable = id_.startswith("kl")
    return Look("vae", id_, title, signature, layout, None, spaces, (), ("vae",), runnable)


def _tiny(id_: str, title: str, channels: int, spaces: tuple[str, ...]) -> tuple[Look, ...]:
    """Tiny autoencoders (TAESD): numbers as names, encoder and decoder in two files or in one."""

    def look(name: str, signature: Signature, layout: str = "original") -> Look:
        return Look(
            "tiny_vae", id_, name, signature, layout, None, spaces, (), ("vae",), True, "tiny"
        )

    pixels, latent = (64, 3, 3, 3), (channels, 64, 3, 3)
    back, shown = (64, channels, 3, 3), (3, 64, 3, 3)
    encoder = (Has("0.weight", pixels), Has("14.weight", latent))
    decoder = (Has("1.weight", back), Has("19.weight", shown))
    both = (
        Has("taesd_encoder.0.weight", pixels),
        Has("taesd_encoder.14.weight", latent),
        Has("taesd_decoder.1.weight", back),
    )
    diffusers = (
        Has("encoder.layers.0.weight", pixels),
        Has("encoder.layers.14.weight", latent),
        Has("decoder.layers.0.weight", back),
    )
    return (
        look(f"{title} (encoder)", encoder),
        look(f"{title} (decoder)", decoder),
        look(title, both),
        look(title, diffusers, "diffusers"),
    )


VAES: tuple[Look, ...] = (
    _vae("kl_f8_4", "4-channel KL VAE", _Z4, ("sd1", "sdxl")),
    _vae("kl_f8_4", "4-channel KL VAE", _Z4_DIFFUSERS, ("sd1", "sdxl"), "diffusers"),
    _vae("kl_f4_4", "x4-upscaler VAE", _X4, ("sd_x4_upscaler",)),
    _vae("kl_f8_16", "16-channel KL VAE", _Z16, ("flux1", "sd3")),
    _vae("kl_f8_16", "16-channel KL VAE", _Z16_DIFFUSERS, ("flux1", "sd3"), "diffusers"),
    _vae("kl_f8_32", "FLUX.2 VAE", _Z32, ("flux2",)),
    _vae("kl_f8_32", "FLUX.2 VAE", _Z32_DIFFUSERS, ("flux2",), "diffusers"),
    _vae("kl", "KL VAE", (*_kl(None, None), _KNOWN), ()),
    _vae("kl", "KL VAE", (*_kl_diffusers(None, None), _KNOWN_DIFFUSERS), (), "diffusers"),
    _vae("kl", "KL VAE (encoder)", _KL_ENCODER, ()),
    _vae(
        "wan21",
        "Wan 2.1 VAE",
        (
            Has("decoder.middle.0.residual.0.gamma", (384, 1, 1, 1)),
            Has("decoder.head.0.gamma", (96, 1, 1, 1)),
        ),
        ("wan21",),
    ),
    _vae(
        "wan22",
        "Wan 2.2 VAE",
        (Has("decoder.upsamples.0.upsamples.0.residual.2.weight"),),
        ("wan22",),
    ),
    _vae(
        "wan21",
        "Wan 2.1 VAE",
        (Has("decoder.conv_in.weight", (None, 16, 3, 3, 3)), Has("encoder.norm_out.gamma")),
        ("wan21",),
        "diffusers",
    ),
    _vae(
        "sana_dcae",
        "DC-AE",
        (
            Has("encoder.project_in.conv.bias"),
            Has("decoder.stages.1.op_list.0.main.conv.conv.bias"),
        ),
        ("sana_dcae",),
    ),
    _vae(
        "cascade_a",
        "Cascade stage A",
        (Has("vquantizer.codebook.weight"),),
        ("cascade_b",),
    ),
    # Its decoder is a diffusion model of its own (OpenAI 2023), which cannot be run yet.
    _vae(
        "consistency_decoder",
        "SD consistency decoder",
        (Has("decoder_unet.conv_in.weight"), Has("encoder.conv_in.weight")),
        ("sd1",),
        "diffusers",
    ),
    *_tiny("taesd_4", "tiny 4-channel VAE", 4, ("sd1", "sdxl")),
    *_tiny("taesd_16", "tiny 16-channel VAE", 16, ("flux1", "sd3")),
    *_tiny("taesd_32", "tiny FLUX.2 VAE", 32, ("flux2",)),
)
