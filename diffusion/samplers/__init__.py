"""The samplers: each is a generator over steps, offered under its name in `SAMPLERS`.

None of ComfyUI's 42 names is left out; exp_heun_2_x0 and exp_heun_2_x0_sde come on top. All serve
flow models too. `docs/samplers.md` says where each comes from, how it is proven, and the few whose
pictures differ from ComfyUI's of the same name: the `_gpu` names, which here are second names, and,
for flow models alone, those whose steps there lose the flow's mixture of signal and noise.
"""

from diffusion.samplers import (
    cfg_pp,
    dpm,
    dpmpp,
    er_sde,
    euler,
    heun,
    lcm,
    lms,
    multistep,
    res,
    sa_solver,
    seeds,
    unipc,
)
from diffusion.samplers.registry import SAMPLERS, Sampler, Step, sampler

__all__ = [
    "SAMPLERS",
    "Sampler",
    "Step",
    "cfg_pp",
    "dpm",
    "dpmpp",
    "er_sde",
    "euler",
    "heun",
    "lcm",
    "lms",
    "multistep",
    "res",
    "sa_solver",
    "sampler",
    "seeds",
    "unipc",
]
