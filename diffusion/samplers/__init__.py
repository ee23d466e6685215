"""The samplers: each is a generator over steps, offered under its name in `SAMPLERS`."""

from diffusion.samplers import dpmpp, er_sde, euler, heun, lcm, lms, multistep, res, seeds, unipc
from diffusion.samplers.registry import SAMPLERS, Sampler, Step, sampler

__all__ = [
    "SAMPLERS",
    "Sampler",
    "Step",
    "dpmpp",
    "er_sde",
    "euler",
    "heun",
    "lcm",
    "lms",
    "multistep",
    "res",
    "sampler",
    "seeds",
    "unipc",
]
