"""Integrate Lagrange's polynomials numerically, for the weights of multistep methods."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

POINTS, POINT_WEIGHTS = np.polynomial.legendre.leggauss(32)
"""Gauss and Legendre's points in -1…1 and their weights: plenty for smooth functions."""


class Quadrature(NamedTuple):
    """∫f = Σ weights·f(points)."""

    points: Numbers
    weights: Numbers


def quadrature(start: float, end: float) -> Quadrature:
    """Points and weights between `start` and `end`, which may be the lower one."""
    half = (end - start) / 2
    return Quadrature(start + half * (1 + POINTS), half * POINT_WEIGHTS)


def lagrange_sums(nodes: list[float], points: Numbers, weights: Numbers) -> list[float]:
    """Σ weights·L(points) for the Lagrange polynomial L of each node."""
    sums = []
    for node in nodes:
        basis = np.ones_like(points)
        for other in nodes:
            if other != node:
                basis = basis * (points - other) / (node - other)
        sums.append(float((weights * basis).sum()))
    return sums
