"""Image kernels as they are defined, in float64: what every contender is checked against."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def unit_of(dtype: Any) -> float:
    """What 1 is stored as."""
    return 255.0 if dtype == np.uint8 else 1.0


def decoded(x: NDArray[Any]) -> NDArray[np.float64]:
    return x.astype(np.float64) / unit_of(x.dtype)


def gaussian_taps(sigma: float) -> NDArray[np.float64]:
    radius = int(np.ceil(3.7 * sigma))
    w = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sigma**2))
    return w / w.sum()


def separable(x: NDArray[np.float64], taps: NDArray[np.float64]) -> NDArray[np.float64]:
    radius = len(taps) // 2
    for axis in (0, 1):
        padding = [(radius, radius) if a == axis else (0, 0) for a in range(x.ndim)]
        padded = np.pad(x, padding, mode="edge")
        n = x.shape[axis]
        x = sum(t * padded.take(range(i, i + n), axis) for i, t in enumerate(taps))
    return x


def in_codes(reference: NDArray[np.float64], dtype: Any) -> NDArray[np.float64]:
    return np.clip(reference, 0, 1) * 255 if dtype == np.uint8 else reference


def sobel_magnitude(x: NDArray[np.float64]) -> NDArray[np.float64]:
    p = np.pad(x, 1, mode="edge")
    gx = (p[:-2, 2:] + 2 * p[1:-1, 2:] + p[2:, 2:]) - (p[:-2, :-2] + 2 * p[1:-1, :-2] + p[2:, :-2])
    gy = (p[2:, :-2] + 2 * p[2:, 1:-1] + p[2:, 2:]) - (p[:-2, :-2] + 2 * p[:-2, 1:-1] + p[:-2, 2:])
    return np.hypot(gx, gy)


def lanczos(x: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    for axis, n in ((1, size[0]), (0, size[1])):
        length = x.shape[axis]
        stretch = max(1.0, length / n)
        centre = (np.arange(n) + 0.5) * length / n
        first = np.floor(centre - 0.5 - 3 * stretch).astype(int)
        offsets = np.arange(int(np.ceil(6 * stretch)) + 3)
        taps = first[:, None] + offsets
        t = (taps + 0.5 - centre[:, None]) / stretch
        weights = np.where(np.abs(t) < 3, np.sinc(t) * np.sinc(t / 3), 0)
        weights /= weights.sum(1, keepdims=True)
        taps = np.clip(taps, 0, length - 1)
        moved = np.moveaxis(x, axis, 0)
        total = sum(weights[:, i].reshape(-1, *[1] * (x.ndim - 1)) * moved[taps[:, i]] for i in range(len(offsets)))
        x = np.moveaxis(total, 0, axis)
    return x


def mean_and_variance(x: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = x.reshape(-1, 1 if x.ndim == 2 else x.shape[2])
    return np.stack([flat.mean(0), flat.var(0)])
