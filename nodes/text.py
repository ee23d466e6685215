"""Nodes that turn words into what a model is steered by."""

from graph.node import node
from graph.widgets import Multiline
from nodes.services import Interrupt, Models
from nodes.sockets import Clip, Conditioning, T


@node(title="CLIP Text Encode", category="conditioning")
def clip_text_encode(
    clip: Clip[T], text: Multiline = "", *, models: Models, interrupt: Interrupt
) -> Conditioning[T]:
    """Encode a prompt. (word:1.2) stresses a word, (word:0.8) plays it down."""
    encoded = models.text_encoder(clip).encode(text, interrupt.check)
    return Conditioning(encoded.tokens, encoded.pooled, clip.text_space)
