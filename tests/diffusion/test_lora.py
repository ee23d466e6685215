"""A LoRA changes exactly the layers that it names, in every naming, by exactly its product."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from diffusion.engine import Engine
from diffusion.families.text import PROTOCOLS
from diffusion.lora import Lora, LoraTrouble, Target, apply_loras, key_of
from diffusion.lora_names import DENOISER_PREFIXES, ENCODER_PREFIXES, Place, places, within
from diffusion.unet_names import unet_names
from tests.diffusion.files import known_shapes
from tests.diffusion.small_flux import flux_config, write_flux
from tests.diffusion.small_sd3 import write_sd3
from tests.helpers.tiny_families import tiny_family

RANK = 2


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.1


def pair(rows: int, columns: int, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """up and down of a LoRA."""
    return noise(rows, RANK, seed=seed), noise(RANK, columns, seed=seed + 1)


def written(path: Path, tensors: Mapping[str, Tensor], strength: float = 1.0) -> Lora:
    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, path)
    return Lora(path, path.name, strength)


def names_of(header: str, prefix: str = "") -> list[str]:
    return [name.removeprefix(prefix) for name in known_shapes(header) if name.startswith(prefix)]


# --- names


@pytest.mark.parametrize(
    "header",
    ["unet_sd15_ldm", "unet_sd2_ldm", "unet_sdxl_ldm", "unet_sdxl_refiner_ldm"],
)
def test_every_layer_of_a_published_unet_is_found_under_both_of_its_names(header: str) -> None:
    names = names_of(header)
    known = places("unet", names)
    weights = {name for name in names if name.endswith(".weight")}
    by_original = {known[name.removesuffix(".weight").replace(".", "_")].tensor for name in weights}
    assert by_original == weights
    diffusers = {form for form in known if form.startswith(("down_", "up_", "mid_"))}
    reached = {known[form].tensor for form in diffusers}
    inside = {name for name in weights if ("_blocks." in name or "middle_block" in name)}
    assert reached >= inside - {"input_blocks.0.0.weight"}


def test_diffusers_names_of_a_unet_are_the_ones_it_is_read_by() -> None:
    """Against the table that reads whole files of diffusers', for a file that it wrote."""
    names = names_of("unet_sdxl_ldm")
    known = places("unet", names)
    theirs = [
        "down_blocks.0.resnets.0.norm1.weight", "down_blocks.0.resnets.1.norm1.weight",
        "up_blocks.0.attentions.0.norm.weight", "up_blocks.1.attentions.0.norm.weight",
        "down_blocks.2.attentions.1.transformer_blocks.9.attn2.to_k.weight",
        "down_blocks.1.downsamplers.0.conv.weight", "up_blocks.1.upsamplers.0.conv.weight",
        "mid_block.resnets.1.time_emb_proj.weight", "up_blocks.2.resnets.2.conv_shortcut.weight",
    ]  # fmt: skip
    read = {name: ours for ours, name in unet_names(theirs).items()}
    for name in theirs:
        assert known[name.removesuffix(".weight").replace(".", "_")].tensor == read[name], name


@pytest.mark.parametrize(
    ("header", "name", "tensor"),
    [
        ("unet_sd15_ldm", "lora_unet_up_blocks_3_attentions_2_proj_in",
         "output_blocks.11.1.proj_in.weight"),
        ("unet_sd15_ldm", "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q",
         "input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"),
        ("unet_sd15_ldm", "unet.mid_block.attentions.0.transformer_blocks.0.attn2.processor.to_out",
         "middle_block.1.transformer_blocks.0.attn2.to_out.0.weight"),
        ("unet_sdxl_ldm", "lora_unet_down_blocks_2_attentions_1_transformer_blocks_9_ff_net_2",
         "input_blocks.8.1.transformer_blocks.9.ff.net.2.weight"),
        ("unet_sdxl_ldm", "lora_unet_output_blocks_5_1_transformer_blocks_1_ff_net_2",
         "output_blocks.5.1.transformer_blocks.1.ff.net.2.weight"),
        ("unet_sdxl_ldm", "base_model.model.input_blocks.4.1.proj_out",
         "input_blocks.4.1.proj_out.weight"),
    ],
)  # fmt: skip
def test_a_layer_is_found_in_the_namings_that_people_use(
    header: str, name: str, tensor: str
) -> None:
    found = within(name, DENOISER_PREFIXES)
    assert found is not None
    assert places("unet", names_of(header))[found] == Place(tensor)


@pytest.mark.parametrize(
    ("kind", "header", "name", "place"),
    [
        ("flux", "flux1_dev", "lora_unet_double_blocks_3_img_attn_qkv",
         Place("double_blocks.3.img_attn.qkv.weight")),
        ("flux", "flux1_dev", "transformer.transformer_blocks.3.attn.to_k",
         Place("double_blocks.3.img_attn.qkv.weight", 1, 3)),
        ("flux", "flux1_dev", "transformer.transformer_blocks.3.attn.add_v_proj",
         Place("double_blocks.3.txt_attn.qkv.weight", 2, 3)),
        ("flux", "flux1_dev", "lora_transformer_single_transformer_blocks_37_proj_mlp",
         Place("single_blocks.37.linear1.weight", 3, 4)),
        ("flux", "flux1_dev", "transformer.norm_out.linear",
         Place("final_layer.adaLN_modulation.1.weight", 0, 1, swapped=True)),
        ("flux2", "flux2_klein_4b", "transformer.single_transformer_blocks.0.attn.to_out",
         Place("single_blocks.0.linear2.weight")),
        ("mmdit", "sd35_medium_mmdit", "transformer.transformer_blocks.0.attn2.to_q",
         Place("joint_blocks.0.x_block.attn2.qkv.weight", 0, 3)),
        ("mmdit", "sd3_medium_mmdit", "lora_unet_joint_blocks_5_context_block_mlp_fc1",
         Place("joint_blocks.5.context_block.mlp.fc1.weight")),
    ],
)  # fmt: skip
def test_a_transformers_layers_are_found_with_their_share_of_the_rows(
    kind: str, header: str, name: str, place: Place
) -> None:
    found = within(name, DENOISER_PREFIXES)
    names = [name.removeprefix("model.diffusion_model.") for name in known_shapes(header)]
    assert found is not None
    assert places(kind, names)[found] == place


def test_every_encoder_of_every_protocol_has_its_prefixes_or_none() -> None:
    encoders = {part.encoder for protocol in PROTOCOLS.values() for part in protocol.parts}
    assert set(ENCODER_PREFIXES) <= encoders
    assert within("lora_te2_text_model_encoder", ENCODER_PREFIXES["clip_l"]) is None
    assert within("text_encoder_2.text_model", ENCODER_PREFIXES["clip_l"]) is None
    assert within("lora_te_text_model", ENCODER_PREFIXES["clip_g"]) is None


# --- numbers


class Net(nn.Module):
    """A linear layer, a convolution, and one that no LoRA here names."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.line = nn.Linear(6, 4)
        self.conv = nn.Conv2d(3, 4, 3)
        self.other = nn.Linear(5, 5)


def applied(
    tmp_path: Path, tensors: Mapping[str, Tensor], strength: float = 1.0
) -> dict[str, Tensor]:
    """What a LoRA adds to each tensor of a new `Net`."""
    net = Net()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    lora = written(tmp_path / "lora.safetensors", tensors, strength)
    apply_loras(Target(net, "text", ("m.",)), [lora])
    return {name: tensor - before[name] for name, tensor in net.state_dict().items()}


def close(left: Tensor, right: Tensor) -> None:
    torch.testing.assert_close(left, right, atol=1e-6, rtol=0)  # float32 sums of small numbers


def test_the_product_is_added_times_strength_and_alpha_over_rank(tmp_path: Path) -> None:
    up, down = pair(4, 6)
    base = {"m.line.lora_up.weight": up, "m.line.lora_down.weight": down}
    found = applied(tmp_path, base, 0.5)
    close(found["line.weight"], 0.5 * up @ down)
    assert not found["other.weight"].any()
    assert not found["line.bias"].any()
    found = applied(tmp_path, {**base, "m.line.alpha": torch.tensor(1.0)}, -2.0)
    close(found["line.weight"], -2.0 * (1 / RANK) * up @ down)


@pytest.mark.parametrize(
    ("up_name", "down_name"),
    [
        (".lora_B.weight", ".lora_A.weight"),
        (".lora_B.default.weight", ".lora_A.default.weight"),
        (".lora.up.weight", ".lora.down.weight"),
        ("_lora.up.weight", "_lora.down.weight"),
        (".lora_linear_layer.up.weight", ".lora_linear_layer.down.weight"),
    ],
)
def test_every_spelling_of_up_and_down_is_read(
    tmp_path: Path, up_name: str, down_name: str
) -> None:
    up, down = pair(4, 6)
    found = applied(tmp_path, {f"m.line{up_name}": up, f"m.line{down_name}": down})
    close(found["line.weight"], up @ down)


def test_a_convolutions_change_is_that_of_two_convolutions_in_a_row(tmp_path: Path) -> None:
    up, down = noise(4, RANK, 1, 1), noise(RANK, 3, 3, 3)
    names = {"m.conv.lora_up.weight": up, "m.conv.lora_down.weight": down}
    picture = noise(1, 3, 8, 8)
    change = applied(tmp_path, names)["conv.weight"]
    wanted = nn.functional.conv2d(nn.functional.conv2d(picture, down), up)
    close(nn.functional.conv2d(picture, change), wanted)
    mid, flat = noise(RANK, RANK, 3, 3), noise(RANK, 3, 1, 1)
    names = {**names, "m.conv.lora_down.weight": flat, "m.conv.lora_mid.weight": mid}
    change = applied(tmp_path, names)["conv.weight"]
    through = nn.functional.conv2d(nn.functional.conv2d(picture, flat), mid)
    close(nn.functional.conv2d(picture, change), nn.functional.conv2d(through, up))


def test_lycoris_products_and_plain_differences_are_read(tmp_path: Path) -> None:
    w1, w2 = pair(4, 6), pair(4, 6, seed=5)
    loha = {"m.line.hada_w1_a": w1[0], "m.line.hada_w1_b": w1[1], "m.line.hada_w2_a": w2[0],
            "m.line.hada_w2_b": w2[1], "m.line.alpha": torch.tensor(1.0)}  # fmt: skip
    close(applied(tmp_path, loha)["line.weight"], (w1[0] @ w1[1]) * (w2[0] @ w2[1]) / RANK)
    one, other = noise(2, 3), noise(2, 2, seed=3)
    lokr = {"m.line.lokr_w1": one, "m.line.lokr_w2": other, "m.line.alpha": torch.tensor(9.0)}
    close(applied(tmp_path, lokr)["line.weight"], torch.kron(one, other))
    up, down = noise(2, 1), noise(1, 2, seed=3)
    lokr = {"m.line.lokr_w1": one, "m.line.lokr_w2_a": up, "m.line.lokr_w2_b": down,
            "m.line.alpha": torch.tensor(0.5)}  # fmt: skip
    close(applied(tmp_path, lokr)["line.weight"], torch.kron(one, up @ down) / 2)
    diff = noise(4, 6)
    close(applied(tmp_path, {"m.line.diff": diff})["line.weight"], diff)


def test_layers_that_are_not_there_are_told_and_none_at_all_is_refused(tmp_path: Path) -> None:
    up, down = pair(4, 6)
    strange = {"m.gone.lora_up.weight": up, "m.gone.lora_down.weight": down}
    with pytest.raises(LoraTrouble, match=r"changes none of this model's layers \(gone\)"):
        applied(tmp_path, strange)
    net, told = Net(), list[str]()
    mixed = {**strange, "m.line.lora_up.weight": up, "m.line.lora_down.weight": down}
    lora = written(tmp_path / "mixed.safetensors", mixed)
    apply_loras(Target(net, "text", ("m.",)), [lora], told.append)
    assert told == [
        "1 of the 2 changes in mixed.safetensors fit no layer of this model and are left out "
        "(gone)."
    ]


def test_what_does_not_fit_is_told_in_words(tmp_path: Path) -> None:
    up, down = pair(4, 7)
    with pytest.raises(LoraTrouble, match="made for a model of other sizes"):
        applied(tmp_path, {"m.line.lora_up.weight": up, "m.line.lora_down.weight": down})
    with pytest.raises(LoraTrouble, match="lacks a part"):
        applied(tmp_path, {"m.line.lora_up.weight": up})
    tucker = {"m.line.lokr_w1": up, "m.line.lokr_t2": up}
    with pytest.raises(LoraTrouble, match=r"cannot apply yet \(lokr_t2\)"):
        applied(tmp_path, tucker)
    up, down = pair(4, 6)
    strange = {"m.line.lora_up.weight": up, "m.line.lora_down.weight": down}
    with pytest.raises(LoraTrouble, match="5 magnitudes for a layer of 4 x 6"):
        applied(tmp_path, {**strange, "m.line.dora_scale": torch.ones(5, 1)})


def test_a_lora_for_the_other_part_alone_changes_nothing_here(tmp_path: Path) -> None:
    up, down = pair(4, 6)
    found = applied(tmp_path, {"n.line.lora_up.weight": up, "n.line.lora_down.weight": down})
    assert not any(change.any() for change in found.values())


# --- in the engine


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_family(folder / "sd2.safetensors", "sd2")
    tiny_family(folder / "sdxl.safetensors", "sdxl")
    write_sd3(folder / "sd3.safetensors")
    write_flux(folder / "flux1.safetensors", flux_config())
    return folder


LAYERS = [
    ("sd2", "lora_unet_input_blocks_1_1_transformer_blocks_0_attn2_to_k",
     "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"),
    ("sdxl", "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k",
     "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight"),
    ("sd3", "lora_unet_joint_blocks_0_x_block_mlp_fc1", "joint_blocks.0.x_block.mlp.fc1.weight"),
    ("flux1", "lora_unet_double_blocks_0_img_mlp_0", "double_blocks.0.img_mlp.0.weight"),
]  # fmt: skip


@pytest.mark.parametrize(("family", "layer", "tensor"), LAYERS)
def test_the_engine_gives_the_model_with_the_lora_in_it_and_keeps_the_other(
    models: Path, tmp_path: Path, family: str, layer: str, tensor: str
) -> None:
    engine, path = Engine("cpu", "float32"), models / f"{family}.safetensors"
    before = engine.denoiser(path).module.state_dict()
    up, down = pair(*before[tensor].shape)
    names = {f"{layer}.lora_up.weight": up, f"{layer}.lora_down.weight": down}
    lora = written(tmp_path / "lora.safetensors", names, 0.7)
    after = engine.denoiser(path, loras=[lora]).module.state_dict()
    close(after[tensor], before[tensor] + 0.7 * up @ down)
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed == {tensor}
    assert engine.denoiser(path).module.state_dict()[tensor] is not after[tensor]
    twice = engine.denoiser(path, loras=[lora, lora]).module.state_dict()
    close(twice[tensor], before[tensor] + 1.4 * up @ down)


def test_diffusers_shares_of_one_matrix_go_to_their_rows(models: Path, tmp_path: Path) -> None:
    engine, path = Engine("cpu", "float32"), models / "flux1.safetensors"
    before = engine.denoiser(path).module.state_dict()
    width, tall = 64, before["single_blocks.1.linear1.weight"].shape[0]
    q, mlp = pair(width, width), pair(tall - 3 * width, width, seed=7)
    names = {}
    for layer, (up, down) in {"attn.to_k": q, "proj_mlp": mlp}.items():
        base = f"transformer.single_transformer_blocks.1.{layer}"
        names |= {f"{base}.lora_B.weight": up, f"{base}.lora_A.weight": down}
    lora = written(tmp_path / "shares.safetensors", names)
    after = engine.denoiser(path, loras=[lora]).module.state_dict()
    name = "single_blocks.1.linear1.weight"
    change = after[name] - before[name]
    assert not change[:width].any()
    close(change[width : 2 * width], q[0] @ q[1])
    assert not change[2 * width : 3 * width].any()
    close(change[3 * width :], mlp[0] @ mlp[1])


def test_each_text_encoder_takes_its_own_changes(models: Path, tmp_path: Path) -> None:
    engine, path = Engine("cpu", "float32"), models / "sdxl.safetensors"
    plain = engine.text_encoder(path).encode("a dog")
    layer = "text_model_encoder_layers_0_self_attn_q_proj"
    made = {}
    for number, width in ((1, 64), (2, 128)):
        up, down = pair(width, width)
        names = {f"lora_te{number}_{layer}.lora_up.weight": up * 20,
                 f"lora_te{number}_{layer}.lora_down.weight": down * 20}  # fmt: skip
        lora = written(tmp_path / f"te{number}.safetensors", names)
        made[number] = engine.text_encoder(path, loras=[lora]).encode("a dog")
    first, second = slice(0, 64), slice(64, 192)
    for number, (own, other) in {1: (first, second), 2: (second, first)}.items():
        tokens = made[number].tokens
        assert not torch.allclose(tokens[..., own], plain.tokens[..., own], atol=1e-4)
        assert torch.equal(tokens[..., other], plain.tokens[..., other])


def test_a_lora_of_another_kind_of_model_is_refused_by_the_engine(
    models: Path, tmp_path: Path
) -> None:
    up, down = pair(64, 64)
    name = "lora_unet_double_blocks_0_img_attn_proj"
    names = {f"{name}.lora_up.weight": up, f"{name}.lora_down.weight": down}
    lora = written(tmp_path / "flux.safetensors", names)
    with pytest.raises(LoraTrouble, match="changes none of this model's layers"):
        Engine("cpu", "float32").denoiser(models / "sd2.safetensors", loras=[lora])


def test_other_loras_and_other_strengths_are_other_models() -> None:
    one, other = Lora(Path("a"), "a", 1.0), Lora(Path("a"), "a", 0.5)
    assert len({key_of(()), key_of([one]), key_of([other]), key_of([one, other])}) == 4
