"""A decoder-only language model as far as a text encoder goes: Mistral 3 and Qwen 3, by sizes.

Prompts are read by its middle layers, so those behind the last one that is wanted are neither built
nor loaded, nor is what turns vectors into words.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from diffusion.flux_layers import Rotation, rotation
from diffusion.guidance import nothing
from diffusion.layers import MissingTensor, Shapes, count, shape_of

_WORDS = "model.embed_tokens.weight"
_LAYER = "model.layers.{}."
_FIRST = _LAYER.format(0)
_NORM = _LAYER + "input_layernorm.weight"
_BESIDE_PICTURES = re.compile(r"^(?:language_model\.model|model\.language_model)\.")
"""What names begin with, old and new, in a model that also sees."""


@dataclass(frozen=True)
class Habits:
    """What distinguishes language models and leaves no trace in their tensors' shapes.

    `theta`: the base of the rotary positions. `epsilon`: of every normalisation. `head`: numbers of
    one attention head, where no normalisation inside the heads tells it.
    """

    theta: float
    epsilon: float
    head: int = 128


MISTRAL_SMALL = Habits(theta=1e9, epsilon=1e-5)
"""Mistral Small 3 (Mistral AI 2025)."""

QWEN3 = Habits(theta=1e6, epsilon=1e-6)
"""Qwen 3 (Qwen Team 2025), which normalises queries and keys."""


@dataclass(frozen=True)
class LanguageModelConfig:
    """Every size of a language model's first `layers` layers; there are no biases.

    `groups`: heads of keys and values, each shared by `heads` / `groups` heads of queries (Ainslie
    et al. 2023). `normed_heads`: queries and keys are normalised.
    """

    words: int
    width: int
    layers: int
    heads: int
    groups: int
    head: int
    feed_forward: int
    normed_heads: bool
    theta: float
    epsilon: float

    @classmethod
    def from_shapes(cls, shapes: Shapes, layers: int, habits: Habits) -> Self:
        """The sizes of the file whose tensors have these shapes.

        Raises `MissingTensor`, also where the file has fewer than `layers` layers.
        """
        words, width = shape_of(shapes, _WORDS)
        normed = shapes.get(_FIRST + "self_attn.q_norm.weight")
        head = normed[0] if normed else habits.head
        there = count(shapes, _NORM)
        if there < layers:
            raise MissingTensor(
                f"Prompts are read by {layers} layers of this text encoder, and the file has only "
                f"{there}: get one that was not cut short."
            )
        return cls(
            words=words,
            width=width,
            layers=layers,
            heads=shape_of(shapes, _FIRST + "self_attn.q_proj.weight")[0] // head,
            groups=shape_of(shapes, _FIRST + "self_attn.k_proj.weight")[0] // head,
            head=head,
            feed_forward=shape_of(shapes, _FIRST + "mlp.up_proj.weight")[0],
            normed_heads=normed is not None,
            theta=habits.theta,
            epsilon=habits.epsilon,
        )


class LanguageModel(nn.Module):
    """The words' vectors and the first layers, named as in published files."""

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__()
        self.config = config
        self.model = _Inside(config)

    def forward(
        self,
        ids: Tensor,
        seen: Tensor,
        after: Sequence[int],
        check_cancel: Callable[[], None] = nothing,
    ) -> Tensor:
        """What stands after some of the layers, side by side: (rows, length, len(after) * width).

        `ids`: tokens (rows, length). `seen`: bool (rows, length), False where nothing may look, as
        at padding; a token with nothing to look at takes nothing over. `after`: numbers of layers,
        0 for the words' own vectors. `check_cancel` is called before every layer.
        """
        x = self.model.embed_tokens(ids)
        length = ids.shape[1]
        places = torch.arange(length, device=ids.device)[:, None]
        turn = rotation(places, (self.config.head,), self.config.theta)
        earlier = torch.ones(length, length, dtype=torch.bool, device=ids.device).tril()
        visible = earlier & seen[:, None]  # (rows, length, length): may the row see the column
        states = [x]
        for layer in self.model.layers[: max(after)]:
            check_cancel()
            x = layer(x, turn, visible)
            states.append(x)
        return torch.cat([states[number] for number in after], dim=-1)


class _Inside(nn.Module):
    """What published files put under "model."."""

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.words, config.width)
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.layers))


class _Layer(nn.Module):
    """Attention to what came before, then a gated feed-forward part."""

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(config.width, eps=config.epsilon)
        self.self_attn = _Attention(config)
        self.post_attention_layernorm = nn.RMSNorm(config.width, eps=config.epsilon)
        self.mlp = _FeedForward(config)

    def forward(self, x: Tensor, turn: Rotation, visible: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), turn, visible)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class _Attention(nn.Module):
    """Causal attention in which several heads of queries share one of keys and values."""

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__()
        self.head = config.head
        inner, shared = config.heads * config.head, config.groups * config.head
        self.q_proj = nn.Linear(config.width, inner, bias=False)
        self.k_proj = nn.Linear(config.width, shared, bias=False)
        self.v_proj = nn.Linear(config.width, shared, bias=False)
        self.o_proj = nn.Linear(inner, config.width, bias=False)
        self.normed = config.normed_heads
        if self.normed:
            self.q_norm = nn.RMSNorm(config.head, eps=config.epsilon)
            self.k_norm = nn.RMSNorm(config.head, eps=config.epsilon)

    def forward(self, x: Tensor, turn: Rotation, visible: Tensor) -> Tensor:
        query, key, value = (
            made.unflatten(-1, (-1, self.head)).transpose(1, 2)  # (rows, heads, length, head)
            for made in (self.q_proj(x), self.k_proj(x), self.v_proj(x))
        )
        if self.normed:
            query, key = self.q_norm(query), self.k_norm(key)
        shares = query.shape[1] // key.shape[1]
        query, key = _turned(query, turn), _turned(key, turn)
        key, value = (made.repeat_interleave(shares, dim=1) for made in (key, value))
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=visible[:, None]
        )
        # Not every device answers 0 where all is hidden.
        mixed = mixed.masked_fill(~visible.any(-1)[:, None, :, None], 0)
        out: Tensor = self.o_proj(mixed.transpose(1, 2).flatten(2))
        return out


class _FeedForward(nn.Module):
    """SwiGLU (Shazeer 2020)."""

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.width, config.feed_forward, bias=False)
        self.up_proj = nn.Linear(config.width, config.feed_forward, bias=False)
        self.down_proj = nn.Linear(config.feed_forward, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


def _turned(x: Tensor, turn: Rotation) -> Tensor:
    """Heads (rows, heads, length, head), turned by position (Su et al. 2021, eq. 34).

    A number's partner lies half a head further.
    """
    first, second = x.float().chunk(2, dim=-1)
    cosine, sine = turn
    turned = [first * cosine - second * sine, second * cosine + first * sine]
    return torch.cat(turned, dim=-1).to(x)


def language_names(names: Iterable[str], layers: int) -> dict[str, str]:
    """The name in `LanguageModel` of every tensor that its first `layers` layers need, to the
    file's.

    What is left out are later layers, the way from vectors back to words, an encoder of pictures,
    scales and vocabularies.
    """
    wanted = ("model.embed_tokens.", *(_LAYER.format(number) for number in range(layers)))
    ours = {_BESIDE_PICTURES.sub("model.", name): name for name in names}
    return {
        name: theirs
        for name, theirs in ours.items()
        if name.startswith(wanted) and name.endswith(".weight")
    }


def build_language_model(shapes: Shapes, layers: int, habits: Habits) -> LanguageModel:
    """The first `layers` layers, empty, on the meta device, of the sizes of a file's tensors.

    `shapes`: by the names in `LanguageModel`. Raises `MissingTensor`.
    """
    with torch.device("meta"):
        return LanguageModel(LanguageModelConfig.from_shapes(shapes, layers, habits)).eval()
