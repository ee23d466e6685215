"""Maps of a latent show where its numbers are below and above zero."""

import torch

from diffusion.latent_view import COLD, WARM, ZERO, by_channel, channels_of, heat, statistics


def test_the_statistics_are_those_of_the_numbers() -> None:
    values = torch.tensor([1.0, 2.0, 3.0, 6.0])
    found = statistics(values)
    assert (found.mean, found.lowest, found.highest) == (3, 1, 6)
    assert abs(found.deviation - 3.5**0.5) < 1e-6


def test_each_channel_has_its_own() -> None:
    latent = torch.stack([torch.zeros(2, 3, 3), torch.ones(2, 3, 3)], dim=1)
    assert [item.mean for item in by_channel(latent)] == [0, 1]


def test_zero_is_white_and_three_deviations_are_full_colour() -> None:
    made = heat(torch.tensor([-9.0, -3.0, 0.0, 3.0, 9.0]))
    wanted = torch.tensor([COLD, COLD, ZERO, WARM, WARM])
    torch.testing.assert_close(made, wanted)


def test_channels_lie_in_rows_each_cell_a_square() -> None:
    latent = torch.stack([torch.full((2, 5), float(k)) for k in (-9, 0, 9)])
    sheet = channels_of(latent, 8)
    assert sheet.shape == ((2 + 1 + 2) * 8, (5 + 1 + 5) * 8, 3)
    corners = sheet[0, 0], sheet[0, -1], sheet[-1, 0], sheet[-1, -1]
    for found, wanted in zip(corners, (COLD, ZERO, WARM, (1, 1, 1)), strict=True):
        torch.testing.assert_close(found, torch.tensor(wanted, dtype=torch.float32))
