"""Try a VAE in the worker, so that the server learns whose latents it speaks."""

import logging
import traceback
from pathlib import Path

from diffusion.checkpoint import CheckpointTrouble
from diffusion.header import FileTrouble
from diffusion.probing import run_trial
from server.worker_questions import AskTrial, Tried

log = logging.getLogger(__name__)


def tried(asked: AskTrial) -> Tried:
    """What the trial gave; whatever goes wrong is told, never raised."""
    try:
        trial = run_trial(Path(asked.path))
    except (FileTrouble, CheckpointTrouble) as error:
        return Tried(id=asked.id, trouble=str(error))
    except Exception as error:  # noqa: BLE001  a trial of anybody's file must not end the process
        traceback.print_exc()
        return Tried(id=asked.id, trouble=f"{type(error).__name__}: {error}")
    if trial is None:
        return Tried(id=asked.id, trouble="It has no half that can be tried.")
    return Tried(id=asked.id, trial=trial.to_json())
