"""Encode prompts with the encoder of T5 v1.1 (Raffel et al. 2020), token by token, with weights."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from diffusion.embeddings import NO_VECTORS, Vectors, beside, standing_in
from diffusion.guidance import nothing
from diffusion.importing import from_transformers
from diffusion.layers import Shapes, count, shape_of
from diffusion.prompt import Token, segments
from diffusion.t5_tokenizer import T5Tokenizer
from diffusion.text import TextConditioning

_BLOCK = "encoder.block.{}.layer."
_QUERY = _BLOCK + "0.SelfAttention.q.weight"
_BIAS = _BLOCK + "0.SelfAttention.relative_attention_bias.weight"
_GATED = _BLOCK + "1.DenseReluDense.wi_1.weight"
_EMBEDDED = "encoder.embed_tokens.weight"
SHARED = "shared.weight"

FARTHEST = 128
"""From this distance on, in tokens, T5 tells positions no more apart."""


class T5Text(nn.Module):
    """T5's encoder, its tensors named as in published files."""

    def __init__(self, config: Any) -> None:
        """`config`: a `transformers.T5Config`."""
        encoder = from_transformers("T5EncoderModel")
        super().__init__()
        model = encoder(config)
        self.shared = model.shared
        self.encoder = model.encoder
        # A second name of `shared`: published encoders do not save it twice.
        del self.encoder.embed_tokens
        self.vocabulary: int = config.vocab_size

    def forward(
        self,
        ids: Tensor,
        check_cancel: Callable[[], None] = nothing,
        extra: Tensor | None = None,
    ) -> Tensor:
        """The last layer, normalised, (rows, length, width), of token ids (rows, length).

        `extra`: (count, width), the vectors of the ids that follow those of the vocabulary. Padding
        is not masked out: the models that read this were trained so. `check_cancel` is called
        before every layer.
        """
        blocks = self.encoder.block
        hooks = [block.register_forward_pre_hook(lambda *_: check_cancel()) for block in blocks]
        try:
            with standing_in(self.shared, self.vocabulary, extra):
                vectors = self.shared(ids)
            encoded = self.encoder(inputs_embeds=vectors)
        finally:
            for hook in hooks:
                hook.remove()
        last: Tensor = encoded.last_hidden_state
        return last


def t5_names(names: Iterable[str]) -> dict[str, str]:
    """The name in `T5Text` of every tensor of a T5 encoder, to its name in the file.

    A whole T5's decoder is left out, as is the second copy of the words' vectors.
    """
    there = set(names)
    found = {name: name for name in there if name.startswith("encoder.") and name != _EMBEDDED}
    if SHARED in there or _EMBEDDED in there:
        found[SHARED] = SHARED if SHARED in there else _EMBEDDED
    return found


def build_t5(shapes: Shapes) -> T5Text:
    """An empty T5 encoder on the meta device, of the sizes that a file's tensors have.

    `shapes`: by the names in `T5Text`; others are not looked at. Raises `MissingTensor`, and
    ValueError for relatives of T5 v1.1 that this is not.
    """
    config_of = from_transformers("T5Config")
    vocabulary, width = shape_of(shapes, SHARED)
    inner, _ = shape_of(shapes, _QUERY.format(0))
    buckets, heads = shape_of(shapes, _BIAS.format(0))
    if _BIAS.format(1) in shapes:
        raise ValueError("This is a UMT5 text encoder, which this version cannot run yet.")
    hidden, _ = shape_of(shapes, _GATED.format(0))
    config = config_of(
        vocab_size=vocabulary,
        d_model=width,
        d_kv=inner // heads,
        d_ff=hidden,
        num_layers=count(shapes, _QUERY),
        num_heads=heads,
        relative_attention_num_buckets=buckets,
        relative_attention_max_distance=FARTHEST,
        layer_norm_epsilon=1e-6,
        feed_forward_proj="gated-gelu",  # its tanh form
        use_cache=False,
        is_encoder_decoder=False,
    )
    with torch.device("meta"):
        return T5Text(config).eval()


class T5Encoder:
    """A T5 encoder with its tokenizer: prompts in, a vector per token out."""

    def __init__(self, module: T5Text, tokenizer: T5Tokenizer, *, least: int = 77) -> None:
        """`least`: prompts of fewer tokens, end included, are padded to so many; none is cut."""
        if tokenizer.size > module.vocabulary:
            raise ValueError(
                f"The tokenizer knows {tokenizer.size} tokens and the T5 text model only "
                f"{module.vocabulary}: they do not belong together."
            )
        self.module = module
        self.least = least
        self._tokenizer = tokenizer

    @property
    def width(self) -> int:
        """How many numbers a word's vector has."""
        return int(self.module.encoder.config.d_model)

    def tokenize(self, prompt: str, vectors: Vectors = NO_VECTORS) -> list[Token]:
        """The prompt's tokens, the end token, and padding. The last two count 1.

        An embedding is as many tokens as it has vectors, with ids behind the vocabulary's; one
        without vectors is left out.
        """
        ids = beside(self.module.vocabulary, vectors).ids
        tokens = [
            Token(number, part.weight)
            for part in segments(prompt)
            for number in (
                ids.get(part.embedding, ()) if part.embedding else self._tokenizer.ids(part.text)
            )
        ]
        return self._padded([*tokens, Token(self._tokenizer.end)], self.least)

    def chunks(self, prompt: str, vectors: Vectors = NO_VECTORS) -> int:
        """Always 1: T5 takes a prompt of any length at once."""
        return 1

    def encode(
        self,
        prompt: str,
        check_cancel: Callable[[], None] = nothing,
        chunks: int = 1,
        vectors: Vectors = NO_VECTORS,
    ) -> TextConditioning:
        """The conditioning of a prompt, without a pooled vector. `chunks` is not looked at.

        A token of weight w moves from what the empty prompt, padded to the same length, has in its
        place: z = z₀ + w·(z - z₀). `check_cancel` is called before every layer, and raises to stop.
        `vectors`: of the embeddings that the prompt names.
        """
        tokens = self.tokenize(prompt, vectors)
        weights = torch.tensor([token.weight for token in tokens])[None, :, None]
        plain = bool((weights == 1).all())
        empty = self._padded([Token(self._tokenizer.end)], len(tokens))
        ids = _ids([tokens] if plain else [tokens, empty])
        device = next(self.module.parameters()).device
        extra = beside(self.module.vocabulary, vectors).rows
        with torch.no_grad():
            encoded: Tensor = self.module(ids.to(device), check_cancel, extra).float().cpu()
        if not plain:
            told, untold = encoded[:1], encoded[1:]
            encoded = untold + (told - untold) * weights
        return TextConditioning(encoded, None)

    def _padded(self, tokens: list[Token], length: int) -> list[Token]:
        return tokens + [Token(self._tokenizer.pad)] * (length - len(tokens))


def _ids(rows: Sequence[Sequence[Token]]) -> Tensor:
    return torch.tensor([[token.id for token in row] for row in rows])
