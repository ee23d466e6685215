"""What each family of models is good at: its sizes, and settings that spoil its pictures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Avoid:
    """A setting to be warned of: one of `values`, or a number `above` a limit, in that widget.

    `use` is what to set instead, None where the node that has the widget should be left out; `why`
    ends a sentence that begins with the setting and the model.
    """

    code: str
    widget: str
    use: str | float | None
    why: str
    values: tuple[str, ...] = ()
    above: float | None = None


@dataclass(frozen=True)
class Advice:
    """`side`: the square that the family was trained at, in pixels; `areas`: from which to which
    share of that square its pictures stay good. `multiple`: edges are whole numbers of so many
    pixels, or else the network fills up what is missing.
    """

    title: str
    side: int
    areas: tuple[float, float] = (0.5, 2.0)
    multiple: int = 8
    avoid: tuple[Avoid, ...] = ()


_NOT_FOR_FLOW = Avoid(
    "not_for_flow",
    "scheduler",
    "simple",
    "is a flow model: this schedule spends nearly all of its steps where the picture is done, and "
    "too few where it takes shape",
    values=("karras", "exponential", "kl_optimal"),
)
_NO_FLOW = tuple(
    Avoid(
        "sampling_not_for_model",
        widget,  # of Model Sampling Shift and of Model Sampling Flux
        None,
        "is no flow model, and cannot be shifted",
        above=0.0,
    )
    for widget in ("shift", "max_shift")
)
_ONLY_FLOW = Avoid(
    "sampling_not_for_model",
    "prediction",  # of Model Sampling Discrete
    None,
    "is a flow model, and predicts neither epsilon nor velocity",
    values=("epsilon", "velocity"),
)
_GUIDED = (
    Avoid(
        "cfg_distilled",
        "cfg",
        1.0,
        "has its guidance built in: a cfg above 1 takes twice the time and burns the picture. FLUX "
        "Guidance says how closely it follows the prompt",
        above=1.0,
    ),
    Avoid(
        "sampler_needs_cfg",
        "sampler",
        "euler",
        "has its guidance built in and is run once a step, while a CFG++ sampler needs it run with "
        "and without the prompt",
        values=(
            "euler_cfg_pp", "euler_ancestral_cfg_pp", "dpmpp_2s_ancestral_cfg_pp",
            "dpmpp_2m_cfg_pp", "res_multistep_cfg_pp", "res_multistep_ancestral_cfg_pp",
            "gradient_estimation_cfg_pp",
        ),
    ),
)  # fmt: skip

ADVICE: dict[str, Advice] = {
    "sd15": Advice("SD 1.x", 512, (0.5, 2.3), avoid=_NO_FLOW),
    # Trained at 512 or at 768, which no header says.
    "sd2": Advice("SD 2.x", 768, (0.4, 2.0), avoid=_NO_FLOW),
    "sdxl": Advice("SDXL", 1024, avoid=_NO_FLOW),
    "sdxl_refiner": Advice("the SDXL refiner", 1024, avoid=_NO_FLOW),
    "sd3": Advice("SD3", 1024, (0.35, 2.1), 16, (_NOT_FOR_FLOW, _ONLY_FLOW)),
    "flux1": Advice("FLUX.1", 1024, (0.1, 2.1), 16, (_NOT_FOR_FLOW, _ONLY_FLOW, *_GUIDED)),
    "flux2": Advice("FLUX.2", 1024, (0.1, 4.2), 16, (_NOT_FOR_FLOW, _ONLY_FLOW)),
}
"""By the family's id. Numbers of the published model cards; limits are where people warn."""
