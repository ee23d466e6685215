"""What keeps a recognised file from being run is read from its header, and is true."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from diffusion.architecture import Architecture
from diffusion.checkpoint import DTYPES
from diffusion.families import FAMILIES
from diffusion.header import READABLE, FileTrouble, Header, TensorInfo
from diffusion.identity.damage import DENOISERS, VAE_KINDS
from diffusion.identity.flaws import Flaw, flaws_of, lacks_of
from diffusion.identity.gguf import read_gguf
from diffusion.identity.parts import stripped
from diffusion.identity.rules import recognise
from diffusion.identity.whole import HEADERS, trimmed
from diffusion.networks import AUTOENCODERS, Built
from diffusion.networks import DENOISERS as NETWORKS
from diffusion.origins import shapes_at
from tests.diffusion.files import Shapes, header_of, known_names, known_shapes, write_gguf

PUBLISHED = [name for name in known_names() if not name.endswith("_diffusers")]


def flaws(shapes: Shapes, **metadata: str) -> tuple[Flaw, ...]:
    header = header_of(shapes, **metadata)
    return flaws_of(header, recognise(header))


def only(shapes: Shapes) -> Flaw:
    (flaw,) = flaws(shapes)
    return flaw


def without(shapes: Shapes, pattern: str) -> Shapes:
    return {name: shape for name, shape in shapes.items() if not re.match(pattern, name)}


@pytest.mark.parametrize("name", known_names())
def test_a_published_file_has_no_flaw_but_that_it_cannot_be_run_yet(name: str) -> None:
    assert {flaw.reason for flaw in flaws(known_shapes(name))} <= {"family"}
    assert "damaged_model" not in {flaw.code for flaw in flaws(known_shapes(name))}


def test_what_can_be_read_is_what_weights_are_loaded_from() -> None:
    assert set(READABLE) == set(DTYPES)


def test_every_table_names_headers_that_are_here() -> None:
    named = {*DENOISERS.values(), *VAE_KINDS.values()}
    assert named <= {path.name.removesuffix(".json.gz") for path in HEADERS.iterdir()}
    variants = {variant.id for family in FAMILIES.values() for variant in family.variants}
    assert set(DENOISERS) <= variants | set(FAMILIES)


def built(shapes: Shapes) -> Built:
    """The network that the program builds for a denoiser's or a VAE's tensors."""
    found = recognise(header_of(shapes))
    prefix = next(iter(found.prefixes.values()), "")
    bare = stripped(shapes, prefix)
    if found.kind == "vae":
        return AUTOENCODERS[found.network](bare, Architecture())
    network = FAMILIES[found.family or ""].network
    return NETWORKS[network.kind](bare, network, Architecture())


def fits(shapes: Shapes) -> bool:
    """Whether the network that is built for the tensors takes exactly them."""
    try:
        module, names = built(shapes)
    except (ValueError, IndexError):  # sizes that no network has
        return False
    wanted = {name: trimmed(tuple(item.shape)) for name, item in module.state_dict().items()}
    have = {name: trimmed(tuple(shape)) for name, shape in shapes_at(names, shapes).items()}
    return wanted == have


DAMAGED: dict[str, tuple[str, Callable[[Shapes], Shapes], str, str]] = {
    # what it is: published file, what happens to it, reason, words
    "one tensor missing": (
        "unet_sd15_ldm", lambda s: without(s, r"middle_block\.0\.in_layers\.2\.weight"), "missing",
        "1 tensor is missing of the 686 of SD 1.x (middle_block.0.in_layers.2.weight)",
    ),
    "a level missing": (
        "unet_sdxl_ldm", lambda s: without(s, r"output_blocks\.4\."), "missing",
        "tensors are missing of the 1,680 of SDXL",
    ),
    "a hole in a stack": (
        "flux1_dev", lambda s: without(s, r"double_blocks\.7\.img_attn\."), "missing",
        "6 tensors are missing of the 780 of FLUX.1 dev (double_blocks.7.img_attn.qkv.weight",
    ),
    "a tensor of another shape": (
        "unet_sd15_ldm", lambda s: {**s, "time_embed.2.bias": (640,)}, "wrong",
        "1 tensor has another shape than in SD 1.x (time_embed.2.bias is 640, not 1280)",
    ),
    "a tensor that belongs nowhere": (
        "sd3_medium_mmdit", lambda s: {**s, "ip_adapter.proj.weight": (1536, 1024)}, "extra",
        "1 tensor has no place in SD3 SD3 medium (ip_adapter.proj.weight)",
    ),
    "a VAE without its middle": (
        "vae_kl_f8_z4_ldm", lambda s: without(s, r"encoder\.mid\."), "missing",
        "tensors are missing of the 248 of 4-channel KL VAE (encoder.mid.block_1.norm1.weight",
    ),
    "a VAE of diffusers without a level": (
        "vae_z16_diffusers_flux1_or_sd3",
        lambda s: without(s, r"encoder\.down_blocks\.3\.resnets\.1"), "missing",
        "(encoder.down.3.block.1.norm1.weight",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_model_is_told_with_what_and_how_many_and_would_not_load(case: str) -> None:
    name, change, reason, words = DAMAGED[case]
    shapes = change(known_shapes(name))
    flaw = only(shapes)
    assert (flaw.code, flaw.reason, flaw.parts) == ("damaged_model", reason, ())
    assert words in flaw.message
    assert "It is probably a" in flaw.message
    assert flaw.message.endswith("Download it again, or get another version.")
    assert not fits(shapes)


SOUND: dict[str, tuple[str, Callable[[Shapes], Shapes]]] = {
    "fewer blocks": ("flux1_dev", lambda s: without(s, r"(?:double|single)_blocks\.[1-3]\d\.")),
    "markers": ("unet_sdxl_ldm", lambda s: {**s, "v_pred": (), "ztsnr": ()}),
    "more channels": (
        "unet_sd15_ldm", lambda s: {**s, "input_blocks.0.0.weight": (320, 9, 3, 3)},
    ),
    "matrices for 1x1 convolutions": (
        "vae_kl_f8_z4_ldm",
        lambda s: {k: v[:2] if ".attn_1." in k and len(v) == 4 else v for k, v in s.items()},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SOUND)
def test_what_is_only_unusual_is_no_damage(case: str) -> None:
    name, change = SOUND[case]
    shapes = change(known_shapes(name))
    assert flaws(shapes) == ()
    if "v_pred" not in shapes:  # what says how it was trained is taken out elsewhere
        assert fits(shapes)


def test_a_model_of_other_sizes_is_not_held_against_the_published_one() -> None:
    half = {
        k: tuple(n // 2 if n > 64 else n for n in v) for k, v in known_shapes("flux1_dev").items()
    }
    assert "damaged_model" not in {flaw.code for flaw in flaws(half)}


def test_damage_of_one_part_of_a_checkpoint_is_that_parts_alone() -> None:
    whole = known_shapes("checkpoint_sd15")
    flaw = only(without(whole, r"first_stage_model\.decoder\.up\.2\."))
    assert (flaw.code, flaw.parts) == ("damaged_model", ("vae",))
    assert flaw.message.startswith("In its VAE: ")
    flaw = only(without(whole, r"cond_stage_model.*\.layers\.5\.mlp\."))
    assert (flaw.code, flaw.parts) == ("damaged_model", ("clip",))
    assert "4 tensors are missing" in flaw.message


def test_a_text_encoder_with_a_vocabulary_of_its_own_is_not_held_against_the_published_one() -> (
    None
):
    name = "text_model.embeddings.token_embedding.weight"
    other = {name: (100, 768), "text_model.encoder.layers.3.mlp.fc1.weight": (32, 768)}
    assert flaws({**known_shapes("clip_l_hf"), **other}) == ()
    assert only({**known_shapes("clip_l_hf"), **other, name: (49408, 768)}).reason == "wrong"


@pytest.mark.parametrize(
    ("extra", "dtype", "reason"),
    [
        ("double_blocks.0.img_attn.qkv.scale_weight", "F8_E4M3", "scaled_weights"),
        ("scaled_fp8", "F8_E4M3", "scaled_weights"),
        ("double_blocks.0.img_attn.qkv.weight.absmax", "U8", "packed_weights"),
        ("double_blocks.0.img_attn.qkv.qweight", "I8", "packed_weights"),
        ("", "I8", "packed_weights"),
        ("", "F8_E8M0", "number_format"),
        ("", "F8_E4M3", ""),
        ("", "F32", ""),
    ],
)
def test_numbers_that_cannot_be_read_are_told_and_plain_ones_are_not(
    extra: str, dtype: str, reason: str
) -> None:
    shapes = known_shapes("flux1_dev") | ({extra: (1,)} if extra else {})
    tensors = {name: TensorInfo(dtype, shape, 0) for name, shape in shapes.items()}
    header = Header(Path("file.safetensors"), tensors)
    found = flaws_of(header, recognise(header))
    assert [flaw.reason for flaw in found] == ([reason] if reason else [])
    assert all(flaw.code == "not_runnable" and "cannot read yet" in flaw.message for flaw in found)


def test_scaled_text_encoders_leave_a_checkpoints_other_parts_alone() -> None:
    prefix = "cond_stage_model.transformer.text_model."
    flaw = only({**known_shapes("checkpoint_sd15"), prefix + "final_layer_norm.scale_weight": ()})
    assert (flaw.reason, flaw.parts) == ("scaled_weights", ("clip",))


def test_a_variant_that_cannot_be_run_yet_names_itself() -> None:
    shapes = known_shapes("checkpoint_sd15") | {"cc_projection.weight": (768, 772)}
    shapes["model.diffusion_model.input_blocks.0.0.weight"] = (320, 8, 3, 3)
    flaw = only(shapes)
    assert (flaw.code, flaw.reason, flaw.parts) == ("not_runnable", "family", ("model", "clip"))
    assert "recognised as SD 1.x Zero123" in flaw.message


def test_a_denoiser_of_no_family_says_what_it_comes_closest_to() -> None:
    shapes = without(known_shapes("checkpoint_sd15"), r"model\.diffusion_model\.out\.2\.")
    flaw = only(shapes)
    assert (flaw.code, flaw.reason) == ("not_runnable", "unknown")
    assert "nearest is SD 1.x, but there is no out.2.weight" in flaw.message


@pytest.mark.parametrize(
    ("name", "gone", "lacks"),
    [
        ("vae_kl_f8_z4_ldm", r"encoder\.|quant_conv", ("encoder",)),
        ("vae_kl_f8_z4_ldm", r"decoder\.|post_quant", ("decoder",)),
        ("vae_z16_diffusers_flux1_or_sd3", r"encoder\.", ("encoder",)),
        ("vae_z16_diffusers_flux1_or_sd3", r"decoder\.", ("decoder",)),
        ("vae_flux2_ldm", r"encoder\.", ("encoder",)),
        ("vae_kl_f8_z4_ldm", r"nothing", ()),
    ],
)
def test_half_a_vae_is_a_vae_that_lacks_the_other_half(
    name: str, gone: str, lacks: tuple[str, ...]
) -> None:
    header = header_of(without(known_shapes(name), gone))
    found = recognise(header)
    assert (found.kind, found.parts) == ("vae", ("vae",))
    assert lacks_of(header, found) == lacks
    assert [flaw.reason for flaw in flaws_of(header, found)] == ["half"] * len(lacks)


def test_a_gguf_file_is_typed_by_its_header_and_cannot_be_run(tmp_path: Path) -> None:
    path = write_gguf(
        tmp_path / "flux.gguf", known_shapes("flux1_schnell"), general__architecture="flux"
    )
    header = read_gguf(path)
    found = recognise(header)
    assert header.shapes == known_shapes("flux1_schnell")
    assert header.metadata == {"general.architecture": "flux"}
    assert (found.family, found.variant, found.latent_spaces) == ("flux1", "schnell", ("flux1",))
    (flaw,) = flaws_of(header, found)
    assert (flaw.code, flaw.reason) == ("not_runnable", "gguf")
    assert "a FLUX.1 schnell in a GGUF file" in flaw.message


def test_a_gguf_of_t5_is_known_by_the_names_that_such_files_have(tmp_path: Path) -> None:
    names = {"token_embd.weight": (32128, 4096), "enc.blk.0.attn_q.weight": (4096, 4096)}
    found = recognise(read_gguf(write_gguf(tmp_path / "t5.gguf", names)))
    assert (found.kind, found.variant) == ("text_encoder", "t5xxl")


@pytest.mark.parametrize("size", [3, 4, 10, 23, 24, 60, 200])
def test_a_gguf_file_that_is_cut_in_its_header_is_told(tmp_path: Path, size: int) -> None:
    path = write_gguf(tmp_path / "cut.gguf", {f"blocks.{k}.weight": (4, 4) for k in range(9)})
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(
        FileTrouble, match=r"cut\.gguf is a GGUF file whose header is broken"
    ) as told:
        read_gguf(path)
    assert told.value.reason == "gguf"


def test_a_gguf_file_of_absurd_counts_ends_at_once(tmp_path: Path) -> None:
    path = tmp_path / "absurd.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00" + b"\xff" * 16)
    with pytest.raises(FileTrouble, match="items"):
        read_gguf(path)
