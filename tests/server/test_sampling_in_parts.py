"""A run put together from parts, or taken up from a file, makes the picture of the plain one."""

from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image as Pictures

from graph.events import Produced
from server.settings import Settings
from tests.helpers.bench import Bench, with_models
from tests.helpers.workflows import text_to_image

SAMPLER, DECODE = "5", "6"


@pytest.fixture
def bench(settings: Settings, tiny_models: Path) -> Bench:
    return Bench(with_models(settings, tiny_models))


def wire(node: str, output: str) -> dict[str, str]:
    return {"node": node, "output": output}


def placed(type_: str, values: dict[str, Any] | None = None, **inputs: Any) -> dict[str, Any]:
    return {"type": type_, "values": values or {}, "inputs": inputs}


def produced(bench: Bench, workflow: dict[str, Any]) -> Path:
    """The one file that the workflow makes."""
    before = len(bench.events(Produced))
    ended = bench.run(workflow)
    assert (ended.status, ended.error) == ("finished", None)
    (made,) = bench.events(Produced)[before:]
    return bench.settings.output / made.file


def pixels(path: Path) -> numpy.ndarray:
    with Pictures.open(path) as picture:
        return numpy.asarray(picture)


def plain() -> dict[str, Any]:
    return text_to_image(sampler="euler", scheduler="karras", cfg=4.0)


def in_parts() -> dict[str, Any]:
    workflow = plain()
    nodes = workflow["nodes"]
    whole = nodes[SAMPLER]
    values, inputs = whole["values"], whole["inputs"]
    guided = {name: inputs[name] for name in ("model", "positive", "negative")}
    levels = {"scheduler": "karras", "steps": values["steps"]}
    nodes |= {
        "noise": placed("random_noise", {"seed": values["seed"]}),
        "guider": placed("cfg_guider", {"cfg": 4.0}, **guided),
        "method": placed("k_sampler_select", {"sampler": "euler"}),
        "levels": placed("basic_scheduler", levels, model=inputs["model"]),
        SAMPLER: placed(
            "sampler_custom_advanced",
            noise=wire("noise", "noise"),
            guider=wire("guider", "guider"),
            sampler=wire("method", "sampler"),
            sigmas=wire("levels", "sigmas"),
            latent=inputs["latent"],
        ),
    }
    nodes[DECODE]["inputs"]["latent"] = wire(SAMPLER, "output")
    return workflow


def test_a_sampler_in_parts_makes_the_picture_of_ksampler(bench: Bench) -> None:
    whole = pixels(produced(bench, plain()))
    assert numpy.array_equal(pixels(produced(bench, in_parts())), whole)


def test_a_latent_from_a_file_makes_the_picture_that_it_would_have_made(bench: Bench) -> None:
    whole = pixels(produced(bench, plain()))
    saving = plain()
    (save,) = (id_ for id_, node in saving["nodes"].items() if node["type"] == "save_image")
    saving["nodes"][save] = placed(
        "save_latent", {"file_name": "latents/kept"}, latent=wire(SAMPLER, "latent")
    )
    assert produced(bench, saving).name == "kept.latent"
    loading = plain()
    loading["nodes"][SAMPLER] = placed("load_latent", {"file": "kept.latent"})
    assert numpy.array_equal(pixels(produced(bench, loading)), whole)


def test_another_prediction_makes_another_picture_and_none_from_the_cache(bench: Bench) -> None:
    def told(prediction: str) -> dict[str, Any]:
        workflow = plain()
        inputs = workflow["nodes"][SAMPLER]["inputs"]
        workflow["nodes"]["told"] = placed(
            "model_sampling_discrete", {"prediction": prediction}, model=inputs["model"]
        )
        inputs["model"] = wire("told", "model")
        return workflow

    epsilon, velocity = (pixels(produced(bench, told(name))) for name in ("epsilon", "velocity"))
    assert numpy.array_equal(epsilon, pixels(produced(bench, plain())))
    assert not numpy.array_equal(epsilon, velocity)
