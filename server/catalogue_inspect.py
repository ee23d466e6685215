"""Say what one file is, wherever it lies: `main.py inspect`."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from diffusion.header import FileTrouble as FileTrouble
from diffusion.identity.flaws import flaws_of, lacks_of
from diffusion.identity.layers import LAYERS, RULES, contradiction
from diffusion.identity.rules import recognise
from server.catalogue import Catalogue
from server.catalogue_evidence import VAES
from server.catalogue_identity import Identities, Surveyed
from server.catalogue_known import readable_header
from server.catalogue_survey import Survey
from server.model_folders import Stamp


def inspect_file(path: Path | str) -> dict[str, Any]:
    """What the file is, as one JSON object. Raises `FileTrouble`.

    `latent_space` is an id, a list of candidates where the header cannot tell, or None. `lacks` are
    the halves that its VAE comes without, `flaws` why it cannot be run, and `nearest` what an
    unknown file or denoiser comes closest to.
    """
    header = readable_header(Path(path))
    found = recognise(header)
    latent = list(found.latent_spaces)
    return {
        "kind": found.kind,
        "family": found.family,
        "variant": found.variant,
        "latent_space": latent if len(latent) > 1 else (latent[0] if latent else None),
        "text_spaces": list(found.text_spaces),
        "parts": list(found.parts),
        "evidence": list(dict.fromkeys(found.evidence)),  # two parts may have the same reason
        "lacks": list(lacks_of(header, found)),
        "flaws": [asdict(flaw) for flaw in flaws_of(header, found)],
        "nearest": [item._asdict() for item in found.nearest],
    }


def inspected_layers(
    files: Catalogue,
    identities: Identities,
    cache: Path,
    path: Path,
    run_trial: Callable[[Path], Mapping[str, Any] | None],
) -> dict[str, Any] | None:
    """What every kind of evidence says of whose latents the file speaks; None where it is no VAE.

    The fields take the place of those of `inspect_file`. `run_trial` tries a VAE of which nothing
    else is certain; what is found out is kept in `cache`. Raises `OSError`.
    """
    stamp = Stamp.of(path.resolve())
    files.refresh()
    spaces = files.latent_spaces()
    survey = Survey(identities, cache)
    known = files.known()

    def look() -> Surveyed | None:
        # Checkpoints are witnesses and quickly read; other VAEs would have to be read as a whole.
        survey.look(
            [*known, stamp],
            spaces,
            reading=lambda new: new == stamp or known[new].kind not in VAES,
        )
        return identities.surveyed(stamp)

    found = look()
    if found is not None and any(item.content == found.content for item in survey.wanted(spaces)):
        survey.tried(found.content, run_trial(path))
        found = look()
    if found is None:
        return None
    verdict = identities.judged(found)
    latent = list(verdict.spaces)
    titles = {id_: space.title for id_, space in spaces.items()}
    return {
        "latent_space": latent if len(latent) > 1 else (latent[0] if latent else None),
        "certainty": verdict.certainty,
        "rule": verdict.rule,
        "layers": [asdict(item) for item in verdict.findings],
        "contradiction": contradiction(verdict.against, titles) or None,
    }


def inspection_text(path: Path | str, found: Mapping[str, Any]) -> str:
    """What `inspect_file` found, for people: one line a fact."""
    latent = found["latent_space"]
    rows = {
        "kind": found["kind"].replace("_", " "),
        "family": found["family"],
        "variant": found["variant"],
        "latent space": " or ".join(latent) if isinstance(latent, list) else latent,
        "text space": " or ".join(found["text_spaces"]),
        "parts": ", ".join(found["parts"]),
        "lacks": ", ".join(found["lacks"]),
    }
    lines = [f"{name + ':':14}{value}" for name, value in rows.items() if value]
    because = [f"  - {line}" for line in found["evidence"]]
    flaws = [f"  - {_of_parts(flaw)}{flaw['message']}" for flaw in found["flaws"]]
    told = ["cannot be run", *flaws] if flaws else []
    return "\n".join([str(path), *lines, "because", *because, *told, *_layer_lines(found)])


def _of_parts(flaw: Mapping[str, Any]) -> str:
    """Which parts a flaw is about, where it is not the whole file."""
    return f"{', '.join(flaw['parts'])}: " if flaw["parts"] else ""


def _layer_lines(found: Mapping[str, Any]) -> list[str]:
    """One line for each kind of evidence that was asked, and what contradicts the answer."""
    if not found.get("layers"):
        return []
    said = {item["layer"]: item for item in found["layers"]}
    lines = [f"whose latents ({found['certainty']}, decided by: {RULES[found['rule']]})"]
    for layer in LAYERS:
        item = said.get(layer)
        if item is None:
            lines.append(f"  - {layer}: nothing")
            continue
        sure = f", {item['certainty']}" if len(item["spaces"]) == 1 else ""
        spaces = " or ".join(item["spaces"]) or "cannot tell"
        mark = " <- decides" if layer == found["rule"] else ""
        lines.append(f"  - {layer}: {spaces}{sure} ({item['reason']}){mark}")
    return [*lines, *([found["contradiction"]] if found["contradiction"] else [])]
