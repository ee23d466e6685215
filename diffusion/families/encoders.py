"""How stand-alone text encoder files look.

An encoder is a part, not a text space: CLIP-L serves SD 1.x, SDXL, SD3 and FLUX.1. So the text
spaces of its file are all those that the encoder takes part in.
"""

from diffusion.families.family import Look
from diffusion.families.signature import Either, Has, Lacks, NoneOf, Signature
from diffusion.families.text import PROTOCOLS
from diffusion.spaces import TEXT_SPACES


def _look(encoder: str, title: str, signature: Signature, layout: str = "original") -> Look:
    serves = tuple(
        space.id
        for space in TEXT_SPACES.values()
        if encoder in space.required or encoder in space.optional
    )
    runnable = encoder in {
        part.encoder for protocol in PROTOCOLS.values() for part in protocol.parts
    }
    return Look(
        "text_encoder", encoder, title, signature, layout, None, (), serves, (encoder,), runnable
    )


def _clip(width: int) -> Signature:
    """A CLIP text model under transformers' names, which in its version 5 lack the first part."""
    words, layer = "embeddings.token_embedding.weight", Has("encoder.layers.0.mlp.fc1.weight")
    return (
        Either((Has(f"text_model.{words}", (49408, width)), Has(words, (49408, width)))),
        Either((Has(f"text_model.{layer.key}"), layer)),
    )


def _open_clip(width: int) -> Signature:
    return (
        Has("token_embedding.weight", (49408, width)),
        Has("transformer.resblocks.0.ln_1.weight"),
    )


def _t5(words: int, width: int) -> Signature:
    return (
        Has("shared.weight", (words, width)),
        Has("encoder.block.0.layer.1.DenseReluDense.wi_1.weight"),
    )


_NORM = "model.layers.0.post_attention_layernorm.weight"
_QK_NORM = "model.layers.0.self_attn.q_norm.weight"
_BIAS = "model.layers.0.self_attn.k_proj.bias"
_WORDS = "model.embed_tokens.weight"

_AROUND = "model.layers.0.post_feedforward_layernorm.weight"
"""A fourth normalisation, which Gemma has: Gemma 3 4B is as wide as Qwen3 4B."""


def _qwen3(width: int) -> Signature:
    """Qwen 3, but for those that also read pictures: these have other weights and positions."""
    return (
        Has(_QK_NORM),
        Has(_NORM, (width,)),
        Lacks(_AROUND),
        Lacks("visual.patch_embed.proj.weight"),
    )


_MISTRAL_NAMES = {
    "original": "model.",
    "transformers": "language_model.model.",
    "transformers 5": "model.language_model.",
}
"""What the names of Mistral's tensors begin with: alone, and beside an encoder of pictures."""


def _mistral_small(start: str) -> Signature:
    layer = start + "layers.0."
    rows = layer + "mlp.gate_proj.weight"
    # Mistral Nemo and Llama 2 13B are as wide.
    kin = NoneOf(((Has(rows, (14336, None)),), (Has(rows, (13824, None)),)))
    return (
        Lacks(layer + "self_attn.q_norm.weight"),
        Lacks(layer + "self_attn.k_proj.bias"),
        Has(layer + "post_attention_layernorm.weight", (5120,)),
        kin,
    )


ENCODERS: tuple[Look, ...] = (
    _look("clip_l", "CLIP-L", _clip(768), "transformers"),
    _look("clip_h", "OpenCLIP-H", _clip(1024), "transformers"),
    _look("clip_g", "OpenCLIP-G", _clip(1280), "transformers"),
    _look("clip_l", "CLIP-L", _open_clip(768)),
    _look("clip_h", "OpenCLIP-H", _open_clip(1024)),
    _look("clip_g", "OpenCLIP-G", _open_clip(1280)),
    _look("t5xxl", "T5-XXL", _t5(32128, 4096)),
    # As llama.cpp names its tensors in GGUF files.
    _look(
        "t5xxl",
        "T5-XXL",
        (Has("token_embd.weight", (32128, 4096)), Has("enc.blk.0.attn_q.weight")),
        "gguf",
    ),
    _look("umt5xxl", "UMT5-XXL", _t5(256384, 4096)),
    _look("pile_t5xl", "Pile-T5-XL", _t5(32128, 2048)),
    _look(
        "gemma2_2b",
        "Gemma 2 2B",
        (
            Has("model.layers.0.post_feedforward_layernorm.weight", (2304,)),
            Lacks(_QK_NORM),
        ),
    ),
    _look("qwen25_7b", "Qwen2.5-VL 7B", (Has(_BIAS, (512,)), Has(_NORM, (3584,)))),
    _look("qwen25_3b", "Qwen2.5-VL 3B", (Has(_BIAS, (256,)), Has(_NORM, (2048,)))),
    _look("llama31_8b", "Llama 3.1 8B", (Has(_NORM, (4096,)), Has(_WORDS, (128256, 4096)))),
    _look("llava_llama3", "LLaVA Llama 3 8B", (Has(_NORM, (4096,)), Has(_WORDS, (128320, 4096)))),
    _look(
        "chatglm3_6b",
        "ChatGLM3 6B",
        (
            Has("transformer.embedding.word_embeddings.weight", (65024, 4096)),
            Has("transformer.encoder.layers.0.self_attention.query_key_value.weight"),
        ),
    ),
    _look("qwen3_4b", "Qwen3 4B", _qwen3(2560)),
    _look("qwen3_8b", "Qwen3 8B", _qwen3(4096)),
    *(
        _look("mistral_small", "Mistral Small", _mistral_small(start), layout)
        for layout, start in _MISTRAL_NAMES.items()
    ),
)
