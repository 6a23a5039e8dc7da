"""What the tests of factorizations and solvers share: matrices, windows of batches, and residuals in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.frame import Framed

Array = NDArray[Any]
# One less and more than a register, than four rows, than a leaf of 64; sizes that are cut in two and three.
ORDERS = (1, 2, 3, 5, 8, 13, 31, 33, 63, 64, 65, 100, 129, 200)
U = 2.0**-24


def definite(rng: np.random.Generator, order: int, matrices: int | None = None) -> Array:
    """Symmetric positive definite matrices."""
    shape = (order, order) if matrices is None else (matrices, order, order)
    a = rng.uniform(-1, 1, shape)
    return (a @ a.swapaxes(-1, -2) / max(order, 1) + 0.1 * np.eye(order)).astype(np.float32)


def norm(a: Array) -> Any:
    """The largest sum of magnitudes of a row, of each matrix."""
    return np.abs(np.asarray(a, np.float64)).sum(axis=-1).max(axis=-1, initial=0.0)


def assert_residual(residual: Array, order: int, scale: Any, what: str = "") -> None:
    """norm(residual) <= 10 * order * u * scale for each matrix; NaN fails."""
    excess = norm(residual) - 10 * order * U * np.asarray(scale)
    assert np.all(excess <= 0), f"{what} order {order}: {norm(residual)} > {10 * order * U * np.asarray(scale)}"


def framed(values: Array, origin: tuple[int, int], more: tuple[int, int] = (1, 2)) -> tuple[Framed, Array]:
    """Values as a window, from this origin on, of matrices in padded memory; the rest of the matrices is random."""
    shape = (*values.shape[:-2], values.shape[-2] + origin[0] + more[0], values.shape[-1] + origin[1] + more[1])
    frame = Framed(shape, values.dtype.name, 2)
    frame.array[...] = np.random.default_rng(5).uniform(-1, 1, shape)
    window = frame.array[..., origin[0] : origin[0] + values.shape[-2], origin[1] : origin[1] + values.shape[-1]]
    window[...] = values
    return frame, window


def interchanged(a: Array, pivots: Array) -> Array:
    """The rows of a matrix, interchanged as LU says."""
    a = np.array(a)
    for i, p in enumerate(pivots):
        a[[i, int(p)]] = a[[int(p), i]]
    return a
