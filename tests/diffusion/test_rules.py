"""What a file is, by its header: every published file, and the ways in which files lie."""

import json
import random
import re

import pytest

from diffusion.conditioning import PREPARERS
from diffusion.encoders import ENCODERS
from diffusion.families import FAMILIES, RUN
from diffusion.families.family import Family
from diffusion.families.signature import holds
from diffusion.families.text import PROTOCOLS
from diffusion.header import FileTrouble
from diffusion.identity.rules import LOOKS, recognise
from diffusion.networks import AUTOENCODERS, DENOISERS
from diffusion.prediction import PREDICTIONS
from diffusion.text_join import JOINS
from tests.diffusion.files import header_of, known_names, known_shapes

EXPECTED = {
    # name: kind, family, variant, latent spaces, text spaces, parts
    "checkpoint_sd15": ("checkpoint", "sd15", None, "sd1", "sd1", "model clip vae"),
    "checkpoint_sd2": ("checkpoint", "sd2", None, "sd1", "sd2", "model clip vae"),
    "checkpoint_sdxl": ("checkpoint", "sdxl", None, "sdxl", "sdxl", "model clip vae"),
    "checkpoint_sdxl_refiner": (
        "checkpoint", "sdxl_refiner", None, "sdxl", "sdxl_refiner", "model clip vae",
    ),
    "checkpoint_sd3_medium": ("checkpoint", "sd3", "sd3_medium", "sd3", "sd3", "model vae"),
    "unet_sd15_ldm": ("diffusion_model", "sd15", None, "sd1", "sd1", "model"),
    "unet_sd15_inpaint_ldm": ("diffusion_model", "sd15", "sd15_inpaint", "sd1", "sd1", "model"),
    "unet_sd2_ldm": ("diffusion_model", "sd2", None, "sd1", "sd2", "model"),
    "unet_sdxl_ldm": ("diffusion_model", "sdxl", None, "sdxl", "sdxl", "model"),
    "unet_sdxl_refiner_ldm": (
        "diffusion_model", "sdxl_refiner", None, "sdxl", "sdxl_refiner", "model",
    ),
    "sd3_medium_mmdit": ("diffusion_model", "sd3", "sd3_medium", "sd3", "sd3", "model"),
    "sd35_medium_mmdit": ("diffusion_model", "sd3", "sd35_medium", "sd3", "sd3", "model"),
    "sd35_large_mmdit": ("diffusion_model", "sd3", "sd35_large", "sd3", "sd3", "model"),
    "flux1_dev": ("diffusion_model", "flux1", "dev", "flux1", "flux1", "model"),
    "flux1_schnell": ("diffusion_model", "flux1", "schnell", "flux1", "flux1", "model"),
    "flux1_fill": ("diffusion_model", "flux1", "fill", "flux1", "flux1", "model"),
    "flux1_canny_depth": ("diffusion_model", "flux1", "canny_depth", "flux1", "flux1", "model"),
    "flux2_dev": ("diffusion_model", "flux2", "dev", "flux2", "flux2_dev", "model"),
    "flux2_klein_4b": ("diffusion_model", "flux2", "klein_4b", "flux2", "flux2_klein_4b", "model"),
    "flux2_klein_9b": ("diffusion_model", "flux2", "klein_9b", "flux2", "flux2_klein_9b", "model"),
    "vae_kl_f8_z4_ldm": ("vae", None, "kl_f8_4", "sd1 sdxl", "", "vae"),
    "vae_kl_f8_z4_diffusers": ("vae", None, "kl_f8_4", "sd1 sdxl", "", "vae"),
    "vae_z16_ldm_flux1_or_sd3": ("vae", None, "kl_f8_16", "flux1 sd3", "", "vae"),
    "vae_z16_diffusers_flux1_or_sd3": ("vae", None, "kl_f8_16", "flux1 sd3", "", "vae"),
    "vae_flux2_ldm": ("vae", None, "kl_f8_32", "flux2", "", "vae"),
    "vae_flux2_diffusers": ("vae", None, "kl_f8_32", "flux2", "", "vae"),
    "clip_l_hf": ("text_encoder", None, "clip_l", "", "sd1 sdxl sd3 flux1 hunyuan_video", "clip_l"),
    "clip_h_hf": ("text_encoder", None, "clip_h", "", "sd2", "clip_h"),
    "clip_h_openclip": ("text_encoder", None, "clip_h", "", "sd2", "clip_h"),
    "clip_g_hf": ("text_encoder", None, "clip_g", "", "sdxl sdxl_refiner sd3 cascade", "clip_g"),
    "clip_g_openclip": (
        "text_encoder", None, "clip_g", "", "sdxl sdxl_refiner sd3 cascade", "clip_g",
    ),
    "t5xxl_encoder": (
        "text_encoder", None, "t5xxl", "", "sd3 flux1 chroma pixart hidream_i1", "t5xxl",
    ),
}  # fmt: skip

SPACE = json.dumps({"id": "own", "title": "Own", "channels": 4, "downscale": 8, "scale": 0.5})


def test_every_published_header_is_in_the_table() -> None:
    assert known_names() == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_published_file_is_recognised(name: str) -> None:
    found = recognise(header_of(known_shapes(name)))
    kind, family, variant, latent, text, parts = EXPECTED[name]
    assert (found.kind, found.family, found.variant) == (kind, family, variant)
    assert found.latent_spaces == tuple(latent.split())
    assert found.text_spaces == tuple(text.split())
    assert found.parts == tuple(parts.split())
    assert found.certainty == "certain"
    assert found.evidence


@pytest.mark.parametrize("name", [name for name in EXPECTED if not name.startswith("checkpoint")])
def test_a_file_fits_exactly_one_signature(name: str) -> None:
    shapes = known_shapes(name)
    looks = [look.id for look in LOOKS if holds(look.signature, shapes)]
    layouts = [
        (family.id, layout)
        for family in FAMILIES.values()
        for layout, signature in family.layouts.items()
        if holds(signature, shapes)
    ]
    assert len(looks) + len(layouts) == 1, (looks, layouts)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_order_of_the_tensors_decides_nothing(name: str) -> None:
    items = list(known_shapes(name).items())
    random.Random(0).shuffle(items)
    assert recognise(header_of(dict(items))).latent_spaces == tuple(EXPECTED[name][3].split())


@pytest.mark.parametrize("prefix", ["model.diffusion_model.", "net."])
def test_a_denoiser_under_a_prefix_is_the_same_denoiser(prefix: str) -> None:
    shapes = {prefix + key: shape for key, shape in known_shapes("flux1_dev").items()}
    found = recognise(header_of(shapes))
    assert (found.kind, found.family, found.variant) == ("diffusion_model", "flux1", "dev")
    assert found.prefixes == {"model": prefix}


def test_a_vae_under_a_checkpoints_prefix_is_a_vae() -> None:
    shapes = known_shapes("vae_kl_f8_z4_ldm")
    found = recognise(header_of({"first_stage_model." + k: s for k, s in shapes.items()}))
    assert (found.kind, found.latent_spaces) == ("vae", ("sd1", "sdxl"))
    assert found.prefixes == {"vae": "first_stage_model."}


def test_extra_tensors_of_training_do_not_hide_a_vae() -> None:
    shapes = {**known_shapes("vae_kl_f8_z4_ldm"), "loss.logvar": (), "model_ema.decay": ()}
    assert recognise(header_of(shapes)).kind == "vae"


def test_an_inpainting_checkpoint_is_its_variant() -> None:
    shapes = known_shapes("checkpoint_sd15")
    shapes["model.diffusion_model.input_blocks.0.0.weight"] = (320, 9, 3, 3)
    found = recognise(header_of(shapes))
    assert (found.family, found.variant, found.runnable) == ("sd15", "sd15_inpaint", True)


def test_marker_tensors_say_what_an_sdxl_checkpoint_predicts() -> None:
    shapes = known_shapes("checkpoint_sdxl")
    assert recognise(header_of(shapes)).prediction == "epsilon"
    velocity = recognise(header_of({**shapes, "v_pred": ()}))
    assert (velocity.variant, velocity.prediction) == ("sdxl_v", "velocity")
    zero = recognise(header_of({**shapes, "v_pred": (), "ztsnr": ()}))
    assert zero.noise is not None
    assert getattr(zero.noise, "zero_snr", False)


def test_metadata_says_what_an_sd2_checkpoint_predicts() -> None:
    header = header_of(
        known_shapes("checkpoint_sd2"), modelspec__architecture="stable-diffusion-v2-768-v"
    )
    assert recognise(header).prediction == "velocity"


def small_checkpoint() -> dict[str, tuple[int, ...]]:
    """SD 1.x's architecture at other sizes, with the first attention on the second level."""
    model = {
        "input_blocks.0.0.weight": (64, 4, 3, 3),
        "input_blocks.3.1.proj_in.weight": (128, 128, 1, 1),
        "input_blocks.3.1.transformer_blocks.0.attn2.to_k.weight": (128, 96),
        "middle_block.1.proj_in.weight": (192, 192, 1, 1),
        "time_embed.0.weight": (256, 64),
        "out.2.weight": (4, 64, 3, 3),
    }
    vae = {
        key: tuple(size if size in (3, 4, 8, 1) else size // 4 for size in shape)
        for key, shape in known_shapes("vae_kl_f8_z4_ldm").items()
    }
    return {
        **{f"model.diffusion_model.{key}": shape for key, shape in model.items()},
        **{f"first_stage_model.{key}": shape for key, shape in vae.items()},
    }


def test_a_declared_space_wins_and_says_so() -> None:
    header = header_of(
        small_checkpoint(),
        latent_loom__latent_space=SPACE,
        latent_loom__text_space='{"id": "own"}',
    )
    found = recognise(header)
    assert (found.kind, found.family, found.runnable) == ("checkpoint", "sd15", True)
    assert (found.latent_spaces, found.text_spaces) == (("own",), ("own",))
    assert found.latent_space_declared is not None
    assert found.latent_space_declared.scale == 0.5
    assert any("declared in the file's metadata" in line for line in found.evidence)


def test_the_same_architecture_at_other_sizes_does_not_speak_the_familys_spaces() -> None:
    found = recognise(header_of(small_checkpoint()))
    assert (found.family, found.certainty) == ("sd15", "unknown")
    assert (found.latent_spaces, found.text_spaces) == ((), ())


def test_a_vae_of_other_sizes_is_a_vae_of_an_unknown_space_until_it_declares_one() -> None:
    shapes = {
        key.removeprefix("first_stage_model."): shape
        for key, shape in small_checkpoint().items()
        if key.startswith("first_stage_model.")
    }
    found = recognise(header_of(shapes))
    assert (found.kind, found.latent_spaces) == ("vae", ())
    declared = recognise(header_of(shapes, latent_loom__latent_space=SPACE))
    assert (declared.kind, declared.latent_spaces) == ("vae", ("own",))


def test_a_declared_space_narrows_an_ambiguous_vae() -> None:
    text = json.dumps({"id": "sdxl", "channels": 4, "downscale": 8, "scale": 0.13025})
    header = header_of(known_shapes("vae_kl_f8_z4_ldm"), latent_loom__latent_space=text)
    assert recognise(header).latent_spaces == ("sdxl",)


def test_a_declaration_that_the_tensors_contradict_is_refused() -> None:
    header = header_of(known_shapes("vae_z16_ldm_flux1_or_sd3"), latent_loom__latent_space=SPACE)
    with pytest.raises(FileTrouble, match=r"4 channels.*16"):
        recognise(header)


def test_a_malformed_declaration_names_the_file() -> None:
    header = header_of(known_shapes("vae_kl_f8_z4_ldm"), latent_loom__latent_space="{")
    with pytest.raises(FileTrouble, match=r"file\.safetensors"):
        recognise(header)


def test_modelspec_makes_an_ambiguous_vae_likely_and_no_more() -> None:
    header = header_of(
        known_shapes("vae_kl_f8_z4_ldm"), modelspec__architecture="stable-diffusion-xl-v1-base/vae"
    )
    found = recognise(header)
    assert (found.latent_spaces, found.certainty) == (("sdxl",), "likely")


def test_a_file_that_is_two_things_at_once_is_unknown_and_says_why() -> None:
    shapes = {**known_shapes("clip_l_hf"), **known_shapes("t5xxl_encoder")}
    found = recognise(header_of(shapes))
    assert found.kind == "unknown"
    assert "CLIP-L" in found.evidence[0]
    assert "T5-XXL" in found.evidence[0]


def test_only_what_the_engine_can_run_is_called_runnable() -> None:
    runnable = {name for name in EXPECTED if recognise(header_of(known_shapes(name))).runnable}
    vaes = {name for name in EXPECTED if name.startswith(("vae_kl", "vae_z16"))}
    unets = {name for name in EXPECTED if re.match(r"(unet|checkpoint)_sd(15|2|xl)", name)}
    encoders = {name for name in EXPECTED if name.startswith("clip_")}
    assert runnable >= unets | encoders | vaes


@pytest.mark.parametrize("family", RUN, ids=lambda family: family.id)
def test_what_a_runnable_family_names_is_there(family: Family) -> None:
    assert family.runnable
    rows = {*family.conditioning, *(row for v in family.variants for row in v.conditioning)}
    assert family.network.kind in DENOISERS
    assert family.vae in AUTOENCODERS
    assert rows <= set(PREPARERS)
    assert family.prediction in PREDICTIONS
    spaces = {family.text_space, *(one.text_space or family.text_space for one in family.variants)}
    protocols = [PROTOCOLS[space] for space in spaces]
    assert {protocol.join for protocol in protocols} <= set(JOINS)
    parts = {part.encoder for protocol in protocols for part in protocol.parts}
    assert parts <= set(ENCODERS)
    assert set(family.text_prefixes) == parts
