"""Filters over windows, thresholds and sums as they are defined, in float64. Beyond the border lies the nearest pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Exact = NDArray[np.float64]


def padded(x: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    sides = [(height // 2, height // 2), (width // 2, width // 2)] + [(0, 0)] * (x.ndim - 2)
    return np.pad(x, sides, mode="edge")


def correlate(x: Exact, weights: Exact) -> Exact:
    p = padded(x, *weights.shape)
    rows, columns = x.shape[:2]
    return sum(w * p[j : j + rows, i : i + columns] for (j, i), w in np.ndenumerate(weights) if w)  # type: ignore[return-value]


def box(x: Exact, side: int) -> Exact:
    for axis in (0, 1):
        p = padded(x, side if axis == 0 else 1, side if axis == 1 else 1)
        n = x.shape[axis]
        x = sum(p.take(range(i, i + n), axis) for i in range(side)) / side
    return x


def tent_taps(side: int) -> Exact:
    t = np.minimum(np.arange(side) + 1, side - np.arange(side)).astype(np.float64)
    return t / t.sum()


def maximum(x: NDArray[Any], side: int) -> NDArray[Any]:
    for axis in (0, 1):
        p = padded(x, side if axis == 0 else 1, side if axis == 1 else 1)
        n = x.shape[axis]
        x = np.maximum.reduce([p.take(range(i, i + n), axis) for i in range(side)])
    return x


def dilate(x: NDArray[Any], shape: NDArray[Any]) -> NDArray[Any]:
    p = padded(x, *shape.shape)
    rows, columns = x.shape[:2]
    return np.maximum.reduce([p[j : j + rows, i : i + columns] for j, i in np.argwhere(shape)])


def median(x: NDArray[Any], side: int) -> NDArray[Any]:
    p = padded(x, side, side)
    out = np.empty_like(x)
    for y in range(0, x.shape[0], 16):
        rows = min(16, x.shape[0] - y)
        window = np.stack([p[y + j : y + j + rows, i : i + x.shape[1]] for j in range(side) for i in range(side)], -1)
        window.partition(side * side // 2, -1)
        out[y : y + rows] = window[..., side * side // 2]
    return out


def integral(x: Exact) -> Exact:
    return x.cumsum(0).cumsum(1)


def threshold(rule: Callable[[Exact], Exact], x: Exact) -> Exact:
    gray = x if x.ndim == 2 else x[..., :3] @ np.array([0.299, 0.587, 0.114])
    return rule(gray)
