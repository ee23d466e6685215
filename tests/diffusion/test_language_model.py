"""Mistral and Qwen 3 have the published names, and compute what transformers computes."""

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import MistralConfig, MistralForCausalLM, Qwen3Config, Qwen3ForCausalLM

from diffusion.language_model import (
    MISTRAL_SMALL,
    QWEN3,
    Habits,
    LanguageModel,
    build_language_model,
    language_names,
)
from diffusion.layers import MissingTensor
from tests.diffusion.files import Shapes, shapes_of
from tests.diffusion.small_language import WORDS, mistral, qwen

HABITS = {"mistral": Habits(theta=1e9, epsilon=1e-5, head=8), "qwen": QWEN3}
MODELS = {"mistral": mistral, "qwen": qwen}
AFTER = {"mistral": (10, 20, 30), "qwen": (9, 18, 27)}
"""What FLUX.2 takes of each."""

# float32 in 30 layers, whose sums grow to some tens; other kernels and another order of sums
ROUNDING = 1e-4


def published(kind: str) -> Shapes:
    """Every name and shape of the model in whole, made by transformers from its published sizes."""
    sizes: dict[str, Any] = {"num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128}
    with torch.device("meta"):
        if kind == "mistral_small":
            config = MistralConfig(
                vocab_size=131072, hidden_size=5120, intermediate_size=32768,
                num_hidden_layers=40, **sizes,
            )  # fmt: skip
            return shapes_of(MistralForCausalLM(config))
        width, inner = {"qwen3_4b": (2560, 9728), "qwen3_8b": (4096, 12288)}[kind]
        qwen_config = Qwen3Config(
            vocab_size=151936, hidden_size=width, intermediate_size=inner, num_hidden_layers=36,
            **sizes,
        )  # fmt: skip
        return shapes_of(Qwen3ForCausalLM(qwen_config))


def ours(model: Any, kind: str, layers: int) -> LanguageModel:
    state = model.state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    built = build_language_model(shapes, layers, HABITS[kind])
    wanted = {name: state[theirs] for name, theirs in language_names(state, layers).items()}
    built.load_state_dict(wanted, strict=True, assign=True)
    return built.eval()


def theirs_after(model: Any, ids: Tensor, seen: Tensor, after: tuple[int, ...]) -> Tensor:
    """transformers' states after these layers, side by side."""
    states = model.model(
        input_ids=ids, attention_mask=seen.long(), output_hidden_states=True, use_cache=False
    ).hidden_states
    return torch.cat([states[number] for number in after], dim=-1)


@pytest.mark.parametrize(
    ("kind", "layers", "habits", "heads"),
    [
        ("mistral_small", 30, MISTRAL_SMALL, (32, 8, 128)),
        ("qwen3_4b", 27, QWEN3, (32, 8, 128)),
        ("qwen3_8b", 27, QWEN3, (32, 8, 128)),
    ],
)
def test_names_and_shapes_are_those_of_published_files(
    kind: str, layers: int, habits: Habits, heads: tuple[int, ...]
) -> None:
    shapes = published(kind)
    built = build_language_model(shapes, layers, habits)
    assert shapes_of(built) == {name: shapes[name] for name in language_names(shapes, layers)}
    assert all(tensor.is_meta for tensor in built.state_dict().values())
    assert (built.config.heads, built.config.groups, built.config.head) == heads
    assert built.config.normed_heads == kind.startswith("qwen")


def test_what_no_prompt_needs_is_left_out() -> None:
    names = language_names(published("mistral_small"), 30)
    assert "model.layers.29.mlp.down_proj.weight" in names
    left = [name for name in published("mistral_small") if name not in names]
    assert {name.rpartition(".layers.")[2].partition(".")[0] for name in left} == {
        *map(str, range(30, 40)), "model", "lm_head",
    }  # fmt: skip
    assert "model.norm.weight" in left


@pytest.mark.parametrize("kind", MODELS)
def test_the_layers_that_flux_2_reads_are_those_of_transformers(kind: str) -> None:
    after = AFTER[kind]
    model = MODELS[kind](layers=max(after) + 2)
    ids = torch.randint(0, WORDS, (2, 40), generator=torch.Generator().manual_seed(1))
    seen = torch.ones_like(ids, dtype=torch.bool)
    expected = theirs_after(model, ids, seen, after)
    made = ours(model, kind, max(after))(ids, seen, after)
    assert made.shape == (2, 40, 3 * 32)
    torch.testing.assert_close(made, expected, atol=ROUNDING, rtol=0)
    assert expected.std() > 1
    assert not torch.allclose(made[..., :32], made[..., 32:64], atol=0.1)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("in_front", [True, False])
def test_padding_is_seen_by_none_and_sees_what_transformers_lets_it(
    kind: str, in_front: bool
) -> None:
    model = MODELS[kind](layers=4)
    ids = torch.randint(0, WORDS, (1, 12), generator=torch.Generator().manual_seed(2))
    seen = torch.ones_like(ids, dtype=torch.bool)
    seen[:, : 5 if in_front else 0] = False
    seen[:, 12 if in_front else 7 :] = False
    module = ours(model, kind, 3)
    made = module(ids, seen, (1, 3))
    torch.testing.assert_close(
        made,
        theirs_after(model, ids, seen, (1, 3)),
        atol=1e-5,
        rtol=0,  # 3 layers
    )
    other = ids.clone()
    other[~seen] = 3
    told = seen[0]
    torch.testing.assert_close(module(other, seen, (1, 3))[:, told], made[:, told])


def test_qwens_normalised_heads_count() -> None:
    """A mistake in them must not hide behind ones."""
    model = qwen(layers=2)
    ids, seen = torch.arange(6)[None], torch.ones(1, 6, dtype=torch.bool)
    before = ours(model, "qwen", 2)(ids, seen, (2,))
    for layer in model.model.layers:
        layer.self_attn.k_norm.weight.fill_(1)
    assert not torch.allclose(before, ours(model, "qwen", 2)(ids, seen, (2,)), atol=1e-3)


def test_a_file_without_enough_layers_is_refused_in_words() -> None:
    shapes = shapes_of(mistral(layers=4))
    with pytest.raises(MissingTensor, match=r"read by 30 layers .* only 4"):
        build_language_model(shapes, 30, MISTRAL_SMALL)


def test_it_can_be_stopped_between_layers() -> None:
    module = ours(mistral(layers=4), "mistral", 3)
    calls: list[int] = []

    def stop() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        module(torch.zeros(1, 2, dtype=torch.long), torch.ones(1, 2, dtype=torch.bool), (3,), stop)
    assert len(calls) == 2
