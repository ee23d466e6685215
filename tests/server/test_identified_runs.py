"""What is found out about a file reaches the worker's runs at once, and no older result."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open

from diffusion.spaces import LATENT_SPACES
from graph.events import NodeChanged, Produced
from server.catalogue_identity import identities_of
from server.catalogue_survey import Survey
from server.model_folders import Stamp
from server.settings import Settings
from tests.helpers.bench import Bench, with_models
from tests.server.vae_shelf import tiny

FLOW = {
    "version": 1,
    "nodes": {
        "image": {"type": "load_image", "values": {"file": "grey.png"}},
        "vae": {"type": "load_vae", "values": {"file": "tiny.safetensors"}},
        "encode": {
            "type": "vae_encode",
            "inputs": {
                "image": {"node": "image", "output": "image"},
                "vae": {"node": "vae", "output": "vae"},
            },
        },
        "save": {
            "type": "save_latent",
            "inputs": {"latent": {"node": "encode", "output": "latent"}},
        },
    },
}


@pytest.fixture
def bench(settings: Settings, tmp_path: Path) -> Bench:
    Image.new("RGB", (64, 64), (128, 128, 128)).save(settings.input / "grey.png")
    return Bench(with_models(settings, tmp_path / "more"))


def latent(bench: Bench) -> tuple[str, torch.Tensor]:
    """The space and the numbers of the latent that was saved last."""
    made = bench.events(Produced)[-1]
    with safe_open(str(bench.settings.output / made.file), "pt") as file:
        return file.metadata()["latent_loom.space"], file.get_tensor("latent_tensor")


def test_a_tiny_vae_is_of_use_as_soon_as_it_is_said_what_it_is(
    bench: Bench, tmp_path: Path
) -> None:
    path = tiny(tmp_path / "more" / "vae" / "tiny.safetensors")
    ended = bench.run(FLOW)
    assert ended.status == "failed"
    assert "say in the list of models" in str(ended.error)

    # As the server does it, in another process.
    server = identities_of(bench.settings)
    stamp = Stamp.of(path)
    Survey(server, bench.settings.cache).look([stamp], LATENT_SPACES)
    surveyed = server.surveyed(stamp)
    assert surveyed is not None
    server.statements.say(surveyed.content, "sdxl", "vae/tiny.safetensors")
    assert bench.run(FLOW).status == "finished"
    space, first = latent(bench)
    assert space == "sdxl"

    server.statements.say(surveyed.content, "sd1", "vae/tiny.safetensors")
    before = len(bench.events(NodeChanged))
    assert bench.run(FLOW).status == "finished"
    ran = {e.node for e in bench.events(NodeChanged)[before:] if e.state == "finished"}
    assert {"vae", "encode"} <= ran, "what was made under another answer was taken from the cache"
    space, second = latent(bench)
    assert space == "sd1"
    ratio = LATENT_SPACES["sd1"].scale / LATENT_SPACES["sdxl"].scale
    # The same network's output, divided by another scale; float32.
    assert torch.allclose(first, second * ratio, rtol=1e-4)
