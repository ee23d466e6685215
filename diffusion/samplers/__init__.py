"""The samplers: each is a generator over steps, offered under its name in `SAMPLERS`.

None of ComfyUI's 42 names is left out; exp_heun_2_x0 and exp_heun_2_x0_sde come on top. These give
pictures that differ from ComfyUI's of the same name:

- the four `_gpu` names are second names: noise is drawn on the CPU whatever the device;
- ipndm_v has exact weights (see its docstring); deis integrates exactly what ComfyUI sums;
- sa_solver, sa_solver_pece: the noisy part of the run is Stable Diffusion's for every model;
- with a mask, the `_cfg_pp` names keep the picture in both estimates;
- flow models: res_multistep_ancestral keeps the flow's mixture of signal and noise; dpm_fast and
  dpm_adaptive go on to the picture from their last level.

Not for flow models, since their steps assume that the signal keeps its size: ddpm, dpmpp_sde,
dpmpp_2s_ancestral, and the `_cfg_pp` names of dpmpp and res.
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
