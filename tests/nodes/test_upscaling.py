"""Pictures are enlarged by a model's file, and files of other kinds are refused before a run."""

from pathlib import Path

import pytest

from graph.check import check
from graph.workflow import Workflow
from server.catalogue import Catalogue
from tests.diffusion.adapters import compact_upscaler, esrgan
from tests.diffusion.files import Shapes, write_zeros
from tests.helpers.every_space import definitions, node

ESRGAN, COMPACT = esrgan(2), compact_upscaler()
SPAN: Shapes = {"block_1.c1_r.sk.weight": (48, 3, 1, 1)}
LORA: Shapes = {"layer.lora_up.weight": (2, 1), "layer.lora_down.weight": (1, 2)}


@pytest.mark.parametrize(
    ("shapes", "code", "words"),
    [
        (ESRGAN, None, ""),
        (COMPACT, None, ""),
        (SPAN, "not_runnable", "choose an ESRGAN or a compact upscaler"),
        (LORA, "wrong_kind", "move it to models/loras"),
    ],
)
def test_what_cannot_enlarge_is_said_before_a_run(
    tmp_path: Path, shapes: Shapes, code: str | None, words: str
) -> None:
    write_zeros(tmp_path / "models" / "upscale_models" / "it.safetensors", shapes)
    (tmp_path / "input").mkdir()
    shelf = Catalogue((tmp_path / "models",), tmp_path / "input", tmp_path / "models.json")
    flow = Workflow(
        nodes={
            "file": node("load_upscale_model", {"file": "it.safetensors"}),
            "small": node("empty_image"),
            "large": node(
                "upscale_image_with_model",
                upscaler="file.upscaler",
                image="small.image",
            ),
        }
    )
    found = check(flow, definitions(), shelf, wanted=("large",)).blocking
    assert [item.code for item in found] == ([] if code is None else [code])
    assert all(words in item.message for item in found)


def test_an_upscaler_is_no_model_to_sample_with(tmp_path: Path) -> None:
    write_zeros(tmp_path / "models" / "upscale_models" / "it.safetensors", ESRGAN)
    (tmp_path / "input").mkdir()
    shelf = Catalogue((tmp_path / "models",), tmp_path / "input", tmp_path / "models.json")
    flow = Workflow(
        nodes={
            "file": node("load_upscale_model", {"file": "it.safetensors"}),
            "sample": node("k_sampler", model="file.upscaler"),
        }
    )
    codes = {item.code for item in check(flow, definitions(), shelf, wanted=("sample",)).blocking}
    assert "wrong_type" in codes
