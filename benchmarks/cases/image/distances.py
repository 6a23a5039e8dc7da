"""Distances to the nearest pixel that is not 0, at 1920 x 1080: of a threshold's mask, its outline, scattered points and lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mpskit as mps

from ...harness.case import Case, Wanted
from ...harness.pictures import HEIGHT, WIDTH, picture
from ...peers import opencv_filters, scipy_

Array = NDArray[Any]


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    for name, make in (("mask", _mask), ("outlines", _outlines), ("points", _points), ("lines", _lines)):
        if wanted(name := f"distance transform, {name} g8 to float32"):
            x = mps.empty((HEIGHT, WIDTH), "uint8")
            x[...] = make()
            out = mps.empty((HEIGHT, WIDTH), "float32")
            yield (
                Case(name, "image", lambda x=x: _distances(x), 1e-3, x.nbytes + out.nbytes)
                .ours(lambda x=x, out=out: mps.image.EuclideanDistanceTransform()(x, out=out))
                .add(opencv_filters.distance_transform(x, threads), scipy_.distance_transform(x))
            )


def _mask() -> Array:
    return (picture("g8") > 127).astype(np.uint8)


def _outlines() -> Array:
    mask = _mask()
    inner = np.minimum(mask[1:], mask[:-1])[:, 1:] & mask[:-1, :-1]
    out = mask.copy()
    out[1:, 1:] -= inner
    return out


def _points() -> Array:
    return (np.random.default_rng(3).random((HEIGHT, WIDTH)) < 0.001).astype(np.uint8)


def _lines() -> Array:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    rng = np.random.default_rng(4)
    out = np.zeros((HEIGHT, WIDTH), bool)
    for angle, place in rng.random((20, 2)):
        along = np.cos(angle * np.pi) * (x - WIDTH / 2) + np.sin(angle * np.pi) * (y - HEIGHT / 2)
        out |= np.abs(along - (place - 0.5) * WIDTH) < 0.7
    return out.astype(np.uint8)


def _distances(x: Array) -> NDArray[np.float64]:
    """The least over the columns of what is least in each of them."""
    is_set, rows = np.asarray(x) != 0, np.arange(HEIGHT)[:, None]
    above = np.maximum.accumulate(np.where(is_set, rows, -np.inf), 0)
    below = np.minimum.accumulate(np.where(is_set, rows, np.inf)[::-1], 0)[::-1]
    squares = (np.minimum(rows - above, below - rows) ** 2).astype(np.float32)  # whole numbers below 2^24
    along = ((np.arange(WIDTH)[:, None] - np.arange(WIDTH)) ** 2).astype(np.float32)
    sums = np.empty_like(along)
    nearest = [np.add(along, row, out=sums).min(1) for row in squares]
    return np.sqrt(np.stack(nearest).astype(np.float64))
