"""From files to models that run, and what the engine says when it cannot."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from diffusion.architecture import BadArchitecture, architecture_of
from diffusion.checkpoint import CheckpointTrouble
from diffusion.engine import Engine
from diffusion.header import FileTrouble
from diffusion.layouts import clip_names
from diffusion.prediction import Epsilon
from diffusion.sample import sample
from diffusion.unet import UNet
from diffusion.vae import AutoencoderKL
from diffusion.vae_names import vae_layout, vae_names
from tests.diffusion.files import known_shapes, write_zeros
from tests.diffusion.small import METADATA, UNET, VAE, small_vae, write_checkpoint


def test_a_checkpoint_becomes_a_denoiser_of_its_own_space(engine: Engine, checkpoint: Path) -> None:
    denoiser = engine.denoiser(checkpoint)
    assert isinstance(denoiser.module, UNet)
    assert denoiser.module.config == UNET  # heads and groups from the metadata, the rest by shapes
    assert isinstance(denoiser.prediction, Epsilon)
    # the table's last level, of the published beta schedule
    assert denoiser.levels.sigma_max == pytest.approx(14.6146, abs=1e-3)
    assert (denoiser.space.channels, denoiser.space.downscale) == (4, 4)
    assert float(denoiser.space.normalise(torch.full((1, 4, 1, 1), 2.25))[0, 0, 0, 0]) == 1.0


def test_the_weights_are_the_files(engine: Engine, checkpoint: Path, tmp_path: Path) -> None:
    tensors = write_checkpoint(tmp_path / "again.safetensors")
    state = engine.denoiser(checkpoint).module.state_dict()
    for name, tensor in state.items():
        assert torch.equal(tensor, tensors[f"model.diffusion_model.{name}"])


def test_a_prompt_becomes_a_picture(engine: Engine, checkpoint: Path) -> None:
    encoder = engine.text_encoder(checkpoint)
    words, nothing = encoder.encode("a b"), encoder.encode("")
    assert words.tokens.shape == (1, 16, 24)
    walk = sample(
        engine.denoiser(checkpoint),
        torch.zeros(1, 4, 8, 8),
        words,
        nothing,
        seed=1,
        steps=2,
        cfg=2.0,
    )
    *_, last = walk
    assert last.latent is not None
    picture = engine.vae(checkpoint).decode(last.latent)
    assert picture.shape == (1, 32, 32, 3)
    assert picture.dtype == torch.float32
    assert 0 <= picture.min() <= picture.max() <= 1


def test_the_vae_knows_its_space_and_takes_pictures_both_ways(
    engine: Engine, checkpoint: Path
) -> None:
    vae = engine.vae(checkpoint)
    assert vae.space is not None
    assert vae.space.id == "small"
    raw = vae.encode(torch.rand(2, 19, 33, 3))  # 3 and 1 pixels over
    assert raw.shape == (2, 4, 4, 8)
    assert vae.decode(raw).shape == (2, 16, 32, 3)
    module = AutoencoderKL(VAE)
    module.load_state_dict(small_vae())
    with torch.no_grad():
        straight = module.decode(raw[:1])
    expected = ((straight + 1) / 2).clamp(0, 1).movedim(1, -1)
    # 1e-5: the same float32 operations, perhaps in another order by size of batch
    torch.testing.assert_close(vae.decode(raw)[:1], expected, atol=1e-5, rtol=0)


def test_a_vae_file_in_the_layout_of_diffusers_is_the_same_vae(
    engine: Engine, tmp_path: Path
) -> None:
    config = AutoencoderKL(VAE).config
    ours = small_vae()
    theirs = {_diffusers_name(name, len(config.channels)): t for name, t in ours.items()}
    theirs = {n: t[..., 0, 0] if ".to_" in n and t.ndim == 4 else t for n, t in theirs.items()}
    assert vae_layout(theirs) == "diffusers"
    metadata = {key: METADATA[key] for key in METADATA if "tokenizer" not in key}
    for name, tensors in (("ours", ours), ("theirs", theirs)):
        file = {key: tensor.contiguous() for key, tensor in tensors.items()}
        save_file(file, tmp_path / f"{name}.safetensors", metadata)
    raw = torch.randn(1, 4, 4, 4)
    one, other = (engine.vae(tmp_path / f"{n}.safetensors").decode(raw) for n in ("ours", "theirs"))
    assert torch.equal(one, other)


def _diffusers_name(name: str, levels: int) -> str:
    """The reverse of the table in `layouts`, written by hand."""
    parts = name.split(".")
    if parts[1] in ("down", "up"):
        level = int(parts[2]) if parts[1] == "down" else levels - 1 - int(parts[2])
        kind = {"block": "resnets", "downsample": "downsamplers.0", "upsample": "upsamplers.0"}
        parts[1:4] = [f"{parts[1]}_blocks", str(level), kind[parts[3]]]
    elif parts[1] == "mid":
        place = {"block_1": "resnets.0", "block_2": "resnets.1", "attn_1": "attentions.0"}
        inner = {
            "norm": "group_norm",
            "q": "to_q",
            "k": "to_k",
            "v": "to_v",
            "proj_out": "to_out.0",
        }
        if parts[2] == "attn_1":
            parts[3] = inner[parts[3]]
        parts[1:3] = ["mid_block", place[parts[2]]]
    elif parts[1] == "norm_out":
        parts[1] = "conv_norm_out"
    return ".".join(parts).replace("nin_shortcut", "conv_shortcut")


def test_the_published_diffusers_vae_has_exactly_the_original_names() -> None:
    original = known_shapes("vae_kl_f8_z4_ldm")
    diffusers = known_shapes("vae_kl_f8_z4_diffusers")
    renamed = vae_names(diffusers, "diffusers")
    assert renamed.keys() == original.keys()
    for name, theirs in renamed.items():
        shape = diffusers[theirs]
        assert original[name] in (shape, (*shape, 1, 1)), name


def test_what_training_leaves_beside_a_vae_is_ignored(engine: Engine, tmp_path: Path) -> None:
    extra = {"loss.logvar": torch.zeros(1), "model_ema.decay": torch.zeros(1)}
    path = tmp_path / "v.safetensors"
    save_file({**small_vae(), **extra}, path, METADATA)
    assert engine.vae(path).decode(torch.zeros(1, 4, 2, 2)).shape == (1, 8, 8, 3)


def test_old_merges_without_the_text_models_first_name_are_read() -> None:
    names = clip_names(["encoder.layers.0.x", "embeddings.position_ids", "text_projection.weight"])
    assert names == {"text_model.encoder.layers.0.x": "encoder.layers.0.x"}


def test_a_family_that_cannot_run_yet_is_named(engine: Engine, tmp_path: Path) -> None:
    shapes = known_shapes("checkpoint_sd2")
    shapes["model.diffusion_model.label_emb.0.0.weight"] = (1280, 1536)
    path = write_zeros(tmp_path / "unclip.safetensors", shapes)
    for load in (engine.denoiser, engine.text_encoder):
        with pytest.raises(
            CheckpointTrouble, match=r"unclip\.safetensors is SD 2.x.*cannot run yet"
        ):
            load(path)


def test_a_file_without_the_wanted_part_is_named(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "v.safetensors"
    save_file(small_vae(), path, METADATA)
    with pytest.raises(CheckpointTrouble, match="holds no diffusion model"):
        engine.denoiser(path)
    with pytest.raises(CheckpointTrouble, match="holds no text encoder"):
        engine.text_encoder(path)


def test_a_model_of_an_unknown_space_is_not_run(engine: Engine, tmp_path: Path) -> None:
    silent = {key: text for key, text in METADATA.items() if key != "latent_loom.latent_space"}
    write_checkpoint(tmp_path / "silent.safetensors", silent)
    with pytest.raises(CheckpointTrouble, match="do not declare"):
        engine.denoiser(tmp_path / "silent.safetensors")


def test_a_missing_or_broken_file_is_a_sentence(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(FileTrouble, match="no file"):
        engine.vae(tmp_path / "absent.safetensors")
    broken = tmp_path / "cut.safetensors"
    write_checkpoint(broken)
    os.truncate(broken, broken.stat().st_size - 10)
    with pytest.raises(FileTrouble, match="not complete"):
        engine.denoiser(broken)


def test_metadata_that_make_no_sense_name_the_file(engine: Engine, tmp_path: Path) -> None:
    bad = {**METADATA, "latent_loom.architecture": '{"unet": {"heads": "two"}}'}
    write_checkpoint(tmp_path / "bad.safetensors", bad)
    with pytest.raises(CheckpointTrouble, match=r"bad\.safetensors.*heads"):
        engine.denoiser(tmp_path / "bad.safetensors")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"unet": 3}', '{"vae": {"norm_groups": 0}}', '{"clip": {"heads": true}}',
             '{"clip": {"activation": "relu"}}'],
)  # fmt: skip
def test_a_malformed_architecture_is_refused(text: str) -> None:
    with pytest.raises(BadArchitecture):
        architecture_of({"latent_loom.architecture": text})


def test_a_load_can_be_cancelled(engine: Engine, checkpoint: Path) -> None:
    class Stop(BaseException):
        pass

    def stop() -> None:
        raise Stop

    for load in (engine.denoiser, engine.vae, engine.text_encoder):
        with pytest.raises(Stop):
            load(checkpoint, stop)
    assert not engine.memory.report()
    assert engine.vae(checkpoint).decode(torch.zeros(1, 4, 2, 2)).shape == (1, 8, 8, 3)


def test_a_second_load_is_the_first_one(engine: Engine, checkpoint: Path) -> None:
    assert engine.denoiser(checkpoint).module is engine.denoiser(checkpoint).module
    assert engine.vae(checkpoint).module is engine.vae(checkpoint).module
    assert len(engine.memory.report()) == 2


def test_a_replaced_file_is_loaded_anew_and_the_old_one_dropped(
    engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "v.safetensors"
    save_file(small_vae(0), path, METADATA)
    first = engine.vae(path).module.decoder.conv_in.weight.clone()
    save_file(small_vae(1), tmp_path / "new", METADATA)
    os.replace(tmp_path / "new", path)
    assert not torch.equal(engine.vae(path).module.decoder.conv_in.weight, first)
    assert len(engine.memory.report()) == 1


def test_the_key_tells_precisions_and_devices_apart() -> None:
    keys = {Engine("cpu", precision).key for precision in ("float32", "bfloat16", "float16")}
    assert len(keys) == 3
    assert Engine("cpu", "fp32").key == Engine("cpu", "float32").key
    assert Engine("cpu", "float32").describe() == "CPU, float32"
