"""The parts of the starter's training: vocabulary, optimiser, noise levels, saving and resuming."""

from pathlib import Path

import pytest
import torch

from starter import latents, text, train_unet, train_vae, training
from starter.captions import words_of_captions
from starter.optimiser import Muon, orthogonalise
from starter.vocabulary import END, START, vocabulary


def test_every_word_is_one_token() -> None:
    ids = vocabulary()["vocab"]
    for word in words_of_captions():
        encoded = text.token_ids([word])[0].tolist()
        assert encoded[:3] == [ids[START], ids[f"{word}</w>"], ids[END]], word


@pytest.mark.parametrize("prompt", ["", "a spaceship!", "日本 Ünïcode 🙂", "a" * 500, "\x00\n"])
def test_no_prompt_is_too_strange_for_the_tokenizer(prompt: str) -> None:
    encoded = text.token_ids([prompt])
    assert encoded.shape == (1, text.POSITIONS)
    assert int(encoded.max()) < len(vocabulary()["vocab"])


def test_the_vocabulary_numbers_its_tokens_without_gaps() -> None:
    content = vocabulary()
    assert sorted(content["vocab"].values()) == list(range(len(content["vocab"])))
    for merge in content["merges"]:
        assert merge.replace(" ", "") in content["vocab"]


def test_noise_levels_are_stable_diffusions() -> None:
    sigmas = train_unet.noise_levels()
    # the published ends of the schedule, to float32
    assert float(sigmas[0]) == pytest.approx(0.02916716, rel=1e-6)
    assert float(sigmas[999]) == pytest.approx(14.6146412, rel=1e-6)


def test_orthogonalising_brings_singular_values_near_one() -> None:
    generator = torch.Generator().manual_seed(0)
    for rows, columns in ((32, 288), (96, 24)):
        matrix = torch.randn(rows, columns, generator=generator)
        values = torch.linalg.svdvals(orthogonalise(matrix))
        # four rounds of the quintic leave them between about 0.3 and 1.3
        assert values.min() > 0.2
        assert values.max() < 1.4


def test_the_optimiser_solves_a_linear_problem() -> None:
    torch.manual_seed(0)
    model, target = torch.nn.Linear(16, 16), torch.randn(16, 16)
    optimiser = Muon(model, weight_decay=0.0)
    losses = []
    for step in range(200):
        inputs = torch.randn(64, 16)
        loss = (model(inputs) - inputs @ target).square().mean()
        loss.backward()
        optimiser.step(0.1 * (1 - step / 200))
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.02 * losses[0]


def test_a_budget_counts_what_was_spent_before() -> None:
    budget = training.Budget(minutes=10, steps=100, step=75)
    assert budget.progress == 0.75
    assert training.Budget(minutes=10, steps=150, step=75).rate(1.0) > budget.rate(1.0)
    late = training.Budget(minutes=10, seconds=600)
    assert late.progress == 1
    assert late.rate(1.0, warmup=1) == pytest.approx(0.01)


def test_numbered_pictures_are_the_same_every_time() -> None:
    first, again = latents.numbered_picture(5), latents.numbered_picture(5)
    assert (first == again).all()
    assert (first != latents.numbered_picture(6)).any()


def test_space_makes_unit_variance_and_back() -> None:
    raw = torch.randn(64, 4, 8, 8) * 3 + torch.tensor([1.0, -2, 0, 5])[:, None, None]
    space = train_unet.Space.of(raw)
    model = space.to_model(raw)
    assert float(model.std()) == pytest.approx(1, abs=0.01)
    assert torch.allclose(space.to_raw(model), raw, atol=1e-5)  # float32 rounding of values near 10


def test_a_vae_training_saves_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_vae, "RUNS", tmp_path)
    train_vae.train("tiny", seed=3, minutes=1, steps=2)
    assert training.load_state(tmp_path / "tiny.pt")["step"] == 2
    train_vae.train("tiny", seed=3, minutes=1, steps=3)
    resumed = training.load_state(tmp_path / "tiny.pt")
    assert resumed["step"] == 3
    assert train_vae.load("tiny").encode(torch.zeros(1, 3, 32, 32)).shape == (1, 4, 4, 4)


def test_a_unet_training_saves_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_unet, "STATE", tmp_path / "unet.pt")
    monkeypatch.setattr(train_unet, "BATCH", 8)
    raw = torch.randn(16, 4, 16, 16).half()
    monkeypatch.setattr(latents, "load_shards", lambda: raw)
    monkeypatch.setattr(latents, "FOLDER", tmp_path)
    train_unet.train(minutes=1, steps=2)
    train_unet.train(minutes=1, steps=4)
    pair, state = train_unet.load(tmp_path / "unet.pt")
    assert state["step"] == 4
    assert text.encode(pair.text, ["a red circle"]).shape == (1, text.POSITIONS, text.WIDTH)
