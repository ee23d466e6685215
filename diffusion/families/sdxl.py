"""SDXL (Podell et al. 2023): 1024 pixels, CLIP-L and CLIP-G text, sizes as extra conditioning."""

from dataclasses import replace

from diffusion.families.family import DiscreteNoise, Family, LogNoise, Network, Variant
from diffusion.families.kolors import WIDTH as KOLORS_WIDTH
from diffusion.families.signature import Has, Lacks, NoneOf, takes
from diffusion.spaces import LATENT_SPACES

_MIDDLE = "middle_block.1.transformer_blocks.0.norm1.weight"
_PLAIN = (
    Lacks("edm_mean"),
    Lacks("edm_vpred.sigma_max"),
    Lacks("v_pred"),
    takes(4),
)

# SDXL's latents, whitened by statistics of each channel (Li et al. 2024, Playground v2.5).
_PLAYGROUND_STD = (8.4927, 5.9022, 6.5498, 5.2299)
_PLAYGROUND = replace(
    LATENT_SPACES["sdxl"],
    scale=tuple(0.5 / value for value in _PLAYGROUND_STD),
    shift=(-1.6574, 1.886, -1.383, 2.5155),
    rgb_factors=(
        (0.392, 0.4054, 0.4549),
        (-0.2634, -0.0196, 0.0653),
        (0.0568, 0.1687, -0.0755),
        (-0.3112, -0.2359, -0.2076),
    ),
    rgb_bias=(0.0, 0.0, 0.0),
)

SDXL = Family(
    id="sdxl",
    title="SDXL",
    latent_space="sdxl",
    text_space="sdxl",
    prediction="epsilon",
    noise=DiscreteNoise(),
    layouts={
        "original": (
            Has("input_blocks.0.0.weight", (None, frozenset({4, 8, 9}), 3, 3)),
            Has("out.2.weight"),
            Has("label_emb.0.0.weight"),
            NoneOf(((Has("label_emb.0.0.weight", (None, KOLORS_WIDTH)),),)),
            # No transformer at full resolution, and three levels where the refiner has four.
            Lacks("input_blocks.1.1.proj_in.weight"),
            Lacks("input_blocks.9.0.op.weight"),
        ),
        "diffusers": (
            Has("conv_in.weight", (None, frozenset({4, 8, 9}), 3, 3)),
            Has("conv_out.weight"),
            Has("add_embedding.linear_1.weight"),
            Lacks("down_blocks.0.attentions.0.proj_in.weight"),
            Lacks("down_blocks.3.resnets.0.norm1.weight"),
            NoneOf(((Has("add_embedding.linear_1.weight", (None, KOLORS_WIDTH)),),)),
        ),
    },
    sizes=(
        Has("input_blocks.0.0.weight", (320, None, 3, 3)),
        Has("label_emb.0.0.weight", (1280, 2816)),
    ),
    variants=(
        Variant(
            "sdxl_inpaint",
            "inpainting",
            (takes(9), Lacks("v_pred")),
            conditioning=("inpaint",),
        ),
        Variant(
            "sdxl_inpaint_v",
            "inpainting, velocity",
            (takes(9), Has("v_pred"), Lacks("ztsnr")),
            prediction="velocity",
            conditioning=("inpaint",),
        ),
        Variant(
            "sdxl_inpaint_v_zsnr",
            "inpainting, velocity, zero SNR",
            (takes(9), Has("v_pred"), Has("ztsnr")),
            prediction="velocity",
            noise=DiscreteNoise(zero_snr=True),
            conditioning=("inpaint",),
        ),
        Variant(
            "sdxl_edit",
            "edit",
            (takes(8), Lacks("edm_vpred.sigma_max")),
            conditioning=("edit",),
        ),
        Variant(
            "sdxl_v",
            "velocity",
            (Has("v_pred"), Lacks("ztsnr"), Lacks("edm_vpred.sigma_max"), takes(4)),
            prediction="velocity",
        ),
        Variant(
            "sdxl_v_zsnr",
            "velocity, zero SNR",
            (Has("v_pred"), Has("ztsnr"), Lacks("edm_vpred.sigma_max"), takes(4)),
            prediction="velocity",
            noise=DiscreteNoise(zero_snr=True),
        ),
        Variant(
            "playground_v2_5",
            "Playground v2.5",
            (Has("edm_mean"), Has("edm_std")),
            prediction="edm",
            noise=LogNoise(0.002, 80.0),
            model_space=_PLAYGROUND,
        ),
        Variant(
            "sdxl_edm_v",
            "EDM velocity",
            (Has("edm_vpred.sigma_max"), takes(4)),
            prediction="velocity",
            noise=LogNoise(0.002, 120.0),
        ),
        Variant(
            "sdxl_edm_edit",
            "EDM edit",
            (Has("edm_vpred.sigma_max"), takes(8)),
            prediction="velocity",
            noise=LogNoise(0.002, 120.0),
            conditioning=("scaled_edit",),
        ),
        Variant(
            "ssd1b",
            "SSD-1B",
            (
                Has("input_blocks.7.1.transformer_blocks.3.norm1.weight"),
                Lacks("input_blocks.7.1.transformer_blocks.4.norm1.weight"),
                *_PLAIN,
            ),
        ),
        Variant(
            "segmind_vega",
            "Segmind Vega",
            (
                Has("input_blocks.7.1.transformer_blocks.1.norm1.weight"),
                Lacks("input_blocks.7.1.transformer_blocks.2.norm1.weight"),
                *_PLAIN,
            ),
        ),
        Variant(
            "koala_700m",
            "KOALA 700M",
            (Lacks("input_blocks.7.1.transformer_blocks.0.norm1.weight"), Lacks(_MIDDLE), *_PLAIN),
        ),
        Variant(
            "koala_1b",
            "KOALA 1B",
            (Lacks("input_blocks.7.1.transformer_blocks.0.norm1.weight"), Has(_MIDDLE), *_PLAIN),
        ),
    ),
    text_prefixes={
        "clip_l": ("conditioner.embedders.0.transformer.",),
        "clip_g": ("conditioner.embedders.1.model.",),
    },
    modelspec=("stable-diffusion-xl-v1-base", "stable-diffusion-xl-v0-9-base"),
    runnable=True,
    network=Network(head_width=64),
    conditioning=("sizes",),
)
