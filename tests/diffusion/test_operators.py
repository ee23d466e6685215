"""Each fast way equals the plain one, and which is taken depends on the trial alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from diffusion import cpu_speed, cpu_ways, operators
from diffusion.cpu_speed import USUAL, Pair, Trial, Ways, choose
from diffusion.unet import UNet
from diffusion.vae import AutoencoderKL
from tests.diffusion.small import UNET, VAE, random_weights

OURS = Ways(True, True, True, True)
FORMATS = (torch.float32, torch.bfloat16)
TOLERANCES = {
    torch.float32: 1e-5,  # the same sums of float32 products in another order
    torch.bfloat16: 2e-2,  # 8 bits: each intermediate result is rounded by up to 1/256
}
"""Relative to the deviation of the answer."""

onednn = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this build of torch has no oneDNN"
)


def numbers(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def assert_near(found: Tensor, expected: Tensor, dtype: torch.dtype) -> None:
    """`expected` was computed in float64 from the same numbers."""
    assert found.dtype == dtype
    assert found.shape == expected.shape
    error = (found.double() - expected).std() / expected.std()
    assert error < TOLERANCES[dtype], f"relative error {error:.1e}"


@pytest.fixture
def take() -> Iterator[dict[torch.dtype, Ways]]:
    """The ways that are taken, by number format; a test sets them."""
    before = dict(cpu_speed._ways)
    yield cpu_speed._ways
    cpu_speed._ways.clear()
    cpu_speed._ways.update(before)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize(
    ("queries", "keys", "head"), [(64, 64, 32), (77, 77, 40), (1, 300, 16), (301, 129, 5)]
)
@pytest.mark.parametrize("block", [1, 1000, 2**21])
def test_attention_in_blocks_is_attention(
    dtype: torch.dtype, queries: int, keys: int, head: int, block: int
) -> None:
    query = numbers(2, queries, 3, head, dtype=dtype).transpose(1, 2)
    key, value = (numbers(2, 3, keys, head, seed=n, dtype=dtype) for n in (1, 2))
    found = cpu_ways.attention_in_blocks(query, key, value, block=block)
    assert_near(found, exact_attention(query, key, value), dtype)


@onednn
def test_attention_by_onednn_is_attention() -> None:
    query, key, value = (numbers(2, 3, 70, 24, seed=n) for n in range(3))
    found = cpu_ways.attention_in_blocks(query, key, value, onednn=True, block=500)
    assert_near(found, exact_attention(query, key, value), torch.float32)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("shape", [(50, 60), (2, 1, 1, 60), (2, 3, 50, 60)])
def test_attention_in_blocks_leaves_out_what_a_mask_hides(
    dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    query, key, value = (
        numbers(2, 3, length, 8, seed=n, dtype=dtype) for n, length in enumerate((50, 60, 60))
    )
    seen = numbers(*shape, seed=5) > -0.5
    seen[..., 0] = True  # every query sees one key at least
    added = torch.where(seen, numbers(*shape, seed=6), float("-inf")).to(dtype)
    for mask in (seen, added):
        found = cpu_ways.attention_in_blocks(query, key, value, mask, block=700)
        assert_near(found, exact_attention(query, key, value, mask), dtype)


def test_sharp_attention_in_blocks_stays_near_the_fused_operator() -> None:
    # Scores of deviation 8: one key takes nearly all the weight, and rounding scores tells most.
    query, key, value = (numbers(1, 2, 256, 64, seed=n, dtype=torch.bfloat16) for n in range(3))
    query = query * 8
    expected = exact_attention(query, key, value)
    fused = functional.scaled_dot_product_attention(query, key, value)
    ours = cpu_ways.attention_in_blocks(query, key, value)
    errors = [float((x.double() - expected).std() / expected.std()) for x in (fused, ours)]
    # a score of 16 is rounded by up to 1/16 in bfloat16, its weight by some 6 percent
    assert errors[1] < 0.05
    assert errors[0] < 0.01


@pytest.mark.parametrize("size", [0.01, 1, 3, 8, 30])
def test_scores_of_any_size_are_weighted_rightly(size: float) -> None:
    """Small ones by powers and a sum, large ones by the softmax, a head of each in one call."""
    query, key, value = (numbers(1, 2, 300, 40, seed=n) for n in range(3))
    query = torch.stack([query[:, 0] * size, query[:, 1]], 1).bfloat16()
    key, value = key.bfloat16(), value.bfloat16()
    ours = cpu_ways.attention_in_blocks(query, key, value, block=20_000)
    expected = exact_attention(query, key, value)
    for head in (0, 1):
        error = (ours[:, head].double() - expected[:, head]).std() / expected[:, head].std()
        # a score of 100 is rounded by up to 1/4 in bfloat16, its weight by some 25 percent
        assert error < (0.02 if size <= 3 or head else 0.15)


def test_equal_scores_far_from_zero_are_no_overflow() -> None:
    """All powers of a row are beyond or below what can be summed: only differences count."""
    key = torch.ones(1, 1, 50, 8, dtype=torch.bfloat16)
    value = numbers(1, 1, 50, 8, seed=1, dtype=torch.bfloat16)
    for factor in (-1000.0, 1000.0, 30.0, -30.0):
        found = cpu_ways.attention_in_blocks(key * factor, key, value)
        assert_near(found, value.double().mean(2, keepdim=True).expand_as(value), torch.bfloat16)


@onednn
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_map_by_onednn_is_the_same_map(dtype: torch.dtype, bias: bool) -> None:
    x = numbers(2, 7, 24, dtype=dtype)
    weight = numbers(10, 24, seed=1, dtype=dtype)
    offset = numbers(10, seed=2, dtype=dtype) if bias else None
    exact = functional.linear(x.double(), weight.double(), offset.double() if bias else None)
    assert_near(cpu_ways.linear(x, weight, offset), exact, dtype)


@onednn
@pytest.mark.parametrize("dtype", FORMATS)
def test_a_gated_map_by_onednn_is_the_same_map(dtype: torch.dtype) -> None:
    x, weight, bias = (
        numbers(*shape, seed=n, dtype=dtype)
        for n, shape in enumerate([(2, 9, 24), (80, 24), (80,)])
    )
    value, gate = functional.linear(x.double(), weight.double(), bias.double()).chunk(2, -1)
    expected = value * functional.gelu(gate)
    assert_near(cpu_ways.gated_gelu(x, weight, bias), expected, dtype)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (8, 8)])
def test_a_doubled_convolution_is_that_of_the_doubled_picture(
    dtype: torch.dtype, size: tuple[int, int]
) -> None:
    x = numbers(2, 12, *size, dtype=dtype)
    weight, bias = numbers(20, 12, 3, 3, seed=1, dtype=dtype), numbers(20, seed=2, dtype=dtype)
    for layout in (torch.contiguous_format, torch.channels_last):
        found = cpu_ways.doubled_conv(x.contiguous(memory_format=layout), weight, bias)
        doubled = functional.interpolate(x.double(), scale_factor=2.0)
        expected = functional.conv2d(doubled, weight.double(), bias.double(), padding=1)
        assert_near(found, expected, dtype)


@onednn
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("size", [(16, 16), (13, 18)])
def test_a_unet_computes_the_same_by_our_ways_with_channels_last(
    dtype: torch.dtype, size: tuple[int, int], take: dict[torch.dtype, Ways]
) -> None:
    unet = filled(UNet(UNET)).to(dtype)
    x, context = numbers(2, 4, *size, dtype=dtype), numbers(2, 7, 24, seed=1, dtype=dtype)
    times = torch.tensor([3.0, 900.0])
    take[dtype] = USUAL
    usual = unet(x, times, context)
    take[dtype] = OURS
    unet.to(memory_format=torch.channels_last)
    # twice as far: both answers are rounded in their own way
    error = (unet(x, times, context).float() - usual.float()).std() / usual.float().std()
    assert error < 2 * TOLERANCES[dtype]


@onednn
@pytest.mark.parametrize("dtype", FORMATS)
def test_a_vae_computes_the_same_by_our_ways_with_channels_last(
    dtype: torch.dtype, take: dict[torch.dtype, Ways]
) -> None:
    vae = filled(AutoencoderKL(VAE)).to(dtype)
    raw = numbers(1, 4, 17, 12, dtype=dtype)  # 204 pixels: more keys than torch's own way gets
    take[dtype] = USUAL
    usual = vae.decode(raw)
    take[dtype] = OURS
    vae.to(memory_format=torch.channels_last)
    error = (vae.decode(raw).float() - usual.float()).std() / usual.float().std()
    assert error < 2 * TOLERANCES[dtype]


def test_the_choice_is_a_function_of_the_trial_alone() -> None:
    fast, slow, equal = Pair(2.0, 1.0), Pair(1.0, 2.0), Pair(1.0, 0.99)
    assert choose(Trial(fast, slow, equal, fast)) == Ways(True, False, False, True)
    assert choose(Trial(slow, fast, fast, equal)) == Ways(False, True, True, False)
    scaled = Trial(*(Pair(10 * pair.usual, 10 * pair.ours) for pair in (fast, slow, equal, fast)))
    assert choose(scaled) == Ways(True, False, False, True)


@onednn
def test_a_trial_is_kept_in_the_file_and_read_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, take: dict[torch.dtype, Ways]
) -> None:
    file = tmp_path / "speed.json"
    monkeypatch.setattr(cpu_speed, "_file", None)
    monkeypatch.setattr(cpu_speed, "_tried", lambda dtype: Trial(*[Pair(2.0, 1.0)] * 4))
    cpu_speed.keep_in(file)
    take.clear()
    assert cpu_speed.ways(torch.bfloat16) == OURS
    assert [name.split(", ")[-1] for name in json.loads(file.read_text())] == ["torch.bfloat16"]
    monkeypatch.setattr(cpu_speed, "_tried", lambda dtype: Trial(*[Pair(1.0, 2.0)] * 4))
    take.clear()
    assert cpu_speed.ways(torch.bfloat16) == OURS  # as it was kept, and not tried again
    assert cpu_speed.ways(torch.float32) == USUAL
    file.write_text("no JSON")
    take.clear()
    assert cpu_speed.ways(torch.bfloat16) == USUAL  # tried anew
    assert len(json.loads(file.read_text())) == 1


@onednn
def test_an_operator_that_torch_lacks_leaves_its_usual_ways(
    monkeypatch: pytest.MonkeyPatch, take: dict[torch.dtype, Ways]
) -> None:
    def lacking(*given: object) -> Tensor:
        raise AttributeError("'_OpNamespace' 'mkldnn' object has no attribute '_linear_pointwise'")

    monkeypatch.setattr(cpu_speed, "_file", None)
    monkeypatch.setattr(cpu_ways, "linear", lacking)
    take.clear()
    assert cpu_speed.ways(torch.float32) == USUAL


def test_what_learns_takes_the_usual_ways_and_gets_its_gradients(
    take: dict[torch.dtype, Ways],
) -> None:
    take[torch.float32] = OURS
    layer = operators.Linear(8, 8)
    conv = nn.Conv2d(4, 4, 3, padding=1)
    query = numbers(1, 1, 200, 8).requires_grad_()
    mixed = operators.attention(query, numbers(1, 1, 200, 8), numbers(1, 1, 200, 8))
    gated = operators.gated_gelu(mixed, layer)
    (
        layer(mixed).sum() + gated.sum() + operators.doubled_conv(numbers(1, 4, 8, 8), conv).sum()
    ).backward()
    for tensor in (query, layer.weight, conv.weight):
        assert tensor.grad is not None
        assert tensor.grad.abs().sum() > 0


def exact_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Vaswani et al. 2017, eq. 1, in float64."""
    scores = query.double() @ key.double().transpose(-1, -2) / query.shape[-1] ** 0.5
    if mask is not None and mask.dtype == torch.bool:
        scores = scores.masked_fill(~mask, float("-inf"))
    elif mask is not None:
        scores = scores + mask.double()
    return scores.softmax(-1) @ value.double()


def filled(module: nn.Module) -> nn.Module:
    module.load_state_dict(random_weights(module))
    return module.eval().requires_grad_(False)
