"""No latent reaches another space's VAE, no prompt another space's model: every pair is counted."""

import itertools
import json
from pathlib import Path

import pytest

from diffusion.spaces import LATENT_SPACES, TEXT_SPACES
from graph.check import CheckResult, check
from graph.edits import apply
from graph.workflow import Workflow
from server.catalogue import Catalogue
from tests.helpers.every_space import FAMILIES, definitions, node, shelf_at, text_to_image

FACTS = Path(__file__).parents[3] / "shared" / "facts" / "families.json"

SPEAKER = {speaks.latent: family for family, speaks in reversed(FAMILIES.items())}
"""For each latent space, the first family that speaks it."""

READER = {speaks.text: family for family, speaks in reversed(FAMILIES.items())}
"""For each text space, the first family that reads it."""

SHARED = (
    ("sd15", "sd2", "pixart_alpha"),
    ("sdxl", "sdxl_refiner", "pixart_sigma", "kolors", "aura"),
    ("flux1", "chroma", "z_image", "lumina2"),
    ("wan2.1", "qwen_image"),
)
"""Families that share one latent space under different names."""

LOOK_ALIKES = (
    ("sd1", "sdxl"),
    *itertools.combinations(("sd3", "flux1", "wan21", "hunyuan_video"), 2),
    ("sd_x4_upscaler", "cascade_b"),
)
"""Spaces whose latents have equal shapes: these run without complaint and give garbage."""


def _alike(one: str, other: str) -> bool:
    left, right = LATENT_SPACES[one], LATENT_SPACES[other]
    return (left.channels, left.downscale) == (right.channels, right.downscale)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return shelf_at(tmp_path_factory.mktemp("shelf"))


def checked(flow: Workflow, files: Catalogue) -> CheckResult:
    return check(flow, definitions(), files)


def errors(flow: Workflow, files: Catalogue) -> list[tuple[str, str | None, str | None]]:
    found = checked(flow, files).problems
    return [(item.code, item.node, item.socket) for item in found if item.severity == "error"]


def test_the_tables_cover_every_space() -> None:
    assert set(SPEAKER) == set(LATENT_SPACES)
    assert set(READER) >= set(TEXT_SPACES)
    assert {family for group in SHARED for family in group} <= set(FAMILIES)
    pairs = itertools.combinations(LATENT_SPACES, 2)
    assert {frozenset(p) for p in pairs if _alike(*p)} == {frozenset(p) for p in LOOK_ALIKES}


@pytest.mark.skipif(not FACTS.exists(), reason="the table of published numbers is not here")
def test_the_families_speak_what_is_published() -> None:
    facts = json.loads(FACTS.read_text())
    assert set(SPEAKER) == set(facts["latent_spaces"])
    assert set(READER) >= set(facts["text_spaces"]) - {"about"}
    for name, known in {**facts["families"], **facts["families_short"]}.items():
        if name in FAMILIES:
            assert FAMILIES[name].latent == known["space"], name


@pytest.mark.parametrize("vae", LATENT_SPACES)
@pytest.mark.parametrize("latent", LATENT_SPACES)
def test_a_latent_enters_the_vae_of_its_own_space_and_no_other(
    shelf: Catalogue, latent: str, vae: str
) -> None:
    flow = text_to_image(SPEAKER[latent], vae_file=vae)
    wrong = [] if latent == vae else [("space_mismatch", "decode", "latent")]
    assert errors(flow, shelf) == wrong
    assert checked(flow, shelf).runnable == (latent == vae)


@pytest.mark.parametrize("latent", LATENT_SPACES)
@pytest.mark.parametrize("vae", LATENT_SPACES)
def test_what_a_vae_encodes_enters_a_model_of_its_own_space_and_no_other(
    shelf: Catalogue, vae: str, latent: str
) -> None:
    flow = text_to_image(
        SPEAKER[latent],
        file=node("load_vae", {"file": f"{vae}.safetensors"}),
        back=node("vae_encode", image="decode.image", vae="file.vae"),
        again=node(
            "k_sampler",
            model="one.model",
            positive="words.conditioning",
            negative="words.conditioning",
            latent="back.latent",
        ),
        last=node("vae_decode", latent="again.latent", vae="one.vae"),
        keep=node("save_image", image="last.image"),
    )
    wrong = [] if latent == vae else [("space_mismatch", "again", "latent")]
    assert errors(flow, shelf) == wrong


@pytest.mark.parametrize("prompt", READER)
@pytest.mark.parametrize("model", READER)
def test_a_prompt_enters_a_model_of_its_own_text_space_and_no_other(
    shelf: Catalogue, model: str, prompt: str
) -> None:
    flow = text_to_image(READER[model], clip=READER[prompt])
    found = errors(flow, shelf)
    if model == prompt:
        assert found == []
    else:
        assert found
        assert {(code, at) for code, at, _ in found} == {("space_mismatch", "sampler")}
        assert not checked(flow, shelf).runnable


@pytest.mark.parametrize(
    ("one", "other"), [pair for group in SHARED for pair in itertools.permutations(group, 2)]
)
def test_families_that_share_a_latent_space_share_their_vaes(
    shelf: Catalogue, one: str, other: str
) -> None:
    assert errors(text_to_image(one, vae=other), shelf) == []
    assert errors(text_to_image(one, vae_file=FAMILIES[other].latent), shelf) == []


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(FAMILIES, 2)))
def test_one_familys_latent_enters_anothers_vae_where_they_share_a_space_alone(
    shelf: Catalogue, one: str, other: str
) -> None:
    same = FAMILIES[one].latent == FAMILIES[other].latent
    assert (not errors(text_to_image(one, vae=other), shelf)) == same


@pytest.mark.parametrize(
    ("one", "other"), [pair for pair in LOOK_ALIKES for pair in (pair, pair[::-1])]
)
def test_the_garbage_case_is_blocked_and_each_way_out_of_it_leads_out(
    shelf: Catalogue, one: str, other: str
) -> None:
    flow = text_to_image(SPEAKER[one], vae_file=other)
    (problem,) = [item for item in checked(flow, shelf).problems if item.severity == "error"]
    allowed = [fix for fix in problem.fixes if "allow" in fix.title]
    assert len(problem.fixes) >= 3
    assert len(allowed) == 1
    for fix in problem.fixes:
        assert errors(apply(flow, fix.edits), shelf) == [], fix.title


@pytest.mark.parametrize(
    ("one", "other"),
    [pair for pair in itertools.permutations(LATENT_SPACES, 2) if not _alike(*pair)],
)
def test_a_latent_of_another_shape_cannot_be_waved_through(
    shelf: Catalogue, one: str, other: str
) -> None:
    flow = text_to_image(SPEAKER[one], vae_file=other)
    (problem,) = [item for item in checked(flow, shelf).problems if item.severity == "error"]
    assert not any("allow" in fix.title for fix in problem.fixes)
    for fix in problem.fixes:
        assert errors(apply(flow, fix.edits), shelf) == [], fix.title


@pytest.mark.parametrize(("model", "lora"), list(itertools.product(FAMILIES, FAMILIES)))
def test_a_lora_enters_a_model_of_its_own_two_spaces_and_no_other(
    shelf: Catalogue, model: str, lora: str
) -> None:
    flow = text_to_image(
        model,
        lora=node("load_lora", {"file": f"{lora}.safetensors"}, model="one.model", clip="one.clip"),
        again=node(
            "k_sampler",
            model="lora.model",
            positive="words.conditioning",
            negative="words.conditioning",
            latent="empty.latent",
        ),
        show=node("latent_statistics", latent="again.latent"),
    )
    same = FAMILIES[model] == FAMILIES[lora]
    found = errors(flow, shelf)
    assert (not found) == same
    assert {code for code, _, _ in found} <= {"space_mismatch"}
