"""The first certain layer wins, likely ones that agree are certain, no contradiction hides."""

from pathlib import Path

import pytest

from diffusion.identity.identity import Certainty
from diffusion.identity.layers import LAYERS, Finding, Layer, combined, contradiction
from diffusion.identity.metadata import config_beside, metadata_finding

BOTH = Finding("header", ("sd1", "sdxl"), "certain", "its tensors fit both")
UNKNOWN = Finding("header", (), "unknown", "its sizes are those of no known one")


def says(layer: Layer, space: str, certainty: Certainty = "certain") -> Finding:
    return Finding(layer, (space,), certainty, f"{layer} says so")


def test_a_header_that_leaves_two_spaces_leaves_two() -> None:
    found = combined([BOTH])
    assert (found.spaces, found.certainty, found.rule) == (("sd1", "sdxl"), "unknown", "header")
    assert found.against == ()


@pytest.mark.parametrize("first", range(1, len(LAYERS)))
def test_the_first_certain_layer_wins_and_the_rest_is_told(first: int) -> None:
    findings = [BOTH, says(LAYERS[first], "sd1"), *(says(n, "sdxl") for n in LAYERS[first + 1 :])]
    found = combined(reversed(findings))  # in whatever order they come
    assert (found.spaces, found.certainty, found.rule) == (("sd1",), "certain", LAYERS[first])
    assert [item.layer for item in found.against] == list(LAYERS[first + 1 :])


def test_a_header_that_is_sure_is_not_overruled_and_the_statement_is_shown_as_against() -> None:
    found = combined([says("header", "flux2"), says("statement", "flux1")])
    assert (found.spaces, found.rule) == (("flux2",), "header")
    assert [item.layer for item in found.against] == ["statement"]


def test_what_the_tensors_rule_out_is_no_answer_and_no_secret() -> None:
    found = combined([BOTH, says("probe", "flux1")])
    assert (found.spaces, found.certainty) == (("sd1", "sdxl"), "unknown")
    assert [item.layer for item in found.against] == ["probe"]


def test_one_likely_layer_makes_it_likely() -> None:
    found = combined([BOTH, says("signature", "sdxl", "likely")])
    assert (found.spaces, found.certainty, found.rule) == (("sdxl",), "likely", "signature")


def test_two_likely_layers_that_agree_are_certain_together() -> None:
    found = combined([UNKNOWN, says("metadata", "sdxl", "likely"), says("probe", "sdxl", "likely")])
    assert (found.spaces, found.certainty, found.rule) == (("sdxl",), "certain", "probe")
    assert "metadata says so" in found.reason
    assert "probe says so" in found.reason


def test_where_likely_layers_disagree_the_measured_one_counts_and_stays_likely() -> None:
    found = combined([BOTH, says("metadata", "sd1", "likely"), says("probe", "sdxl", "likely")])
    assert (found.spaces, found.certainty, found.rule) == (("sdxl",), "likely", "probe")
    assert [item.layer for item in found.against] == ["metadata"]


def test_a_layer_that_cannot_tell_is_no_contradiction() -> None:
    found = combined([BOTH, says("hash", "sdxl"), Finding("probe", (), "unknown", "nothing fits")])
    assert found.against == ()
    assert [item.layer for item in found.findings] == ["header", "hash", "probe"]


def test_a_contradiction_is_a_sentence() -> None:
    found = combined([BOTH, says("statement", "sd1"), says("probe", "sdxl")])
    sentence = contradiction(found.against, {"sdxl": "SDXL"})
    assert sentence == "But a trial of what it does says SDXL (probe says so)."
    assert contradiction((), {}) == ""


def test_the_architecture_in_the_metadata_is_a_likely_answer() -> None:
    told = {"modelspec.architecture": "stable-diffusion-xl-v1-base/vae"}
    found = metadata_finding(told, None)
    assert found is not None
    assert (found.spaces, found.certainty) == (("sdxl",), "likely")
    assert metadata_finding({"modelspec.architecture": "something-else"}, None) is None
    assert metadata_finding({}, None) is None


@pytest.mark.parametrize(
    ("config", "space"),
    [
        ({"scaling_factor": 0.18215, "latent_channels": 4}, "sd1"),
        ({"scaling_factor": 0.13025, "latent_channels": 4}, "sdxl"),
        ({"scaling_factor": 0.3611, "shift_factor": 0.1159, "latent_channels": 16}, "flux1"),
        ({"scaling_factor": 1.5305, "shift_factor": 0.0609, "latent_channels": 16}, "sd3"),
        ({"scaling_factor": 0.08333, "latent_channels": 4}, "sd_x4_upscaler"),
    ],
)
def test_the_scale_in_a_config_is_a_likely_answer(config: dict[str, float], space: str) -> None:
    found = metadata_finding({}, config)
    assert found is not None
    assert (found.spaces, found.certainty) == ((space,), "likely")


def test_a_config_that_says_nothing_of_scale_is_silent() -> None:
    assert metadata_finding({}, {"latent_channels": 4}) is None
    assert metadata_finding({}, {"scaling_factor": 1.0, "latent_channels": 32}) is None
    assert metadata_finding({}, {"scaling_factor": "0.13025"}) is None
    assert metadata_finding({}, {"scaling_factor": 0.13025, "latent_channels": 16}) is None


def test_metadata_against_config_is_unknown_and_names_both() -> None:
    told = {"modelspec.architecture": "stable-diffusion-v1/vae"}
    found = metadata_finding(told, {"scaling_factor": 0.13025, "latent_channels": 4})
    assert found is not None
    assert (found.spaces, found.certainty) == (("sd1", "sdxl"), "unknown")
    assert "but" in found.reason


def test_a_config_counts_only_beside_one_autoencoder(tmp_path: Path) -> None:
    path = tmp_path / "diffusion_pytorch_model.safetensors"
    path.touch()
    config = tmp_path / "config.json"
    assert config_beside(path) is None
    config.write_text('{"_class_name": "AutoencoderKL", "scaling_factor": 0.13025}')
    assert config_beside(path) == {"_class_name": "AutoencoderKL", "scaling_factor": 0.13025}
    (tmp_path / "diffusion_pytorch_model.fp16.safetensors").touch()
    assert config_beside(path) is not None
    (tmp_path / "another.safetensors").touch()
    assert config_beside(path) is None
    (tmp_path / "another.safetensors").unlink()
    for broken in ('{"_class_name": "UNet2DConditionModel"}', "[]", "{", ""):
        config.write_text(broken)
        assert config_beside(path) is None
