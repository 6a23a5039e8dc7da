"""Float64 references of image kernels, written from their definitions. Pictures are (images, height, width, channels), decoded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def written(out_hw: tuple[int, int], clip_rect: tuple[int, ...] | None = None) -> tuple[slice, slice]:
    """Rows and columns of the output that are written."""
    x, y, w, h = clip_rect or (0, 0, out_hw[1], out_hw[0])
    return slice(y, min(y + h, out_hw[0])), slice(x, min(x + w, out_hw[1]))


def sampling(begin: int, count: int, length: int, taps: Array, edge_mode: str) -> Array:
    """Matrix (count, length): output i is the sum of taps around source position begin + i, odd taps, centred."""
    positions = begin + np.arange(count)[:, None] + np.arange(len(taps)) - len(taps) // 2
    weights = np.broadcast_to(taps, positions.shape)
    if edge_mode == "zero":
        weights = np.where((positions >= 0) & (positions < length), weights, 0.0)
    matrix = np.zeros((count, length))
    np.add.at(matrix, (np.arange(count)[:, None], np.clip(positions, 0, length - 1)), weights)
    return matrix


def separable(
    source: Array,
    vertical: Array,
    horizontal: Array,
    out_hw: tuple[int, int],
    edge_mode: str = "clamp",
    offset: tuple[int, ...] = (0, 0),
    clip_rect: tuple[int, ...] | None = None,
) -> Array:
    """Correlation with the outer product of two filters: the written part of the output, unrounded."""
    rows, columns = written(out_hw, clip_rect)
    down = sampling(offset[1], rows.stop - rows.start, source.shape[1], vertical, edge_mode)
    along = sampling(offset[0], columns.stop - columns.start, source.shape[2], horizontal, edge_mode)
    return np.einsum("yh,nhwc,xw->nyxc", down, source, along, optimize=True)


def options(**keywords: Any) -> dict[str, Any]:
    """The arguments of a kernel that `separable` takes too."""
    return {name: keywords[name] for name in ("edge_mode", "offset", "clip_rect") if name in keywords}
