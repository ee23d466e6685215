"""Encode prompts with a CLIP text model, token by token, with weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from diffusion.embeddings import NO_VECTORS, Vectors, beside, standing_in
from diffusion.guidance import nothing
from diffusion.importing import from_transformers
from diffusion.prompt import Special, Token, chunked, segments
from diffusion.tokenizer import Tokenizer

PREFIX = "cond_stage_model.transformer."
"""Where an SD 1.x checkpoint keeps the tensors of `ClipText`."""

CLIP_END = 49407
HEAD_WIDTH = 64
"""The width of a head in every CLIP text model that was published."""

PROJECTION = "text_projection.weight"

_EMBEDDINGS = "text_model.embeddings."
_LAYERS = "text_model.encoder.layers."


@dataclass(frozen=True)
class TextConditioning:
    """What a prompt became, on the CPU. `tokens`: float32 (1, tokens, width).

    `pooled`: float32 (1, width), the whole first chunk in one vector, where the encoder makes one.
    `extras`: see `diffusion.conditioning`.
    """

    tokens: Tensor
    pooled: Tensor | None
    extras: Mapping[str, float | Tensor] = field(default_factory=dict)


class Encoded(NamedTuple):
    """`tokens`: (chunks, length, width); `pooled`: (chunks, width)."""

    tokens: Tensor
    pooled: Tensor


class ClipText(nn.Module):
    """CLIP's text transformer (Radford et al. 2021), its tensors named as in published files."""

    def __init__(self, config: Any, projection: int | None = None) -> None:
        """`config`: a `transformers.CLIPTextConfig`. `projection`: the pooled vector's length."""
        model = from_transformers("CLIPTextModel")
        super().__init__()
        self.text_model = model(config)
        self.length: int = config.max_position_embeddings
        self.vocabulary: int = config.vocab_size
        self.end: int = config.eos_token_id
        if projection is not None:
            self.text_projection = nn.Linear(config.hidden_size, projection, bias=False)
        # No tensor of a file fills this one, and a module with a meta part cannot move.
        positions = torch.arange(self.length, device="cpu")[None]
        self.text_model.embeddings.register_buffer("position_ids", positions, persistent=False)

    def forward(
        self,
        ids: Tensor,
        clip_skip: int = 1,
        check_cancel: Callable[[], None] = nothing,
        *,
        norm: bool = True,
        extra: Tensor | None = None,
    ) -> Encoded:
        """Encode chunks of token ids, (chunks, length).

        `extra`: (count, width), the vectors of the ids that follow those of the vocabulary.
        `clip_skip` 1 takes the tokens from the last layer, 2 from the one before, and so on;
        `norm`: they pass the final normalisation. The pooled vector is always the last layer's,
        normalised, and projected where the model has a projection. `check_cancel` is called before
        every layer.
        """
        layers = self.text_model.encoder.layers
        if not 1 <= clip_skip <= len(layers):
            raise ValueError(f"CLIP skip must be 1 to {len(layers)} here, not {clip_skip}.")
        taken: list[Tensor] = []
        hooks = [layer.register_forward_pre_hook(lambda *_: check_cancel()) for layer in layers]
        hooks += [layers[-clip_skip].register_forward_hook(lambda *call: taken.append(call[-1]))]
        positions = torch.arange(ids.shape[1], device=ids.device)[None]
        words = self.text_model.embeddings.token_embedding
        try:
            with standing_in(words, self.vocabulary, extra):
                last = self.text_model(input_ids=ids, position_ids=positions).last_hidden_state
        finally:
            for hook in hooks:
                hook.remove()
        tokens = taken[0]
        if norm:
            tokens = last if clip_skip == 1 else self.text_model.final_layer_norm(tokens)
        first_end = (ids == self.end).int().argmax(dim=1)
        pooled = last[torch.arange(len(ids), device=ids.device), first_end]
        if hasattr(self, "text_projection"):
            pooled = self.text_projection(pooled)
        return Encoded(tokens, pooled)


def build_text_model(
    shapes: Mapping[str, Sequence[int]],
    heads: int | None = None,
    activation: str = "quick_gelu",
    end: int = CLIP_END,
) -> ClipText:
    """An empty text model on the meta device, of the sizes that a file's tensors have.

    `shapes`: by the module's names ("text_model.embeddings.token_embedding.weight"); others are not
    looked at. `heads`: width / 64 if not given. `end`: the id of the end token. With
    "text_projection.weight" among the shapes, the model projects its pooled vector.
    """
    config_of = from_transformers("CLIPTextConfig")
    vocabulary, width = _shape(shapes, _EMBEDDINGS + "token_embedding.weight")
    length, _ = _shape(shapes, _EMBEDDINGS + "position_embedding.weight")
    hidden, _ = _shape(shapes, _LAYERS + "0.mlp.fc1.weight")
    numbers = [name.removeprefix(_LAYERS) for name in shapes if name.startswith(_LAYERS)]
    config = config_of(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=hidden,
        num_hidden_layers=len({number.partition(".")[0] for number in numbers}),
        num_attention_heads=heads or max(1, width // HEAD_WIDTH),
        max_position_embeddings=length,
        hidden_act=activation,
        bos_token_id=None,  # the defaults lie outside a small vocabulary
        pad_token_id=None,
        eos_token_id=end,
    )
    projection = shapes.get(PROJECTION)
    with torch.device("meta"):
        return ClipText(config, projection[0] if projection else None).eval()


def _shape(shapes: Mapping[str, Sequence[int]], name: str) -> tuple[int, int]:
    if name not in shapes or len(shapes[name]) != 2:
        raise ValueError(f"This is no CLIP text model: {name} is missing or not a matrix.")
    rows, columns = shapes[name]
    return rows, columns


class TextEncoder:
    """A text model with its tokenizer: prompts in, conditionings out."""

    def __init__(
        self,
        module: ClipText,
        tokenizer: Tokenizer,
        *,
        pad: int | None = None,
        clip_skip: int = 1,
        norm: bool = True,
    ) -> None:
        """`pad`: the id that fills a chunk, the end token's if not given.

        `clip_skip` and `norm`: see `ClipText.forward`.
        """
        if tokenizer.size > module.vocabulary:
            raise ValueError(
                f"The tokenizer knows {tokenizer.size} tokens and the text model only "
                f"{module.vocabulary}: they do not belong together."
            )
        self.module = module
        self.clip_skip = clip_skip
        self.norm = norm
        self._tokenizer = tokenizer
        filler = tokenizer.end if pad is None else pad
        self._special = Special(tokenizer.start, tokenizer.end, filler)

    @property
    def width(self) -> int:
        """How many numbers a word's vector has."""
        return int(self.module.text_model.config.hidden_size)

    def tokenize(self, prompt: str, vectors: Vectors = NO_VECTORS) -> list[list[Token]]:
        """The prompt's tokens in chunks as long as the model's positions.

        An embedding is as many tokens as it has vectors, with ids behind the vocabulary's; one
        without vectors is left out.
        """
        ids = beside(self.module.vocabulary, vectors).ids
        groups = [
            [
                Token(number, part.weight)
                for number in (
                    ids.get(part.embedding, ())
                    if part.embedding
                    else self._tokenizer.ids(part.text)
                )
            ]
            for part in segments(prompt)
        ]
        return chunked(groups, self.module.length, self._special)

    def chunks(self, prompt: str, vectors: Vectors = NO_VECTORS) -> int:
        """How many chunks the prompt takes."""
        return len(self.tokenize(prompt, vectors))

    def encode(
        self,
        prompt: str,
        check_cancel: Callable[[], None] = nothing,
        chunks: int = 1,
        vectors: Vectors = NO_VECTORS,
    ) -> TextConditioning:
        """The conditioning of a prompt; its chunks stand one after the other along the tokens.

        A token of weight w moves from what the empty prompt has in its place: z = z₀ + w·(z - z₀).
        Empty chunks are added up to `chunks`. `check_cancel` is called before every layer, and
        raises to stop. `vectors`: of the embeddings that the prompt names.
        """
        filled = self.tokenize(prompt, vectors)
        filled += self.tokenize("") * (chunks - len(filled))
        return self._encoded(filled, check_cancel, beside(self.module.vocabulary, vectors).rows)

    def _encoded(
        self, chunks: list[list[Token]], check_cancel: Callable[[], None], extra: Tensor | None
    ) -> TextConditioning:
        weights = torch.tensor([[token.weight for token in chunk] for chunk in chunks])[..., None]
        plain = bool((weights == 1).all())
        rows = chunks if plain else [*chunks, *self.tokenize("")]
        ids = torch.tensor([[token.id for token in row] for row in rows])
        device = next(self.module.parameters()).device
        with torch.no_grad():
            encoded = self.module(
                ids.to(device), self.clip_skip, check_cancel, norm=self.norm, extra=extra
            )
        tokens = encoded.tokens.float().cpu()  # (rows, length, width)
        if not plain:
            empty = tokens[-1:]
            tokens = empty + (tokens[:-1] - empty) * weights
        return TextConditioning(tokens.flatten(0, 1)[None], encoded.pooled[:1].float().cpu())
