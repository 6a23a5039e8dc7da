"""What tests of histograms share: counts and tables in float64, written from their definitions."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.kernels.image.reference import written
from tests.support.formats import decode

Array = NDArray[Any]
NO_LIMITS = ((0.0,) * 4, (1.0,) * 4)
# No bin of these begins at a value that pictures of random elements have.
LIMITS = ((0.1, -0.3, 0.25, 0.0), (0.7, 0.9, 2.0, 0.6))
LOWEST = (float(np.finfo(np.float32).min),) * 4


def floats(values: Any) -> Array:
    return np.asarray(values, np.float32).astype(np.float64)


def bins_of(values: Array, low: float, high: float, bins: int) -> Array:
    t = (np.clip(values, low, high) - low) / (high - low) * bins
    return np.minimum(np.nan_to_num(t).astype(np.int64), bins - 1)


def counted(channels: int, for_alpha: bool) -> int:
    return 3 if channels == 4 and not for_alpha else channels


def histogram(x: Array, bins: int, limits: Any = NO_LIMITS, least: Any = (0.0,) * 4, for_alpha: bool = False) -> Array:
    """Counts (channels, bins) of stored pixels (height, width, channels)."""
    low, high, least = floats(limits[0]), floats(limits[1]), np.asarray(least, np.float64)
    values = decode(x)
    out = np.zeros((counted(x.shape[-1], for_alpha), bins), np.uint32)
    for c in range(len(out)):
        v = values[..., c][values[..., c] >= least[c]]
        out[c] = np.bincount(bins_of(v, low[c], high[c], bins), minlength=bins)
    return out


def equalized(counts: Array, low: float, high: float) -> Array | None:
    sums = np.cumsum(counts.astype(np.float64))
    return low + (high - low) * sums / sums[-1] if sums[-1] else None


def specified(source: Array, desired: Array, low: float, high: float) -> Array | None:
    s, d = list(accumulate(map(int, source))), list(accumulate(map(int, desired)))
    if not s[-1] or not d[-1]:
        return None
    shares = [v * s[-1] for v in d]  # of whole numbers: nothing is rounded
    first = [bisect_left(shares, v * d[-1]) for v in s]
    return low + (high - low) * np.array(first, np.float64) / (len(s) - 1)


def exchanged(x: Array, tables: list[Array | None], limits: Any) -> Array:
    """Exact values of stored pixels (height, width, channels) by a table a channel; None leaves it."""
    low, high = floats(limits[0]), floats(limits[1])
    values = decode(x)
    for c, table in enumerate(tables):
        if table is not None:
            new = table[bins_of(values[..., c], low[c], high[c], len(table))]
            values[..., c] = np.where(np.isnan(values[..., c]), np.nan, new)
    return values


def around(x: Array, out_hw: tuple[int, int], edge_mode: str, offset: tuple[int, int], clip: Any) -> Array:
    """The stored pixel under each written one, (height, width, channels)."""
    rows, columns = written(out_hw, clip)
    ys, xs = np.arange(rows.stop - rows.start) + offset[1], np.arange(columns.stop - columns.start) + offset[0]
    pixels = x[np.clip(ys, 0, x.shape[0] - 1)[:, None], np.clip(xs, 0, x.shape[1] - 1)[None]]
    if edge_mode == "clamp":
        return pixels
    inside = ((ys >= 0) & (ys < x.shape[0]))[:, None] & ((xs >= 0) & (xs < x.shape[1]))
    return np.where(inside[..., None], pixels, pixels.dtype.type(0))
