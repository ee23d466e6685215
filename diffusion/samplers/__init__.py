"""The samplers: each is a generator over steps, offered under its name in `SAMPLERS`."""

from diffusion.samplers.dpmpp import dpmpp_2m, dpmpp_2m_sde, dpmpp_2s_ancestral, dpmpp_sde
from diffusion.samplers.euler import ddim, euler, euler_ancestral
from diffusion.samplers.heun import dpm_2, dpm_2_ancestral, heun
from diffusion.samplers.lcm import ddpm, lcm
from diffusion.samplers.lms import lms
from diffusion.samplers.registry import SAMPLERS, Sampler, Step, sampler
from diffusion.samplers.unipc import uni_pc, uni_pc_bh2

__all__ = [
    "SAMPLERS",
    "Sampler",
    "Step",
    "ddim",
    "ddpm",
    "dpm_2",
    "dpm_2_ancestral",
    "dpmpp_2m",
    "dpmpp_2m_sde",
    "dpmpp_2s_ancestral",
    "dpmpp_sde",
    "euler",
    "euler_ancestral",
    "heun",
    "lcm",
    "lms",
    "sampler",
    "uni_pc",
    "uni_pc_bh2",
]
