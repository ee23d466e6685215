"""Every sampler gives the latents of its formulas on small random models of the real architectures.

`test_sampling_table` has every schedule, on networks of a few lines; here are SD 1.x's, SDXL's,
SD3's and FLUX.1's own, with their prompts and what else they are told, on one schedule.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from diffusion.flux import Flux
from diffusion.mmdit import Mmdit
from diffusion.unet import UNet
from tests.diffusion.small import UNET, random_weights
from tests.diffusion.small_flux import flux_config
from tests.diffusion.small_sd3 import MMDIT
from tests.diffusion.test_sampling_table import CLOSE, OWN, ours, reference
from tests.diffusion.toy import FAMILIES, prompt


def filled(module: nn.Module) -> nn.Module:
    module.load_state_dict(random_weights(module))
    return module.requires_grad_(False)


def of_sd1() -> nn.Module:
    return filled(UNet(UNET))


def of_sdxl() -> nn.Module:
    return filled(UNet(replace(UNET, vector_width=20 + 6 * 256)))


def of_sd3() -> nn.Module:
    return filled(
        Mmdit(replace(MMDIT, width=32, inner_width=64, vector_width=20, context_width=24))
    )


def of_flux1() -> nn.Module:
    config = replace(flux_config(), width=32, axes=(4, 6, 6), context_width=24, pooled_width=20)
    return filled(Flux(config))


WITH = (prompt(1, 24, 20), prompt(2, 24, 20))
NETWORKS = {
    "sd1": replace(FAMILIES["sd1"], build=of_sd1, prompts=(prompt(1, 24), prompt(2, 24))),
    "sdxl": replace(FAMILIES["sdxl"], build=of_sdxl, prompts=WITH, conditioning=("sizes",)),
    "sd3": replace(FAMILIES["sd3"], build=of_sd3, prompts=WITH, conditioning=("pooled",)),
    "flux1": replace(
        FAMILIES["flux1"],
        build=of_flux1,
        prompts=WITH,
        conditioning=("optional_pooled", "guidance"),
    ),
}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", OWN)
def test_a_sampler_gives_the_latents_of_its_formulas(name: str, network: str) -> None:
    torch.manual_seed(0)
    family = NETWORKS[network]
    expected = reference(name, family, "simple", 3)
    close = CLOSE * max(np.abs(expected).max() / 20, 1)
    np.testing.assert_allclose(ours(name, family, "simple", 3), expected, atol=close, rtol=0)
