"""The MMDiT of Stable Diffusion 3 and 3.5: picture and text patches in one attention.

Esser et al. 2024, section 4 and figure 2; queries and keys are normalised from 3.5 on, and the
medium 3.5 attends a second time within the picture in its first blocks.
"""

from dataclasses import dataclass
from math import isqrt
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from diffusion.flux_layers import EPSILON, FinalLayer, modulated
from diffusion.layers import Shapes, attend, count, shape_of, timestep_embedding
from diffusion.operators import Linear

HEAD_WIDTH = 64
"""The width of a head in every MMDiT that was published."""


@dataclass(frozen=True)
class MmditConfig:
    """Every size of an MMDiT; widths are numbers of features."""

    in_channels: int
    out_channels: int
    patch: int  # latent elements along an edge of a token
    side: int  # tokens along an edge of the table of positions
    width: int
    depth: int
    heads: int
    inner_width: int  # of the feed-forward parts
    time_width: int
    vector_width: int
    context_width: int
    normed_heads: bool  # whether queries and keys are normalised
    dual_blocks: tuple[int, ...]  # where the picture also attends to itself alone

    @classmethod
    def from_shapes(cls, shapes: Shapes, *, heads: int | None = None) -> Self:
        """The sizes of the file whose tensors (without prefix) have these shapes.

        `heads`: if not given, what the normalisation of heads shows, else width / 64. Raises
        `MissingTensor`, and ValueError where the table of positions is no square.
        """
        width, channels, patch, _ = shape_of(shapes, "x_embedder.proj.weight")
        places = shape_of(shapes, "pos_embed")[1]
        if isqrt(places) ** 2 != places:
            raise ValueError(f"The table of {places} positions (pos_embed) is not a square.")
        first = "joint_blocks.0.x_block."
        shape_of(shapes, first + "attn.qkv.weight")  # says what is missing
        depth = count(shapes, "joint_blocks.{}.x_block.attn.qkv.weight")
        second = "joint_blocks.{}.x_block.attn2.qkv.weight"
        norm = shapes.get(first + "attn.ln_q.weight")
        return cls(
            in_channels=channels,
            out_channels=shape_of(shapes, "final_layer.linear.weight")[0] // patch**2,
            patch=patch,
            side=isqrt(places),
            width=width,
            depth=depth,
            heads=heads or max(1, width // (norm[0] if norm else HEAD_WIDTH)),
            inner_width=shape_of(shapes, first + "mlp.fc1.weight")[0],
            time_width=shape_of(shapes, "t_embedder.mlp.0.weight")[1],
            vector_width=shape_of(shapes, "y_embedder.mlp.0.weight")[1],
            context_width=shape_of(shapes, "context_embedder.weight")[1],
            normed_heads=norm is not None,
            dual_blocks=tuple(index for index in range(depth) if second.format(index) in shapes),
        )


class Mmdit(nn.Module):
    """Predicts the velocity noise - picture, in the shape of the noisy latents."""

    def __init__(self, config: MmditConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.register_buffer("pos_embed", torch.zeros(1, config.side**2, width))
        self.pos_embed: Tensor
        self.x_embedder = Patches(config.in_channels, width, config.patch)
        self.t_embedder = Embedder(config.time_width, width)
        self.y_embedder = Embedder(config.vector_width, width)
        self.context_embedder = Linear(config.context_width, width)
        self.joint_blocks = nn.ModuleList(JointBlock(config, i) for i in range(config.depth))
        self.final_layer = FinalLayer(width, config.patch**2 * config.out_channels)

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor, vector: Tensor) -> Tensor:
        """The velocity at latents `x`, (batch, channels, height, width).

        `timesteps`: float32 (batch,), 0…1000. `context`: (batch, tokens, context width). `vector`:
        (batch, vector width), the prompt in one vector. Raises ValueError where the picture is
        larger than the table of positions.
        """
        height, width = x.shape[-2:]
        patch = self.config.patch
        extra = (0, -width % patch, 0, -height % patch)
        if any(extra):  # no whole number of patches: continued from the other edge
            x = functional.pad(x, extra, mode="circular")
        rows, columns = x.shape[-2] // patch, x.shape[-1] // patch
        tokens = self.x_embedder(x) + self._positions(rows, columns).to(x)  # (batch, n, width)
        time = timestep_embedding(timesteps, self.config.time_width)
        given = self.t_embedder(time.to(x)) + self.y_embedder(vector)  # (batch, width)
        text = self.context_embedder(context)
        for block in self.joint_blocks:
            text, tokens = block(text, tokens, given)
        out: Tensor = self.final_layer(tokens, given)  # (batch, n, patch * patch * channels)
        out = out.view(len(x), rows, columns, patch, patch, -1)
        out = out.permute(0, 5, 1, 3, 2, 4)  # (batch, channels, rows, patch, columns, patch)
        return out.flatten(4).flatten(2, 3)[..., :height, :width]

    def _positions(self, rows: int, columns: int) -> Tensor:
        """The middle of the table of positions, (1, rows * columns, width)."""
        side, patch = self.config.side, self.config.patch
        if max(rows, columns) > side:
            raise ValueError(
                f"A latent of {columns * patch} x {rows * patch} is larger than this model has "
                f"positions for: make it at most {side * patch} along an edge."
            )
        top, left = (side - rows) // 2, (side - columns) // 2
        table = self.pos_embed.view(1, side, side, -1)
        return table[:, top : top + rows, left : left + columns].flatten(1, 2)


class Patches(nn.Module):
    """Cut a picture into patches and map each to a token: (batch, channels, height, width)."""

    def __init__(self, channels: int, width: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, x: Tensor) -> Tensor:
        tokens: Tensor = self.proj(x)
        return tokens.flatten(2).transpose(1, 2)  # (batch, tokens, width)


class Embedder(nn.Module):
    """Two linear maps that bring a vector to the width of the network."""

    def __init__(self, entry: int, width: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(Linear(entry, width), nn.SiLU(), Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.mlp(x)
        return out


class JointBlock(nn.Module):
    """A transformer block with weights of its own for text and for picture, and one attention."""

    def __init__(self, config: MmditConfig, index: int) -> None:
        super().__init__()
        self.heads = config.heads
        # The last block's text is read by the picture and not needed any more.
        self.last = index == config.depth - 1
        self.context_block = Stream(config, ends=self.last)
        self.x_block = Stream(config, dual=index in config.dual_blocks)

    def forward(self, text: Tensor, picture: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
        of_text = self.context_block.modulation(given)
        of_picture = self.x_block.modulation(given)
        query, key, value = (
            torch.cat(pair, dim=1)
            for pair in zip(
                self.context_block.attn(modulated(text, *of_text[:2])),
                self.x_block.attn(modulated(picture, *of_picture[:2])),
                strict=True,
            )
        )
        mixed = attend(query, key, value, self.heads)
        from_text, from_picture = mixed[:, : text.shape[1]], mixed[:, text.shape[1] :]
        if not self.last:
            text = self.context_block.leave(text, from_text, of_text)
        return text, self.x_block.leave(picture, from_picture, of_picture)


class Stream(nn.Module):
    """What a joint block does to the text alone, or to the picture alone.

    `ends`: nothing comes after the attention. `dual`: there is a second attention, within itself.
    """

    def __init__(self, config: MmditConfig, *, ends: bool = False, dual: bool = False) -> None:
        super().__init__()
        width = config.width
        parts = 2 if ends else 9 if dual else 6
        self.parts = parts
        self.heads = config.heads
        # The linear map stands at index 1, as in the checkpoint's names.
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), Linear(width, parts * width))
        self.attn = Projections(config, ends=ends)
        self.attn2 = Projections(config) if dual else None
        self.mlp = None if ends else FeedForward(width, config.inner_width)

    def modulation(self, given: Tensor) -> tuple[Tensor, ...]:
        """Shift, scale and gate of the attention, the feed-forward part and the second attention.

        Each is (batch, 1, width), and as many are there as the block has uses for.
        """
        parts: Tensor = self.adaLN_modulation(given)
        return parts[:, None].chunk(self.parts, dim=-1)

    def leave(self, x: Tensor, mixed: Tensor, given: tuple[Tensor, ...]) -> Tensor:
        """`x` after what the attention has `mixed` for it, and after the feed-forward part."""
        gained = torch.addcmul(x, given[2], self.attn.proj(mixed))
        if self.attn2 is not None:
            # both attentions read the same x
            query, key, value = self.attn2(modulated(x, *given[6:8]))
            alone = attend(query, key, value, self.heads)
            gained = torch.addcmul(gained, given[8], self.attn2.proj(alone))
        assert self.mlp is not None
        return torch.addcmul(gained, given[5], self.mlp(modulated(gained, *given[3:5])))


class Projected(NamedTuple):
    """Queries, keys and values, (batch, tokens, width) each."""

    query: Tensor
    key: Tensor
    value: Tensor


class Projections(nn.Module):
    """The linear maps before and after an attention."""

    def __init__(self, config: MmditConfig, *, ends: bool = False) -> None:
        super().__init__()
        width, heads = config.width, config.heads
        self.heads = heads
        self.qkv = Linear(width, 3 * width)
        if not ends:
            self.proj = Linear(width, width)
        self.ln_q: nn.Module | None = None
        self.ln_k: nn.Module | None = None
        if config.normed_heads:
            self.ln_q = nn.RMSNorm(width // heads, eps=EPSILON)
            self.ln_k = nn.RMSNorm(width // heads, eps=EPSILON)

    def forward(self, x: Tensor) -> Projected:
        query, key, value = self.qkv(x).chunk(3, dim=-1)
        return Projected(self._normed(query, self.ln_q), self._normed(key, self.ln_k), value)

    def _normed(self, x: Tensor, norm: nn.Module | None) -> Tensor:
        if norm is None:
            return x
        heads: Tensor = norm(x.view(*x.shape[:2], self.heads, -1))
        return heads.flatten(2)


class FeedForward(nn.Module):
    """Two linear maps with a GELU (its tanh form, as trained) between them."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.fc1 = Linear(width, inner)
        self.fc2 = Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(functional.gelu(self.fc1(x), approximate="tanh"))
        return out
