"""A Stable Diffusion 3 checkpoint makes pictures, whichever of its text encoders are there."""

from pathlib import Path

import pytest
import torch
from transformers import CLIPTextModel

from diffusion.checkpoint import CheckpointTrouble
from diffusion.engine import Engine
from diffusion.mmdit import Mmdit
from diffusion.prediction import Flow
from diffusion.sample import sample
from tests.diffusion.small import WORDS
from tests.diffusion.small_sd3 import MMDIT, write_sd3

END = WORDS["<|endoftext|>"]
ROUNDING = 1e-5  # float32 sums in another order


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sd3") / "sd3.safetensors"
    write_sd3(path)
    return path


@pytest.fixture(scope="module")
def whole() -> Engine:
    return Engine("cpu", "float32")


def test_a_checkpoint_becomes_a_flow_model_of_sd3s_space(whole: Engine, path: Path) -> None:
    denoiser = whole.denoiser(path)
    assert isinstance(denoiser.module, Mmdit)
    assert denoiser.module.config == MMDIT
    assert isinstance(denoiser.prediction, Flow)
    assert denoiser.joint
    # shift 3: half the way is σ = 3·0.5 / (1 + 2·0.5), and the network is told a thousand of it
    assert denoiser.levels.sigma(500.0) == pytest.approx(0.75)
    assert denoiser.levels.timestep(0.75) == 750.0
    raw = torch.full((1, 16, 1, 1), 1.0)
    assert float(denoiser.space.normalise(raw)[0, 0]) == pytest.approx((1 - 0.0609) * 1.5305)


def test_the_network_is_told_the_tokens_and_the_pooled_vector(whole: Engine, path: Path) -> None:
    denoiser = whole.denoiser(path)
    words = whole.text_encoder(path).encode("a b")
    assert words.tokens.shape == (1, 154, 4096)
    assert words.pooled is not None
    assert words.pooled.shape == (1, 2048)
    x = torch.randn(1, 16, 4, 6, generator=torch.Generator().manual_seed(0))
    told = denoiser.inputs(words, x.shape)
    with torch.no_grad():
        velocity = denoiser.module(x, torch.tensor([250.0]), words.tokens, words.pooled)
    torch.testing.assert_close(
        denoiser.denoise(x, 0.25, *told), x - 0.25 * velocity, atol=ROUNDING, rtol=0
    )
    assert velocity.std() > 0.05


def test_a_prompt_is_what_transformers_makes_of_its_ids(whole: Engine, path: Path) -> None:
    encoder = whole.text_encoder(path)
    joined = encoder.encode("a red")
    assert joined.pooled is not None
    widths = {"clip_l": slice(0, 768), "clip_g": slice(768, 2048)}
    for name, at in widths.items():
        reader = encoder.readers[name]
        [chunk] = reader.tokenize("a red")
        ids = torch.tensor([[token.id for token in chunk]])
        model = CLIPTextModel(reader.module.text_model.config).eval()
        model.load_state_dict(reader.module.text_model.state_dict())
        with torch.no_grad():
            theirs = model(input_ids=ids, output_hidden_states=True)
            end = theirs.last_hidden_state[0, int((ids[0] == END).int().argmax())]
            vector = reader.module.text_projection(end) if name == "clip_g" else end
        torch.testing.assert_close(
            joined.tokens[:, :77, at], theirs.hidden_states[-2], atol=ROUNDING, rtol=0
        )
        torch.testing.assert_close(joined.pooled[0, at], vector, atol=ROUNDING, rtol=0)
        filler = END if name == "clip_l" else 0
        assert (ids[0, 0], ids[0, -1]) == (WORDS["<|startoftext|>"], filler)
        assert ids[0, 1] == WORDS["a</w>"]


def test_a_prompt_becomes_a_picture(whole: Engine, path: Path) -> None:
    encoder = whole.text_encoder(path)
    *_, last = sample(
        whole.denoiser(path),
        torch.zeros(1, 16, 4, 6),
        encoder.encode("a (red:1.3) cat"),
        encoder.encode(""),
        seed=1,
        steps=2,
        cfg=4.0,
    )
    assert last.latent is not None
    assert last.latent.isfinite().all()
    assert whole.vae(path).decode(last.latent).shape == (1, 32, 48, 3)


def test_an_euler_walk_goes_straight_along_the_velocity(whole: Engine, path: Path) -> None:
    denoiser = whole.denoiser(path)
    words = whole.text_encoder(path).encode("a b")
    *_, last = sample(
        denoiser,
        torch.zeros(1, 16, 4, 4),
        words,
        words,
        seed=3,
        steps=2,
        cfg=1.0,
        schedule="simple",
    )
    x = torch.randn(1, 16, 4, 4, generator=torch.Generator().manual_seed(3))
    told = denoiser.inputs(words, x.shape)
    for sigma, after in ((1.0, 0.75), (0.75, 0.0)):  # t = 1, 1/2 and 0, shifted by 3
        x = x + (after - sigma) * (x - denoiser.denoise(x, sigma, *told)) / sigma
    expected = x / 1.5305 + 0.0609
    assert last.latent is not None
    torch.testing.assert_close(last.latent, expected, atol=ROUNDING, rtol=0)


@pytest.mark.parametrize("absent", ["clip_l", "clip_g", "t5xxl"])
def test_without_one_encoder_the_others_say_the_same(
    whole: Engine, path: Path, tmp_path: Path, absent: str
) -> None:
    left = [name for name in ("clip_l", "clip_g", "t5xxl") if name != absent]
    some = tmp_path / "some.safetensors"
    write_sd3(some, left)
    encoder = Engine("cpu", "float32").text_encoder(some)
    assert list(encoder.readers) == left
    encoded = encoder.encode("a b")
    zeros = {
        "clip_l": encoded.tokens[:, :77, :768],
        "clip_g": encoded.tokens[:, :77, 768:2048],
        "t5xxl": encoded.tokens[:, 77:],
    }
    assert {name for name, part in zeros.items() if not part.any()} == {absent}


def test_each_encoder_may_read_a_prompt_of_its_own(whole: Engine, path: Path) -> None:
    encoder = whole.text_encoder(path)
    mixed = encoder.encode({"clip_l": "a b", "clip_g": "c", "t5xxl": "red"}).tokens
    one, two, three = (encoder.encode(prompt).tokens for prompt in ("a b", "c", "red"))
    expected = torch.cat([one[:, :77, :768], two[:, :77, 768:]], dim=2)
    torch.testing.assert_close(mixed[:, :77], expected, atol=ROUNDING, rtol=0)
    torch.testing.assert_close(mixed[:, 77:], three[:, 77:], atol=ROUNDING, rtol=0)


def test_a_checkpoint_without_text_encoders_says_so(whole: Engine, tmp_path: Path) -> None:
    bare = tmp_path / "bare.safetensors"
    write_sd3(bare, [])
    with pytest.raises(CheckpointTrouble, match="holds no text encoder"):
        whole.text_encoder(bare)
    assert isinstance(whole.denoiser(bare).module, Mmdit)


def test_t5_is_kept_in_bfloat16_beside_half_precision(path: Path) -> None:
    reader = Engine("cpu", "float16").text_encoder(path).readers["t5xxl"]
    assert {tensor.dtype for tensor in reader.module.state_dict().values()} == {torch.bfloat16}
