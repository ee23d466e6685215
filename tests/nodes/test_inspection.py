"""What a latent holds is shown, and a broken picture names the node to suspect."""

from typing import Any

import pytest
import torch

from nodes.diagnosis import OK
from nodes.inspection import BrokenPicture, latent_statistics, output_check, show_latent
from nodes.sockets import Image, Latent
from tests.helpers.services import Outputs, Spaces


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def blocks() -> Image:
    """A picture of noise in blocks, as a latent of noise is decoded."""
    cells = noise(1, 16, 16, 3).sigmoid()
    return Image(cells.repeat_interleave(8, 1).repeat_interleave(8, 2))


def flat(value: float) -> Image:
    return Image(torch.full((1, 64, 64, 3), value))


def good() -> Image:
    line = torch.linspace(0, 1, 64)
    return Image(torch.stack([line.expand(64, 64)] * 3, dim=-1)[None].contiguous())


NODES: dict[str, dict[str, Any]] = {
    "6": {"type": "vae_decode", "title": "Decode", "values": {}, "inputs": {"latent": "5"}},
    "5": {
        "type": "k_sampler",
        "title": "Base pass",
        "values": {"steps": 20, "cfg": 7.0, "denoise": 1.0},
        "inputs": {"latent": "4"},
    },
    "4": {"type": "empty_latent", "title": "", "values": {}, "inputs": {}},
}


def sampled(**values: Any) -> dict[str, dict[str, Any]]:
    """The everyday nodes, with other values at the sampler."""
    changed = {**NODES["5"], "values": {**NODES["5"]["values"], **values}}
    return {**NODES, "5": changed}


def report(image: Image, nodes: dict[str, Any] | None = None, workflow: Any = None) -> str:
    outputs = Outputs(nodes if nodes is not None else NODES, workflow)
    found = output_check(image, outputs=outputs)
    assert found.image is image
    assert outputs.texts == [found.report]
    assert found.ok == (found.report == OK)
    return found.report


def test_a_latents_numbers_are_told_as_it_travels_and_as_the_model_sees_it() -> None:
    raw = noise(2, 4, 8, 8) / 0.18215
    outputs = Outputs()
    found = latent_statistics(Latent(raw, "sd1"), spaces=Spaces(), outputs=outputs)
    assert found.mean == pytest.approx(float(raw.mean()))
    assert found.deviation == pytest.approx(float(raw.std(correction=0)))
    assert (found.lowest, found.highest) == (float(raw.min()), float(raw.max()))
    assert outputs.texts == [found.table]
    lines = found.table.splitlines()
    assert lines[0] == "SD 1.x: 2 x 4 channels, 8 x 8 cells"
    assert lines[2].startswith("as the model sees it: mean ")
    assert "usual" not in lines[2]
    assert [line.split(":")[0] for line in lines[3:]] == [f"channel {k}" for k in range(4)]


def test_a_latent_that_is_far_too_strong_is_told() -> None:
    strong = Latent[Any](noise(1, 4, 8, 8) * 40, "sd1")
    found = latent_statistics(strong, spaces=Spaces(), outputs=Outputs())
    assert "(about 1 is usual)" in found.table


def test_a_latent_of_an_unknown_space_has_numbers_and_maps_too() -> None:
    unknown = Latent[Any](noise(1, 5, 6, 8))
    found = latent_statistics(unknown, spaces=Spaces(), outputs=Outputs())
    assert found.table.startswith("unknown space: 1 x 5 channels")
    assert show_latent(unknown, spaces=Spaces(), outputs=Outputs()).channels.pixels.ndim == 4


def test_every_channel_is_shown_and_the_colours_are_guessed() -> None:
    outputs = Outputs()
    raw = torch.full((2, 4, 3, 5), -100.0)
    raw[:, 1] = 100
    made = show_latent(Latent(raw, "sd1"), spaces=Spaces(), outputs=outputs)
    assert made.channels.pixels.shape == (2, (3 + 1 + 3) * 8, (5 + 1 + 5) * 8, 3)
    red, _, blue = made.channels.pixels[0, 0, 0]
    assert blue > red, "the first channel is below zero"
    red, _, blue = made.channels.pixels[0, 0, -1]
    assert red > blue, "the second is above"
    assert made.colours.pixels.shape == (2, 24, 40, 3)
    assert outputs.pictures == [made.colours, made.channels]


def test_a_good_picture_is_let_through() -> None:
    assert report(good()) == OK


def test_noise_suspects_what_in_the_sampler_explains_it() -> None:
    assert "The picture looks like noise." in report(blocks())
    assert "Look at 'Base pass' first" in report(blocks())
    assert "Suspect 'Base pass': 2 steps are too few" in report(blocks(), sampled(steps=2))
    left = report(blocks(), sampled(return_with_leftover_noise=True))
    assert "Suspect 'Base pass': it hands on its noise" in left


def test_a_flat_picture_suspects_an_empty_latent_that_nobody_sampled() -> None:
    unsampled = {"6": NODES["6"], "4": NODES["4"]}
    assert "Suspect empty latent (4): nothing was ever sampled" in report(flat(0.5), unsampled)
    assert "with denoise 0 it leaves" in report(flat(0.5), sampled(denoise=0))


def test_black_and_nan_suspect_the_vae() -> None:
    assert "is black. Suspect 'Decode': its VAE" in report(flat(0.0))
    assert "(NaN). Suspect 'Decode': its VAE" in report(flat(float("nan")))
    assert "cfg of 60" in report(flat(0.0), sampled(cfg=60.0))


def test_an_allowed_wire_is_the_first_suspect() -> None:
    wire = {"node": "5", "output": "latent", "allow": ["starter", "starter-b"]}
    workflow = {"nodes": {"6": {"type": "vae_decode", "inputs": {"latent": wire}}}}
    told = report(blocks(), workflow=workflow)
    assert (
        "noise. Suspect 'Decode': one of its wires was allowed although it brings starter" in told
    )


def test_nothing_before_it_explains_a_picture_that_was_loaded() -> None:
    assert report(flat(0.0), {}).endswith("No node before this one explains it.")


def test_each_picture_of_a_batch_is_judged() -> None:
    both = Image(torch.cat([good().pixels, flat(0.0).pixels]))
    assert report(both).startswith("Picture 2 is black.")


def test_a_run_can_be_stopped_there() -> None:
    with pytest.raises(BrokenPicture, match="is black"):
        output_check(flat(0.0), stop=True, outputs=Outputs(NODES))
    assert output_check(good(), stop=True, outputs=Outputs(NODES)).ok
