"""The UNet of SD 1.x, SD 2.x and SDXL: predicts the noise in a latent from its time and text."""

from torch import Size, Tensor, cat, nn
from torch.nn import functional

from diffusion.layers import Attention, FeedForward, timestep_embedding
from diffusion.operators import Linear, doubled_conv
from diffusion.unet_config import UNetConfig

__all__ = ["UNet", "UNetConfig"]


class UNet(nn.Module):
    """Predicts noise (batch, channels, height, width) for noisy latents in model space."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        self.time_embed, self.label_emb = told_of(config)
        self.input_blocks, skips = way_down(config)
        self.middle_block = middle_of(config)
        width = skips[-1]
        self.output_blocks = nn.ModuleList()
        for level, out in reversed(list(enumerate(config.channels))):
            for index in range(config.residual_blocks + 1):
                depth = config.depths[level]
                if config.up_depths is not None:
                    depth = config.up_depths[len(self.output_blocks)]
                parts = _block(config, width + skips.pop(), out, depth)
                if level > 0 and index == config.residual_blocks:
                    parts.append(Upsample(out))
                self.output_blocks.append(Stage(*parts))
                width = out
        self.out = nn.Sequential(
            _norm(config, width), nn.SiLU(), nn.Conv2d(width, config.out_channels, 3, padding=1)
        )

    def forward(
        self,
        x: Tensor,
        timesteps: Tensor,
        context: Tensor,
        vector: Tensor | None = None,
        concat: Tensor | None = None,
        **control: Tensor,
    ) -> Tensor:
        """The predicted noise (batch, out_channels, height, width).

        x: latents in model space divided by √(1+σ²), (batch, channels, height, width); timesteps:
        0…999, (batch,); context: the encoded text (batch, tokens, context_width); vector: pooled
        text and sizes (batch, vector_width), where the config has any; concat: what an inpainting
        or editing model sees beside the latent, (batch, in_channels - channels, height, width);
        control: what `control_name` names, added to the output of each input block and the middle.
        """
        time = embedded(self.config, self.time_embed, self.label_emb, timesteps, vector)
        if concat is not None:
            x = cat([x, concat], dim=1)
        skips: list[Tensor] = []
        for stage in self.input_blocks:
            x = stage(x, time, context)
            skips.append(x)
        x = self.middle_block(x, time, context)
        if control:
            x = x + control[control_name(len(skips))]
            skips = [skip + control[control_name(n)] for n, skip in enumerate(skips)]
        for stage in self.output_blocks:
            x = cat([x, skips.pop()], dim=1)
            # doubling half of an odd size would miss the next skip by one pixel
            size = skips[-1].shape[2:] if skips else None
            x = stage(x, time, context, size)
        predicted: Tensor = self.out(x)
        return predicted


def control_name(number: int) -> str:
    """The argument of `UNet.forward` that is added to an input block, or last to the middle."""
    return f"control_{number}"


def told_of(config: UNetConfig) -> tuple[nn.Sequential, nn.Sequential | None]:
    """What embeds the time, and what embeds the vector where the config has any."""
    time, stem = config.time_width, config.stem_channels
    times = nn.Sequential(Linear(stem, time), nn.SiLU(), Linear(time, time))
    if config.vector_width is None:
        return times, None
    # one Sequential too many, kept so that names match the checkpoint
    vectors = nn.Sequential(
        nn.Sequential(Linear(config.vector_width, time), nn.SiLU(), Linear(time, time))
    )
    return times, vectors


def embedded(
    config: UNetConfig,
    times: nn.Sequential,
    vectors: nn.Sequential | None,
    timesteps: Tensor,
    vector: Tensor | None,
) -> Tensor:
    """Time and vector, embedded: (batch, time_width)."""
    embedding = timestep_embedding(timesteps, config.stem_channels)
    time: Tensor = times(embedding.to(next(times.parameters()).dtype))
    if vectors is None:
        return time
    if vector is None:
        raise ValueError("This UNet needs a vector of pooled text and sizes.")
    both: Tensor = time + vectors(vector)
    return both


def way_down(config: UNetConfig) -> tuple[nn.ModuleList, list[int]]:
    """The input blocks, and how many channels each gives."""
    stem = config.stem_channels
    blocks = nn.ModuleList([Stage(nn.Conv2d(config.in_channels, stem, 3, padding=1))])
    widths = [stem]
    for level, out in enumerate(config.channels):
        if level > 0:
            blocks.append(Stage(Downsample(widths[-1])))
            widths.append(widths[-1])
        for _ in range(config.residual_blocks):
            blocks.append(Stage(*_block(config, widths[-1], out, config.depths[level])))
            widths.append(out)
    return blocks, widths


def middle_of(config: UNetConfig) -> "Stage":
    """The blocks at the lowest resolution."""
    width, middle = config.channels[-1], Stage()
    for index in range(config.middle_blocks):
        middle.extend(_block(config, width, width, config.middle_depth if index == 0 else 0))
    return middle


class Stage(nn.ModuleList):
    """Parts that run one after the other, each given what it needs of time and text."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__(parts)

    def forward(self, x: Tensor, time: Tensor, context: Tensor, size: Size | None = None) -> Tensor:
        for part in self:
            if isinstance(part, ResidualBlock):
                x = part(x, time)
            elif isinstance(part, SpatialTransformer):
                x = part(x, context)
            elif isinstance(part, Upsample):
                x = part(x, size)
            else:
                x = part(x)
        return x


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut, with the time added between them."""

    def __init__(self, config: UNetConfig, width: int, out: int) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(
            _norm(config, width), nn.SiLU(), nn.Conv2d(width, out, 3, padding=1)
        )
        self.emb_layers = nn.Sequential(nn.SiLU(), Linear(config.time_width, out))
        self.out_layers = nn.Sequential(
            _norm(config, out),
            nn.SiLU(),
            nn.Identity(),  # training's dropout; kept so that indices match the checkpoint
            nn.Conv2d(out, out, 3, padding=1),
        )
        self.skip_connection = nn.Identity() if width == out else nn.Conv2d(width, out, 1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.in_layers(x) + self.emb_layers(time)[:, :, None, None]
        out: Tensor = self.skip_connection(x) + self.out_layers(h)
        return out


class SpatialTransformer(nn.Module):
    """Transformer blocks over the pixels of a feature map, which read the text."""

    def __init__(self, config: UNetConfig, width: int, depth: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(config.norm_groups, width, eps=1e-6)
        self.linear = config.linear_projections
        self.proj_in = Linear(width, width) if self.linear else nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList(
            TransformerBlock(width, config.context_width, config.heads_of(width))
            for _ in range(depth)
        )
        self.proj_out = Linear(width, width) if self.linear else nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        h = self.norm(x)
        if self.linear:
            h = self.proj_in(h.flatten(2).transpose(1, 2))  # (batch, pixels, width)
        else:
            h = self.proj_in(h).flatten(2).transpose(1, 2)
        for block in self.transformer_blocks:
            h = block(h, context)
        if self.linear:
            h = self.proj_out(h).transpose(1, 2).reshape(x.shape)
        else:
            h = self.proj_out(h.transpose(1, 2).reshape(x.shape))
        out: Tensor = x + h
        return out


class TransformerBlock(nn.Module):
    """Self-attention, attention to the text, and a gated feed-forward part, each residual."""

    def __init__(self, width: int, context_width: int, heads: int) -> None:
        super().__init__()
        self.attn1 = Attention(width, width, heads)
        self.attn2 = Attention(width, context_width, heads)
        self.ff = FeedForward(width, 4 * width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        h = self.norm1(x)
        x = x + self.attn1(h, h)
        x = x + self.attn2(self.norm2(x), context)
        out: Tensor = x + self.ff(self.norm3(x))
        return out


class Downsample(nn.Module):
    """Half the resolution by a 3x3 convolution of stride 2."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.op(x)
        return out


class Upsample(nn.Module):
    """Twice the resolution (or `size`) by repetition, smoothed by a 3x3 convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, size: Size | None) -> Tensor:
        if size is None or size == (2 * x.shape[2], 2 * x.shape[3]):
            return doubled_conv(x, self.conv)
        out: Tensor = self.conv(functional.interpolate(x, size, mode="nearest"))
        return out


def _block(config: UNetConfig, width: int, out: int, depth: int) -> list[nn.Module]:
    """A residual block and, where the level has any depth, its transformer."""
    parts: list[nn.Module] = [ResidualBlock(config, width, out)]
    if depth:
        parts.append(SpatialTransformer(config, out, depth))
    return parts


def _norm(config: UNetConfig, width: int) -> nn.GroupNorm:
    return nn.GroupNorm(config.norm_groups, width, eps=1e-5)
