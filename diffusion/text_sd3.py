"""Join what the text encoders of Stable Diffusion 3 give, any of which may be absent."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import pad

from diffusion.text import TextConditioning

CLIP_L_WIDTH, CLIP_G_WIDTH = 768, 1280
WIDTH = 4096
"""The width of T5-XXL's tokens, to which CLIP's are filled up."""

LENGTH = 77
"""Tokens that stand for an encoder that is absent."""


def sd3_joined(results: Mapping[str, TextConditioning]) -> TextConditioning:
    """CLIP-L's and CLIP-G's tokens side by side, then T5's behind them (Esser et al. 2024, B.3).

    `results` by "clip_l", "clip_g" and "t5xxl". `tokens` are (1, CLIP's + T5's tokens, 4096), and
    `pooled` are both CLIPs' vectors, (1, 2048). Zeros stand for an encoder that is absent, as in
    training, where each was left out now and then, and as in diffusers; ComfyUI leaves the tokens
    of an absent T5 out, and its pictures without T5 are other ones.
    """
    clip_l, clip_g, t5 = (results.get(name) for name in ("clip_l", "clip_g", "t5xxl"))
    lengths = [clip.tokens.shape[1] for clip in (clip_l, clip_g) if clip is not None]
    length = min(lengths, default=LENGTH)
    sides = [
        _tokens(clip, length, width)
        for clip, width in ((clip_l, CLIP_L_WIDTH), (clip_g, CLIP_G_WIDTH))
    ]
    beside = pad(torch.cat(sides, dim=2), (0, WIDTH - CLIP_L_WIDTH - CLIP_G_WIDTH))
    behind = torch.zeros(1, LENGTH, WIDTH) if t5 is None else t5.tokens
    vectors = [_vector(clip_l, CLIP_L_WIDTH), _vector(clip_g, CLIP_G_WIDTH)]
    return TextConditioning(torch.cat([beside, behind], dim=1), torch.cat(vectors, dim=1))


def _tokens(found: TextConditioning | None, length: int, width: int) -> Tensor:
    return torch.zeros(1, length, width) if found is None else found.tokens[:, :length]


def _vector(found: TextConditioning | None, width: int) -> Tensor:
    if found is None or found.pooled is None:
        return torch.zeros(1, width)
    return found.pooled
