"""What the checker warns of beyond types: each has a code, blocks nothing, and a click mends it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from diffusion.families import FAMILIES
from diffusion.families.advice import ADVICE
from diffusion.prediction import PREDICTIONS
from diffusion.samplers import SAMPLERS
from diffusion.schedules import SCHEDULES
from graph.check import CheckResult, check
from graph.edits import apply
from graph.problem import Problem
from graph.workflow import PlacedNode, Workflow
from server.catalogue import Catalogue
from tests.diffusion.files import known_shapes, write_zeros
from tests.helpers.every_space import definitions, node

LINTS = {
    "far_from_native_size", "size_not_multiple", "mask_size", "not_for_flow", "cfg_distilled",
    "sampler_needs_cfg", "sampling_not_for_model", "never_holds",
}  # fmt: skip
"""Every code that a lint has: they are stable."""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """Published headers of four families, and two pictures."""
    folder = tmp_path_factory.mktemp("shelf")
    names = {"sd15": "checkpoint_sd15", "sdxl": "checkpoint_sdxl", "sd3": "checkpoint_sd3_medium"}
    for family, name in names.items():
        path = folder / "models" / "checkpoints" / f"{family}.safetensors"
        write_zeros(path, known_shapes(name))
    flux = folder / "models" / "diffusion_models" / "flux1.safetensors"
    write_zeros(flux, known_shapes("flux1_dev"))
    (folder / "input").mkdir()
    Image.new("RGB", (64, 64)).save(folder / "input" / "square.png")
    Image.new("RGB", (128, 64)).save(folder / "input" / "wide.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (128, 64)).save(folder / "input" / "turned.jpg", exif=turned)
    return Catalogue((folder / "models",), folder / "input", folder / "models.json")


def sampled(family: str, size: tuple[int, int] = (0, 0), **values: Any) -> Workflow:
    """A picture by the family; `values` are set on its sampler."""
    loader = "load_diffusion_model" if family == "flux1" else "load_checkpoint"
    width, height = size if size[0] else (ADVICE[family].side,) * 2
    return Workflow(
        nodes={
            "file": node(loader, {"file": f"{family}.safetensors"}),
            "empty": node("empty_latent", {"width": width, "height": height}),
            "sampler": node("k_sampler", values, model="file.model", latent="empty.latent"),
        }
    )


def checked(flow: Workflow, shelf: Catalogue) -> CheckResult:
    return check(flow, definitions(), shelf)


def lints(flow: Workflow, shelf: Catalogue) -> list[Problem]:
    """The warnings; each is seen not to block, and to be gone after its fix without a new one."""
    result = checked(flow, shelf)
    found = [item for item in result.problems if item.code in LINTS]
    assert all(item.severity == "warning" for item in found)
    assert not [item for item in result.blocking if item.code in LINTS]
    for problem in found:
        for fix in problem.fixes:
            after = checked(apply(flow, fix.edits), shelf).problems
            left = [item.code for item in after if item.code in LINTS]
            assert len(left) < len(found), fix.title
            assert problem.code not in left, fix.title
    return found


def told(problems: Sequence[Problem]) -> list[tuple[str, str | None, str | None]]:
    return [(item.code, item.node, item.socket) for item in problems]


def test_every_family_that_runs_has_advice_of_settings_that_there_are() -> None:
    assert {family.id for family in FAMILIES.values() if family.runnable} <= set(ADVICE)
    assert set(ADVICE) <= set(FAMILIES)
    choices = {
        "scheduler": set(SCHEDULES),
        "sampler": set(SAMPLERS),
        "prediction": set(PREDICTIONS),
    }
    for advice in ADVICE.values():
        low, high = advice.areas
        assert low < 1 < high
        for avoid in advice.avoid:
            assert avoid.code in LINTS
            assert set(avoid.values) <= choices.get(avoid.widget, set())
            if avoid.values and avoid.use is not None:
                assert avoid.use in choices[avoid.widget]
                assert avoid.use not in avoid.values


@pytest.mark.parametrize("family", ["sd15", "sdxl", "sd3", "flux1"])
def test_a_familys_own_size_and_everyday_settings_are_no_matter(
    shelf: Catalogue, family: str
) -> None:
    cfg = 1.0 if family == "flux1" else 7.0
    assert lints(sampled(family, cfg=cfg), shelf) == []


def test_sdxl_at_512_is_told_and_brought_to_1024(shelf: Catalogue) -> None:
    flow = sampled("sdxl", (512, 512))
    (problem,) = lints(flow, shelf)
    assert told([problem]) == [("far_from_native_size", "empty", "width")]
    assert problem.message == (
        "Empty Latent makes 512 x 512 pixels, and KSampler uses sdxl.safetensors (SDXL), which was "
        "trained at 1024 x 1024: pictures that small come out worse."
    )
    (fix,) = problem.fixes
    assert fix.title == "Make it 1024 x 1024"
    fixed = apply(flow, fix.edits).nodes["empty"].values
    assert (fixed["width"], fixed["height"]) == (1024, 1024)


@pytest.mark.parametrize(
    ("family", "size", "fixed"),
    [
        ("sd15", (1024, 1024), (512, 512)),
        ("sd15", (192, 384), (384, 704)),
        ("sdxl", (512, 768), (832, 1280)),
        ("sdxl", (8192, 512), (4096, 256)),
        ("sdxl", (16, 8192), (1024, 1024)),
        ("flux1", (256, 256), (1024, 1024)),
    ],
)
def test_a_size_far_from_a_familys_own_keeps_its_proportions_when_mended(
    shelf: Catalogue, family: str, size: tuple[int, int], fixed: tuple[int, int]
) -> None:
    flow = sampled(family, size, cfg=1.0)
    (problem,) = lints(flow, shelf)
    assert problem.code == "far_from_native_size"
    values = apply(flow, problem.fixes[0].edits).nodes["empty"].values
    assert (values["width"], values["height"]) == fixed


@pytest.mark.parametrize("family", ["sd3", "flux1"])
def test_a_size_that_a_transformer_must_fill_up_is_told(shelf: Catalogue, family: str) -> None:
    flow = sampled(family, (1000, 1032), cfg=1.0)
    (problem,) = lints(flow, shelf)
    assert told([problem]) == [("size_not_multiple", "empty", "width")]
    assert "squares of 16 pixels" in problem.message
    values = apply(flow, problem.fixes[0].edits).nodes["empty"].values
    assert values["width"] % 16 == values["height"] % 16 == 0
    assert abs(values["width"] - 1000) <= 8


def test_a_unet_takes_every_multiple_of_8(shelf: Catalogue) -> None:
    assert lints(sampled("sd15", (520, 504)), shelf) == []


@pytest.mark.parametrize("scheduler", ["karras", "exponential", "kl_optimal"])
def test_a_schedule_that_suits_no_flow_model_is_told_for_flow_models_alone(
    shelf: Catalogue, scheduler: str
) -> None:
    assert lints(sampled("sdxl", scheduler=scheduler), shelf) == []
    for family in ("sd3", "flux1"):
        (problem,) = lints(sampled(family, scheduler=scheduler, cfg=1.0), shelf)
        assert told([problem]) == [("not_for_flow", "sampler", "scheduler")]
        assert f"is {scheduler}, but {family}.safetensors" in problem.message
        assert problem.fixes[0].title == "Set 'Scheduler' to simple"


def test_cfg_on_a_model_with_guidance_built_in_is_told(shelf: Catalogue) -> None:
    (problem,) = lints(sampled("flux1", cfg=7.0), shelf)
    assert told([problem]) == [("cfg_distilled", "sampler", "cfg")]
    assert "FLUX Guidance" in problem.message
    assert [fix.title for fix in problem.fixes] == ["Set 'CFG' to 1"]


def test_a_cfg_plus_plus_sampler_on_such_a_model_is_told(shelf: Catalogue) -> None:
    found = lints(sampled("flux1", cfg=1.0, sampler="euler_cfg_pp"), shelf)
    assert told(found) == [("sampler_needs_cfg", "sampler", "sampler")]


def test_a_sampler_in_parts_is_warned_of_at_the_part(shelf: Catalogue) -> None:
    flow = sampled("flux1")
    parts = {
        "levels": node("basic_scheduler", {"scheduler": "karras"}, model="file.model"),
        "method": node("k_sampler_select", {"sampler": "dpmpp_2m_cfg_pp"}),
        "guider": node("cfg_guider", {"cfg": 4.0}, model="file.model"),
        "sampler": node(
            "sampler_custom", {"cfg": 1.0}, model="file.model", latent="empty.latent",
            sampler="method.sampler", sigmas="levels.sigmas",
        ),
    }  # fmt: skip
    found = lints(Workflow(nodes={**flow.nodes, **parts}), shelf)
    assert sorted(told(found)) == [
        ("cfg_distilled", "guider", "cfg"),
        ("not_for_flow", "levels", "scheduler"),
        ("sampler_needs_cfg", "method", "sampler"),
    ]


def test_what_lies_between_the_file_and_the_sampler_hides_nothing(shelf: Catalogue) -> None:
    flow = sampled("sd3", (256, 256), scheduler="karras")
    between = {
        "shift": node("model_sampling_shift", model="file.model"),
        "flip": node("latent_flip", latent="empty.latent"),
    }
    sampler = flow.nodes["sampler"]
    wires = node("k_sampler", model="shift.model", latent="flip.latent").inputs
    nodes = {**flow.nodes, **between, "sampler": sampler.model_copy(update={"inputs": wires})}
    codes = {item.code for item in lints(Workflow(nodes=nodes), shelf)}
    assert codes == {"far_from_native_size", "not_for_flow"}


@pytest.mark.parametrize(
    ("family", "wrong", "right"),
    [
        ("sdxl", "model_sampling_shift", "model_sampling_discrete"),
        ("sd15", "model_sampling_flux", "model_sampling_discrete"),
        ("sd3", "model_sampling_discrete", "model_sampling_shift"),
        ("flux1", "model_sampling_discrete", "model_sampling_flux"),
    ],
)
def test_a_way_of_sampling_that_the_model_cannot_be_sampled_in_is_left_out(
    shelf: Catalogue, family: str, wrong: str, right: str
) -> None:
    flow = sampled(family, cfg=1.0)

    def between(type_: str) -> Workflow:
        sampler = node("k_sampler", {"cfg": 1.0}, model="way.model", latent="empty.latent")
        way = node(type_, model="file.model")
        return Workflow(nodes={**flow.nodes, "way": way, "sampler": sampler})

    assert lints(between(right), shelf) == []
    (problem,) = lints(between(wrong), shelf)
    assert (problem.code, problem.node) == ("sampling_not_for_model", "way")
    fixed = apply(between(wrong), problem.fixes[0].edits)
    assert "way" not in fixed.nodes
    assert fixed.nodes["sampler"].inputs["model"].node == "file"


def test_a_resized_latent_a_wired_size_and_an_unfit_value_are_not_judged(shelf: Catalogue) -> None:
    flow = sampled("sdxl", (512, 512))
    up = node("latent_upscale_by", latent="empty.latent")
    sampler = node("k_sampler", model="file.model", latent="up.latent")
    assert lints(Workflow(nodes={**flow.nodes, "up": up, "sampler": sampler}), shelf) == []
    for width in (-8, "wide", 5.5, True):
        wrong = node("empty_latent", {"width": width})
        assert lints(Workflow(nodes={**flow.nodes, "empty": wrong}), shelf) == []


def test_two_samplers_of_one_model_share_the_warning_of_their_latent(shelf: Catalogue) -> None:
    flow = sampled("sdxl", (512, 512))
    second = node("k_sampler", model="file.model", latent="sampler.latent")
    assert len(lints(Workflow(nodes={**flow.nodes, "second": second}), shelf)) == 1


def test_a_model_of_a_space_of_its_own_gets_no_advice(shelf: Catalogue, tmp_path: Path) -> None:
    own = '{"id": "own", "channels": 4, "downscale": 8}'
    shapes = known_shapes("checkpoint_sdxl")
    write_zeros(
        tmp_path / "checkpoints" / "sdxl.safetensors", shapes, latent_loom__latent_space=own
    )
    other = Catalogue((tmp_path,), tmp_path, tmp_path / "models.json")
    found = other.facts("checkpoints", "sdxl.safetensors")
    assert found is not None
    assert found.advice is None
    assert lints(sampled("sdxl", (64, 64)), other) == []


def loaded(name: str) -> PlacedNode:
    return node("load_image", {"file": name})


def test_a_mask_in_other_proportions_than_the_empty_latent_is_told(shelf: Catalogue) -> None:
    flow = sampled("sd15")
    masked = {
        "picture": loaded("wide.png"),
        "masked": node("set_latent_noise_mask", latent="empty.latent", mask="picture.mask"),
    }
    sampler = node("k_sampler", model="file.model", latent="masked.latent")
    (problem,) = lints(Workflow(nodes={**flow.nodes, **masked, "sampler": sampler}), shelf)
    assert told([problem]) == [("mask_size", "masked", "mask")]
    assert problem.message == (
        "The mask of Set Latent Noise Mask is 128 x 64 pixels, and what it lies over 512 x 512: "
        "the mask will be stretched."
    )
    assert [fix.title for fix in problem.fixes] == ["Make it 736 x 368"]


def test_a_mask_of_another_picture_than_the_one_it_lies_over_is_told(shelf: Catalogue) -> None:
    def inpaint(picture: str, mask: str) -> Workflow:
        return Workflow(
            nodes={
                "picture": loaded(picture),
                "other": loaded(mask),
                "file": node("load_checkpoint", {"file": "sd15.safetensors"}),
                "show": node(
                    "inpaint_conditioning", image="picture.image", mask="other.mask",
                    vae="file.vae",
                ),
            }
        )  # fmt: skip

    (problem,) = lints(inpaint("square.png", "wide.png"), shelf)
    assert [fix.title for fix in problem.fixes] == ["Use the mask of Load Image (picture)"]
    assert lints(inpaint("square.png", "square.png"), shelf) == []
    (problem,) = lints(inpaint("turned.jpg", "wide.png"), shelf)
    assert "128 x 64 pixels, and what it lies over 64 x 128" in problem.message


def test_a_picture_that_cannot_be_read_is_of_unknown_size(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = Catalogue((), tmp_path, tmp_path / "models.json").facts("input", "broken.png")
    assert found is not None
    assert found.size is None
