"""The model families that files are recognised as. To add one: a module here and a line below."""

from diffusion.families.aura import AURA
from diffusion.families.cascade import CASCADE_B, CASCADE_C
from diffusion.families.chroma import CHROMA, CHROMA_RADIANCE
from diffusion.families.family import Family
from diffusion.families.flux1 import FLUX1
from diffusion.families.flux2 import FLUX2
from diffusion.families.hidream import HIDREAM
from diffusion.families.hunyuan import HUNYUAN_DIT, HUNYUAN_IMAGE, HUNYUAN_VIDEO
from diffusion.families.kolors import KOLORS
from diffusion.families.lumina2 import LUMINA2
from diffusion.families.omnigen2 import OMNIGEN2
from diffusion.families.pixart import PIXART_ALPHA, PIXART_SIGMA
from diffusion.families.qwen_image import QWEN_IMAGE
from diffusion.families.sana import SANA
from diffusion.families.sd2 import SD2
from diffusion.families.sd3 import SD3
from diffusion.families.sd15 import SD15
from diffusion.families.sdxl import SDXL
from diffusion.families.sdxl_refiner import SDXL_REFINER
from diffusion.families.upscaler import SD_X4_UPSCALER
from diffusion.families.wan import WAN21, WAN22_5B
from diffusion.families.z_image import Z_IMAGE

RUN: tuple[Family, ...] = (SD15, SD2, SDXL, SDXL_REFINER, SD3, FLUX1, FLUX2)

RECOGNISED: tuple[Family, ...] = (
    AURA,
    CASCADE_B,
    CASCADE_C,
    CHROMA,
    CHROMA_RADIANCE,
    HIDREAM,
    HUNYUAN_DIT,
    HUNYUAN_IMAGE,
    HUNYUAN_VIDEO,
    KOLORS,
    LUMINA2,
    OMNIGEN2,
    PIXART_ALPHA,
    PIXART_SIGMA,
    QWEN_IMAGE,
    SANA,
    SD_X4_UPSCALER,
    WAN21,
    WAN22_5B,
    Z_IMAGE,
)
"""What cannot be run yet: it is recognised and typed, and told before a run."""

FAMILIES: dict[str, Family] = {family.id: family for family in (*RUN, *RECOGNISED)}
"""Every family by its id. The order means nothing: signatures are exclusive."""
