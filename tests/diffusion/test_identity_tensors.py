"""The tensors of a VAE are found by their original names in every published form of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from diffusion.identity.rules import recognise
from diffusion.identity.tensors import half_names, part_names, sizes_of
from tests.diffusion.files import header_of, known_names, known_shapes

ROOT = Path(__file__).parent.parent.parent

SIZES = {
    "vae_kl_f8_z4_ldm": (4, 8),
    "vae_kl_f8_z4_diffusers": (4, 8),
    "vae_z16_ldm_flux1_or_sd3": (16, 8),
    "vae_z16_diffusers_flux1_or_sd3": (16, 8),
    "vae_flux2_ldm": (32, 8),
    "vae_flux2_diffusers": (32, 8),
    "checkpoint_sd15": (4, 8),
    "checkpoint_sd2": (4, 8),
    "checkpoint_sdxl": (4, 8),
    "checkpoint_sdxl_refiner": (4, 8),
    "checkpoint_sd3_medium": (16, 8),
}
"""Published files with a VAE: its latent channels, and pixels for each cell."""


def test_every_published_header_with_a_vae_is_in_the_table() -> None:
    with_vae = [
        name for name in known_names() if "vae" in recognise(header_of(known_shapes(name))).parts
    ]
    assert sorted(SIZES) == with_vae


@pytest.mark.parametrize("name", SIZES)
def test_channels_and_scale_are_read_from_names_and_shapes(name: str) -> None:
    header = header_of(known_shapes(name))
    found = recognise(header)
    assert sizes_of(header, found.prefixes["vae"], found.network) == SIZES[name]


@pytest.mark.parametrize("name", SIZES)
def test_the_encoder_has_the_same_names_in_both_forms(name: str) -> None:
    header = header_of(known_shapes(name))
    found = recognise(header)
    names = half_names(part_names(header, found.prefixes["vae"], found.network))
    assert "encoder.conv_in.weight" in names
    assert "encoder.mid.attn_1.q.weight" in names
    assert set(names.values()) <= header.tensors.keys()
    other = name.replace("diffusers", "ldm")
    if other != name:
        original = header_of(known_shapes(other))
        assert half_names(part_names(original, "", "kl")).keys() == names.keys()


def test_of_a_file_with_a_decoder_alone_the_decoder_counts() -> None:
    shapes = {"1.weight": (64, 4, 3, 3), "19.weight": (3, 64, 3, 3)}
    header = header_of(shapes)
    assert set(half_names(part_names(header, "", "tiny"))) == {
        "decoder.1.weight", "decoder.19.weight",
    }  # fmt: skip
    assert sizes_of(header, "", "tiny") == (4, 8)


def test_of_an_unknown_network_nothing_is_said() -> None:
    header = header_of({"x": (1, 2)})
    assert part_names(header, "", "wan") == {}
    assert sizes_of(header, "", "wan") == (0, 0)


@pytest.mark.parametrize(
    "module",
    ["hashes", "layers", "metadata", "probe", "signatures", "tensors"],
)
def test_what_the_server_compares_files_with_leaves_torch_unloaded(module: str) -> None:
    code = (
        f"import sys, diffusion.identity.{module}, server.catalogue_survey; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
