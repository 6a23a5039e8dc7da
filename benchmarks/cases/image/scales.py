"""Bilinear interpolation of 4K and 1920 x 1080 pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import mpskit as mps

from ...harness import definitions
from ...harness.case import Case, Wanted
from ...harness.pictures import picture
from ...peers import kornia, torch_
from ...peers import opencv_arithmetic as opencv


def bilinear(x: Any, size: tuple[int, int]) -> Any:
    for axis, n in ((1, size[0]), (0, size[1])):
        position = np.clip((np.arange(n) + 0.5) * x.shape[axis] / n - 0.5, 0, x.shape[axis] - 1)
        first = np.floor(position).astype(int)
        part = (position - first).reshape(-1, *[1] * (x.ndim - 1 - axis))
        second = np.minimum(first + 1, x.shape[axis] - 1)
        x = x.take(first, axis) * (1 - part) + x.take(second, axis) * part
    return x


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    for source, (height, width), size in (
        ("4K", (2160, 3840), (1920, 1080)),
        ("FHD", (1080, 1920), (2560, 1440)),
        ("FHD", (1080, 1920), (299, 299)),
    ):
        for kind in ("g8", "rgb8", "rgba8", "g32", "rgba32"):
            if not wanted(name := f"bilinear {source} to {size[0]}x{size[1]}, {kind}"):
                continue
            x = picture(kind, height, width)
            out = mps.empty((size[1], size[0], *x.shape[2:]), x.dtype)
            scale = mps.image.BilinearScale(width=size[0], height=size[1])
            yield (
                Case(
                    name,
                    "image",
                    lambda x=x, size=size: definitions.in_codes(bilinear(definitions.decoded(x), size), x.dtype),
                    1.01 if x.dtype == np.uint8 else 4e-5,  # PyTorch's positions are float32
                    float(x.nbytes + out.nbytes),
                    8.0 * out.size,
                )
                .ours(lambda scale=scale, x=x, out=out: scale(x, out=out))
                .add(opencv.resize(x, size, threads), torch_.bilinear(x, size, threads), kornia.bilinear(x, size))
            )
