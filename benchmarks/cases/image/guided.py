"""Guided filtering at 1920 x 1080, and of small pictures under a large guide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mpskit as mps

from ...harness import definitions, filter_definitions
from ...harness.case import Case, Wanted
from ...harness.pictures import picture
from ...peers import opencv_filters

Array = NDArray[Any]
EPSILON = 1e-3


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    for side in (9, 31):
        if wanted(name := f"guided regression {side}x{side}, g32 under itself"):
            x = picture("g32")
            kernel = mps.image.GuidedFilter(independent_channels=True, kernel_diameter=side, epsilon=EPSILON)
            out = (mps.empty(x.shape, "float32"), mps.empty(x.shape, "float32"))
            yield (
                Case(name, "image", lambda x=x, side=side: _inner(_lines(x, side), side), 1e-3, 4.0 * x.nbytes)
                .ours(
                    lambda x=x, kernel=kernel, out=out: kernel(x, x, out=out),
                    lambda ab, side=side: _inner(np.stack(ab), side),
                )
                .add(opencv_filters.guided_lines(x, side, EPSILON, threads, lambda ab, side=side: _inner(ab, side)))
            )


def _inner(ab: Array, side: int) -> Array:
    """Without what borders make of it: OpenCV repeats pixels there, windows of ours are cut."""
    return ab[:, side:-side, side:-side]


def _lines(x: Array, side: int) -> NDArray[np.float64]:
    def mean(z: NDArray[np.float64]) -> NDArray[np.float64]:
        return filter_definitions.box(z, side)

    i = definitions.decoded(x)
    m = mean(i)
    variance = mean(i * i) - m * m
    a = variance / (variance + EPSILON)
    return np.stack([mean(a), mean(m - a * m)])
