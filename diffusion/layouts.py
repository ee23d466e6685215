"""Names that other programs save the same tensors under, as tables of what becomes what."""

import re
from collections.abc import Iterable

from diffusion.origins import Taken
from diffusion.vae_names import Rows, renamed_by

TEXT_MODEL = "text_model."
OPEN_CLIP_LAYERS = "transformer.resblocks."

CLIP_FROM_OPEN_CLIP: Rows = (
    (r"^positional_embedding$", "embeddings.position_embedding.weight"),
    (r"^token_embedding\.", "embeddings.token_embedding."),
    (r"^ln_final\.", "final_layer_norm."),
    (r"^transformer\.resblocks\.", "encoder.layers."),
    (r"\.attn\.in_proj_", ".self_attn.{}_proj."),
    (r"\.attn\.out_proj\.", ".self_attn.out_proj."),
    (r"\.ln_1\.", ".layer_norm1."),
    (r"\.ln_2\.", ".layer_norm2."),
    (r"\.mlp\.c_fc\.", ".mlp.fc1."),
    (r"\.mlp\.c_proj\.", ".mlp.fc2."),
)
"""OpenCLIP's text transformer to the names of transformers, "{}" for each of q, k and v."""

IGNORED_IN_CLIP = re.compile(
    r".*\bposition_ids|(?:.*\.)?logit_scale|(?:.*\.)?text_projection(?:\.weight)?|attn_mask"
    r"|vision_model\..*|visual_projection\.weight|visual\..*"
)
"""What CLIP carries beside the text transformer that conditions a denoiser, its eye among them."""


def clip_names(names: Iterable[str], *, projected: bool = False) -> dict[str, str | Taken]:
    """Our name of every tensor of a CLIP text model, to where it comes from in the file.

    Takes the names of transformers, also without the first "text_model." that old merges lack, and
    those of OpenCLIP. `projected`: with the projection of the pooled vector.
    """
    every = list(names)
    kept = [name for name in every if not IGNORED_IN_CLIP.fullmatch(name)]
    if any(name.startswith(OPEN_CLIP_LAYERS) for name in kept):
        found = _open_clip_names(kept)
        projection = Taken("text_projection", transposed=True)  # there x @ W, here W @ x
    else:
        found = {TEXT_MODEL + name.removeprefix(TEXT_MODEL): name for name in kept}
        projection = Taken(_projection_of(every))
    return {**found, "text_projection.weight": projection} if projected else found


def _projection_of(names: Iterable[str]) -> str:
    plain = "text_projection.weight"
    return next((name for name in names if name.endswith(plain)), plain)


def _open_clip_names(names: Iterable[str]) -> dict[str, str | Taken]:
    found: dict[str, str | Taken] = {}
    for name in names:
        ours = TEXT_MODEL + renamed_by(name, CLIP_FROM_OPEN_CLIP)
        if ".attn.in_proj_" in name:  # query, key and value in one
            for part, letter in enumerate("qkv"):
                found[ours.format(letter)] = Taken(name, part, 3)
        else:
            found[ours] = name
    return found
