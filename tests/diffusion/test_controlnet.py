"""ControlNets: diffusers' numbers on the same weights, all layouts of names, when they steer."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from diffusion.checkpoint import CheckpointTrouble
from diffusion.conditioning import Inputs
from diffusion.controlnet import Control, ControlNet, controlnet_of, steering
from diffusion.controlnet_names import controlnet_names
from diffusion.denoiser import Denoiser
from diffusion.engine import Engine
from diffusion.families.family import Network
from diffusion.guidance import guided
from diffusion.identity.flaws import flaws_of
from diffusion.identity.rules import recognise
from diffusion.levels import ddpm_levels
from diffusion.prediction import PREDICTIONS
from diffusion.regions import Area, Part, Where
from diffusion.spaces import LATENT_SPACES
from diffusion.text import TextConditioning
from diffusion.unet import UNet, UNetConfig, control_name
from tests.diffusion.files import Shapes, header_of, known_shapes, shapes_of
from tests.diffusion.test_unet_families import ATOL, SD2, SDXL, diffusers_unet, inputs, small

GROUPS = {"latent_loom.architecture": json.dumps({"unet": {"norm_groups": 8}})}
SD1 = UNetConfig(
    in_channels=4,
    out_channels=4,
    stem_channels=320,
    time_width=64,
    context_width=768,
    channels=(320, 640),
    depths=(1, 1),
    middle_depth=1,
    residual_blocks=1,
    linear_projections=False,
    heads=8,
    norm_groups=8,
)
"""As small as a file can be that is recognised as SD 1.x's."""


def steering_net(config: UNetConfig) -> ControlNet:
    """Random weights, those of the published files' zeros among them."""
    torch.manual_seed(5)
    return ControlNet(config).eval().requires_grad_(False)


def hint() -> Tensor:
    return torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(7))


def diffusers_net(ours: ControlNet, unet: Any) -> Any:
    """diffusers' ControlNet with our weights."""
    diffusers = pytest.importorskip("diffusers")
    model = diffusers.ControlNetModel.from_unet(unet, load_weights_from_unet=False)
    state = ours.state_dict()
    names = controlnet_names(model.state_dict())
    assert names.keys() == state.keys()
    model.load_state_dict({theirs: state[name] for name, theirs in names.items()})
    return model.eval()


@pytest.mark.parametrize("config", [SD2, SDXL], ids=["sd2", "sdxl"])
def test_a_steered_unet_equals_diffusers_on_the_same_weights(config: UNetConfig) -> None:
    unet, ours = small(config), steering_net(config)
    x, timesteps, context = inputs()
    vector: dict[str, Tensor] = {}
    added: dict[str, Tensor] = {}
    theirs_unet = diffusers_unet(unet)
    theirs = diffusers_net(ours, theirs_unet)
    if config.vector_width:
        pooled = torch.randn(2, 20, generator=torch.Generator().manual_seed(3))
        ids = torch.tensor([[96.0, 72.0, 5.0, 3.0, 80.0, 64.0]] * 2)
        from diffusion.layers import timestep_embedding

        sizes = torch.stack([timestep_embedding(row, 256).flatten() for row in ids])
        vector = {"vector": torch.cat([pooled, sizes], dim=1)}
        added = {"text_embeds": pooled, "time_ids": ids}
    down, middle = theirs(
        x, timesteps, context, hint(), conditioning_scale=0.7, added_cond_kwargs=added,
        return_dict=False,
    )  # fmt: skip
    given = [0.7 * tensor for tensor in ours(x, timesteps, context, hint(), **vector)]
    for mine, expected in zip(given, [*down, middle], strict=True):
        torch.testing.assert_close(mine, expected, atol=ATOL, rtol=0)
    assert min(float(tensor.std()) for tensor in given) > 0.01
    expected = theirs_unet(
        x, timesteps, encoder_hidden_states=context, added_cond_kwargs=added,
        down_block_additional_residuals=down, mid_block_additional_residual=middle,
    ).sample  # fmt: skip
    control = {control_name(number): tensor for number, tensor in enumerate(given)}
    found = unet(x, timesteps, context, **vector, **control)
    torch.testing.assert_close(found, expected, atol=ATOL, rtol=0)
    assert not torch.allclose(found, unet(x, timesteps, context, **vector), atol=0.01)


@pytest.mark.parametrize(
    ("unet", "family"),
    [("unet_sd15_ldm", "sd15"), ("unet_sd2_ldm", "sd2"), ("unet_sdxl_ldm", "sdxl")],
)
def test_its_way_down_is_named_and_sized_like_the_published_unets(unet: str, family: str) -> None:
    published = known_shapes(unet)
    shared: Shapes = {
        name: shape for name, shape in published.items()
        if name.startswith(("time_embed.", "label_emb.", "input_blocks.", "middle_block."))
    }  # fmt: skip
    blocks = 1 + max(int(name.split(".")[1]) for name in shared if name.startswith("input_blocks"))
    file = {**shared, "input_hint_block.0.weight": (16, 3, 3, 3)}
    head = {} if family == "sd15" else {"head_width": 64}
    module, _ = controlnet_of(file, Network(**head))
    own = shapes_of(module)
    assert {name: shape for name, shape in own.items() if name in shared} == shared
    more = own.keys() - shared.keys()
    assert {name.split(".")[0] for name in more} == {
        "zero_convs", "input_hint_block", "middle_block_out"
    }  # fmt: skip
    assert own["input_hint_block.14.weight"] == (320, 256, 3, 3)
    assert own[f"zero_convs.{blocks - 1}.0.weight"] == (1280, 1280, 1, 1)
    found = recognise(header_of(own))
    assert (found.kind, found.family, found.runnable) == ("controlnet", family, True)


def written(folder: Path, layout: str) -> tuple[Path, ControlNet]:
    module = steering_net(SD1)
    weights = module.state_dict()
    path = folder / f"{layout}.safetensors"
    if layout == "prefixed":
        weights = {f"control_model.{name}": tensor for name, tensor in weights.items()}
    elif layout == "diffusers":
        diffusers = pytest.importorskip("diffusers")
        theirs = diffusers.ControlNetModel(
            block_out_channels=SD1.channels, layers_per_block=1, cross_attention_dim=768,
            norm_num_groups=8, attention_head_dim=8, transformer_layers_per_block=1,
            down_block_types=["CrossAttnDownBlock2D"] * 2,
        )  # fmt: skip
        names = controlnet_names(theirs.state_dict())
        weights = {names[name]: tensor for name, tensor in weights.items()}
    save_file(weights, path, GROUPS)
    return path, module


@pytest.mark.parametrize("layout", ["original", "prefixed", "diffusers"])
def test_a_file_is_loaded_whatever_its_names(tmp_path: Path, layout: str) -> None:
    path, module = written(tmp_path, layout)
    loaded = Engine("cpu", "float32").controlnet(path)
    x, timesteps = torch.randn(1, 4, 8, 8), torch.tensor([9.0])
    context, picture = torch.randn(1, 3, 768), torch.rand(1, 3, 64, 64)
    for mine, expected in zip(
        loaded(x, timesteps, context, picture), module(x, timesteps, context, picture), strict=True
    ):
        torch.testing.assert_close(mine, expected, atol=1e-4, rtol=0)


def test_a_file_that_is_no_controlnet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vae.safetensors"
    save_file({"decoder.conv_in.weight": torch.zeros(4, 4, 3, 3)}, path)
    with pytest.raises(CheckpointTrouble, match="holds no ControlNet"):
        Engine("cpu", "float32").controlnet(path)


def test_one_for_several_kinds_of_picture_is_said_not_to_run(tmp_path: Path) -> None:
    header = header_of(
        {
            "controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3),
            "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight": (640, 2048),
            "task_embedding": (6, 320),
        }
    )
    found = recognise(header)
    assert (found.kind, found.family, found.runnable) == ("controlnet", "sdxl", False)
    (flaw,) = flaws_of(header, found)
    assert "several kinds of picture" in flaw.message


class Recording(torch.nn.Module):
    """Gives ones, and keeps the pictures it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen: list[Tensor] = []

    def forward(
        self, x: Tensor, timesteps: Tensor, context: Tensor, hint: Tensor, vector: Any
    ) -> list[Tensor]:
        self.seen.append(hint)
        return [torch.ones(1)]


def control(pictures: Tensor, **options: Any) -> tuple[Recording, Control]:
    module: Any = Recording()
    return module, Control(module, pictures, **options)


def test_the_picture_is_cut_to_its_middle_and_resized_for_the_latent() -> None:
    wide = torch.zeros(1, 64, 128, 3)
    wide[:, :, 32:96] = 1
    module, one = control(wide)
    one.given(torch.zeros(4, 4, 16, 16), torch.zeros(4), torch.zeros(4, 1, 1), None)
    assert module.seen[0].shape == (4, 3, 128, 128)
    assert bool((module.seen[0] == 1).all())


def test_pictures_go_with_the_batch_for_either_prompt() -> None:
    both = torch.stack([torch.zeros(8, 8, 3), torch.ones(8, 8, 3)])
    module, one = control(both)
    one.given(torch.zeros(4, 4, 1, 1), torch.zeros(4), torch.zeros(4, 1, 1), None)
    assert module.seen[0].mean(dim=(1, 2, 3)).tolist() == [0, 1, 0, 1]
    with pytest.raises(ValueError, match="2 pictures cannot steer a batch of 3"):
        one.given(torch.zeros(3, 4, 1, 1), torch.zeros(3), torch.zeros(3, 1, 1), None)


def test_several_add_up_by_their_strengths_and_only_in_their_time() -> None:
    picture, levels = torch.zeros(1, 8, 8, 3), ddpm_levels()
    _, weak = control(picture, strength=0.25)
    _, strong = control(picture, strength=2.0, begin=0.3, end=0.6)
    _, silent = control(picture, strength=0.0)
    x, times, context = torch.zeros(1, 4, 1, 1), torch.zeros(1), torch.zeros(1, 1, 1)
    total = steering([weak, strong], x, times, context, None)
    assert {name: float(tensor) for name, tensor in total.items()} == {"control_0": 2.25}
    told = [[one.holds(levels.at(way), levels) for one in (weak, strong, silent)]
            for way in (0.0, 0.2, 0.45, 0.7, 1.0)]  # fmt: skip
    assert told == [[True, way == 2, False] for way in range(5)]


def test_a_denoiser_is_steered_in_both_prompts_and_in_areas_too() -> None:
    unet, net = small(SD2), steering_net(SD2)
    plain = Denoiser(unet, PREDICTIONS["epsilon"], ddpm_levels(), LATENT_SPACES["sd1"])
    picture = hint()[:1].movedim(1, -1).contiguous()
    steered = Denoiser(
        unet, PREDICTIONS["epsilon"], ddpm_levels(), LATENT_SPACES["sd1"],
        controls=(Control(net, picture, 0.8),),
    )  # fmt: skip
    x, _, context = inputs()
    words = TextConditioning(context[:1], None)
    inner = Inputs(words.tokens.expand(2, -1, -1), {})
    one = steered.denoise(x, 2.0, *inner)
    assert not torch.allclose(one, plain.denoise(x, 2.0, *inner), atol=0.01)
    # equal prompts leave nothing to guide
    both = guided(steered, words, words, 5.0)(x, 2.0)
    torch.testing.assert_close(both, one, atol=1e-3, rtol=0)
    area = Part(words, Where(area=Area(0, 0, 0.5, 0.5, relative=True)))
    torch.testing.assert_close(
        guided(steered, (Part(words), area), words, 1.0)(x, 2.0), one, atol=1e-4, rtol=0
    )


def test_an_unsteered_unet_is_what_it_was() -> None:
    unet: UNet = small(SD2)
    x, timesteps, context = inputs()
    zeros = {control_name(number): torch.zeros(1) for number in range(len(unet.input_blocks) + 1)}
    assert torch.equal(unet(x, timesteps, context), unet(x, timesteps, context, **zeros))
