"""Gaussian pyramids of 1920 x 1080 and 4K pictures, five levels; the first is the picture, where it lies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import mpskit as mps

from ...harness import definitions
from ...harness.case import Case, Wanted
from ...harness.pictures import picture
from ...peers import opencv_pyramids as opencv

LEVELS = 5
TAPS = np.array([1, 4, 6, 4, 1]) / 16


def pyramid(x: Any) -> Any:
    """All levels below the first, in codes, each from the one before as it is stored."""
    levels = []
    for _ in range(LEVELS - 1):
        filtered = definitions.separable(x.astype(np.float64), TAPS)[
            : x.shape[0] // 2 * 2 : 2, : x.shape[1] // 2 * 2 : 2
        ]
        x = (np.rint(filtered) if x.dtype == np.uint8 else filtered).astype(x.dtype)
        levels.append(x)
    return joined(levels)


def joined(levels: Any) -> Any:
    return np.concatenate([np.ravel(level) for level in levels])


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    for source, (height, width) in (("FHD", (1080, 1920)), ("4K", (2160, 3840))):
        for kind in ("g8", "rgb8", "rgba8", "g32", "rgba32"):
            if not wanted(name := f"Gaussian pyramid {source}, {LEVELS} levels, {kind}"):
                continue
            x = picture(kind, height, width)
            kernel = mps.image.GaussianPyramid(LEVELS)
            out = (x, *(mps.empty((height >> n, width >> n, *x.shape[2:]), x.dtype) for n in range(1, LEVELS)))
            written = sum(level.nbytes for level in out[1:])
            yield (
                Case(
                    name,
                    "image",
                    lambda x=x: pyramid(x),
                    # OpenCV rounds halves up, and each level takes over what the one before differs in.
                    2.01 if x.dtype == np.uint8 else 2e-6,
                    float(x.nbytes + 2 * written - out[-1].nbytes),
                    20.0 * written / x.itemsize,
                )
                .ours(lambda kernel=kernel, x=x, out=out: kernel(x, out=out), lambda levels: joined(levels[1:]))
                .add(opencv.gaussian_pyramid(x, LEVELS, threads))
            )
