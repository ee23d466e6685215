"""The model families that files are recognised as. To add one: a module here and a line below."""

from diffusion.families.family import Family
from diffusion.families.flux1 import FLUX1
from diffusion.families.flux2 import FLUX2
from diffusion.families.sd2 import SD2
from diffusion.families.sd3 import SD3
from diffusion.families.sd15 import SD15
from diffusion.families.sdxl import SDXL
from diffusion.families.sdxl_refiner import SDXL_REFINER

FAMILIES: dict[str, Family] = {
    family.id: family for family in (SD15, SD2, SDXL, SDXL_REFINER, SD3, FLUX1, FLUX2)
}
"""Every family by its id. The order means nothing: signatures are exclusive."""
