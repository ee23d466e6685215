"""ComfyUI's samplers and schedulers are all there under their names."""

import re
from pathlib import Path

import pytest

from diffusion.samplers import SAMPLERS
from diffusion.schedules import SCHEDULES

COMFYUI = """
euler euler_cfg_pp euler_ancestral euler_ancestral_cfg_pp heun heunpp2 dpm_2 dpm_2_ancestral lms
dpm_fast dpm_adaptive dpmpp_2s_ancestral dpmpp_2s_ancestral_cfg_pp dpmpp_sde dpmpp_sde_gpu dpmpp_2m
dpmpp_2m_cfg_pp dpmpp_2m_sde dpmpp_2m_sde_gpu dpmpp_2m_sde_heun dpmpp_2m_sde_heun_gpu dpmpp_3m_sde
dpmpp_3m_sde_gpu ddpm lcm ipndm ipndm_v deis res_multistep res_multistep_cfg_pp
res_multistep_ancestral res_multistep_ancestral_cfg_pp gradient_estimation
gradient_estimation_cfg_pp er_sde seeds_2 seeds_3 sa_solver sa_solver_pece ddim uni_pc uni_pc_bh2
"""


SCHEDULERS = """
simple sgm_uniform karras exponential ddim_uniform beta normal linear_quadratic kl_optimal
"""

FACTS = Path(__file__).parents[3] / "shared" / "facts" / "comfyui.md"


def test_each_of_comfyuis_names_is_there_and_two_more() -> None:
    assert len(COMFYUI.split()) == 42
    assert set(SAMPLERS) - set(COMFYUI.split()) == {"exp_heun_2_x0", "exp_heun_2_x0_sde"}
    assert set(COMFYUI.split()) <= set(SAMPLERS)
    assert len(SCHEDULERS.split()) == 9
    assert set(SCHEDULERS.split()) == set(SCHEDULES)


@pytest.mark.skipif(not FACTS.exists(), reason="the list of ComfyUI's names is not at hand")
def test_the_names_are_those_that_were_read_from_comfyui() -> None:
    facts = FACTS.read_text("utf-8")
    for count, ours in ((42, COMFYUI), (9, SCHEDULERS)):
        (line,) = re.findall(rf"_NAMES \({count}\)\*\*: ([^.]*)\.", facts)
        assert line.split(", ") == ours.split()


def test_comfyuis_names_for_noise_of_the_device_are_second_names() -> None:
    second = {name: row.walk for name, row in SAMPLERS.items() if row.walk.__name__ != name}
    assert second.keys() == {name for name in COMFYUI.split() if name.endswith("_gpu")}
    for name, walk in second.items():
        assert walk is SAMPLERS[name.removesuffix("_gpu")].walk
