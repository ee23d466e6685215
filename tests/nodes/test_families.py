"""From checkpoint to picture by nodes alone, for the models that are told more than a prompt."""

from pathlib import Path
from typing import Any

import pytest
import torch

from diffusion.conditioning import NoDepth
from diffusion.engine import Engine
from graph.cancel import Cancel
from nodes.inpainting import depth_conditioning, edit_conditioning, inpaint_conditioning
from nodes.latents import empty_latent
from nodes.sampling import k_sampler
from nodes.services import WrongSpace
from nodes.sockets import Clip, Conditioning, Image, Latent, Mask, Model, Vae
from nodes.text import clip_text_encode, clip_text_encode_sdxl, clip_text_encode_sdxl_refiner
from nodes.vae import vae_decode
from server.worker_services import RunModels
from tests.helpers.services import Interrupt, Progress, Spaces
from tests.helpers.tiny_families import TINY, tiny_family


class Bench:
    """One small checkpoint, and the nodes that a workflow of it has."""

    def __init__(self, folder: Path, name: str) -> None:
        path = tiny_family(folder / f"{name}.safetensors", name)
        spaces = {"text_space": TINY[name].text, "latent_space": TINY[name].latent}
        self.model: Model[Any, Any] = Model(path, "content", **spaces)
        self.clip: Clip[Any] = Clip(path, "content", **spaces)
        self.vae: Vae[Any] = Vae(path, "content", **spaces)
        self.space = TINY[name].latent
        self.with_models = {
            "models": RunModels(Engine("cpu", "float32"), Cancel()),
            "interrupt": Interrupt(),
        }

    def prompt(self, text: str) -> Conditioning[Any]:
        return clip_text_encode(self.clip, text, **self.with_models)

    def empty(self) -> Latent[Any]:
        return empty_latent(self.space, 64, 64, spaces=Spaces())  # type: ignore[arg-type]

    def sampled(
        self, positive: Conditioning[Any], negative: Conditioning[Any], latent: Latent[Any]
    ) -> Latent[Any]:
        services = {**self.with_models, "spaces": Spaces(), "progress": Progress()}
        return k_sampler(
            self.model, positive, negative, latent, seed=1, steps=2, cfg=3.0, **services
        )

    def picture(self, latent: Latent[Any]) -> Image:
        return vae_decode(latent, self.vae, spaces=Spaces(), **self.with_models)


@pytest.mark.parametrize("name", ["sd2", "sdxl", "sdxl_refiner"])
def test_a_prompt_becomes_a_picture(tmp_path: Path, name: str) -> None:
    bench = Bench(tmp_path, name)
    made = bench.sampled(bench.prompt("a dog"), bench.prompt(""), bench.empty())
    assert made.space == bench.space
    assert bench.picture(made).pixels.shape == (1, 64, 64, 3)


def test_a_refiner_takes_up_what_sdxl_made(tmp_path: Path) -> None:
    first, second = Bench(tmp_path, "sdxl"), Bench(tmp_path, "sdxl_refiner")
    made = first.sampled(first.prompt("a"), first.prompt(""), first.empty())
    good = clip_text_encode_sdxl_refiner(second.clip, "a", 9.0, **second.with_models)
    plain = second.sampled(second.prompt("a"), second.prompt(""), made)
    refined = second.sampled(good, second.prompt(""), made)
    assert not torch.allclose(plain.samples, refined.samples, atol=1e-5)


def test_a_prompt_of_another_space_is_stopped_at_the_sampler(tmp_path: Path) -> None:
    first, second = Bench(tmp_path, "sdxl"), Bench(tmp_path, "sdxl_refiner")
    with pytest.raises(WrongSpace):
        second.sampled(first.prompt("a"), first.prompt(""), first.empty())


def test_sizes_that_a_prompt_states_reach_the_network(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "sdxl")

    def encoded(width: int) -> Conditioning[Any]:
        return clip_text_encode_sdxl(bench.clip, "a", "a", width, **bench.with_models)

    negative = bench.prompt("")
    own, stated, other = (
        bench.sampled(one, negative, bench.empty()).samples
        for one in (bench.prompt("a"), encoded(64), encoded(2048))
    )
    assert torch.equal(own, stated)
    assert not torch.allclose(own, other, atol=1e-5)


def test_a_picture_of_another_space_beside_a_prompt_is_stopped_at_the_sampler(
    tmp_path: Path,
) -> None:
    one, other = Bench(tmp_path, "sdxl_inpaint"), Bench(tmp_path, "sd2")
    image, mask = Image(torch.zeros(1, 64, 64, 3)), Mask(torch.ones(1, 64, 64))
    prompts = one.prompt("a"), one.prompt("")
    shown = inpaint_conditioning(*prompts, image, mask, other.vae, **one.with_models)
    with pytest.raises(WrongSpace, match="picture beside the positive prompt"):
        one.sampled(shown.positive, shown.negative, one.empty())


@pytest.mark.parametrize("name", ["sd2_inpaint", "sdxl_inpaint"])
def test_an_inpainting_model_keeps_what_the_mask_leaves_out(tmp_path: Path, name: str) -> None:
    bench = Bench(tmp_path, name)
    hole = torch.zeros(1, 64, 64)
    hole[:, :, 32:] = 1
    image = Image(torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(1)))
    shown = inpaint_conditioning(
        bench.prompt("a"), bench.prompt(""), image, Mask(hole), bench.vae, **bench.with_models
    )
    made = bench.sampled(*shown).samples
    before = shown.latent.samples
    # column 3 is a pixel from the edge, which resizing the mask softens; float32 there and back
    torch.testing.assert_close(made[..., :3], before[..., :3], atol=1e-4, rtol=0)
    assert not torch.allclose(made[..., 5:], before[..., 5:], atol=1e-2)


def test_an_editing_model_sees_the_picture(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "sdxl_edit")
    positive, negative = bench.prompt("a"), bench.prompt("")
    made = [
        bench.sampled(
            *edit_conditioning(
                positive, negative, Image(torch.full((1, 64, 64, 3), grey)), bench.vae,
                **bench.with_models,
            )
        ).samples
        for grey in (0.1, 0.9)
    ]  # fmt: skip
    assert not torch.allclose(*made, atol=1e-5)


def test_a_depth_model_follows_the_depths_whatever_their_scale(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "sd2_depth")
    slope = torch.linspace(0, 1, 64).expand(1, 64, 64)

    def made(depth: torch.Tensor) -> torch.Tensor:
        image = Image(depth[..., None].expand(-1, -1, -1, 3))
        told = depth_conditioning(bench.prompt("a"), bench.prompt(""), image)
        return bench.sampled(*told, bench.empty()).samples

    same = made(0.25 + slope / 2)
    # the depths differ by a rounding, which two steps with guidance carry on; values are about 1
    torch.testing.assert_close(made(slope), same, atol=2e-3, rtol=0)
    assert not torch.allclose(made(slope.mT), same, atol=2e-2)


def test_a_depth_model_without_depths_says_which_node_gives_them(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "sd2_depth")
    with pytest.raises(NoDepth, match="Depth Conditioning"):
        bench.sampled(bench.prompt("a"), bench.prompt(""), bench.empty())
