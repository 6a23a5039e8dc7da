"""Filters over windows at 1920 x 1080, and one of bytes and one of floats of each at 4K."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mpskit as mps

from ...harness import definitions, filter_definitions
from ...harness.case import Case, Contender, Wanted
from ...harness.pictures import picture
from ...peers import kornia, opencv_filters, pillow, pyvips_, scikit_image, scipy_

Array = NDArray[Any]


def _large(*kinds: str) -> tuple[str, ...]:
    return tuple(f"4K {kind}" for kind in kinds)


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    yield from _means(threads, wanted)
    yield from _convolutions(threads, wanted)
    yield from _extremes(threads, wanted)
    yield from _medians(threads, wanted)


def _case(
    name: str,
    x: Array,
    kernel: Any,
    reference: Callable[[Array], Array],
    flops: float,
    peers: list[Contender | None],
    is_exact: bool = False,
) -> Case:
    """From one format to itself; `reference` sees stored elements if the result is one of them, else what they mean."""
    out = mps.empty(x.shape, x.dtype)
    is_code = x.dtype == np.uint8

    def exact() -> NDArray[np.float64]:
        if is_exact:
            return reference(x).astype(np.float64)
        return definitions.in_codes(reference(definitions.decoded(x)), x.dtype)

    tolerance = 0.0 if is_exact else 1.01 if is_code else 1e-5
    return Case(name, "image", exact, tolerance, 2.0 * x.nbytes, flops).ours(lambda: kernel(x, out=out)).add(*peers)


def _means(threads: int, wanted: Wanted) -> Iterator[Case]:
    for kind in ("g8", "rgba8", "g32", "rgba32", *_large("rgba8", "g32")):
        for side in (9,) if kind.startswith("4K") else (3, 9, 31):
            if wanted(name := f"box {side}x{side}, {kind}"):
                x = picture(kind)
                kernel = mps.image.Box(kernel_width=side, kernel_height=side)
                peers = [
                    opencv_filters.blur(x, side, threads),
                    scipy_.box(x, side),
                    pillow.box(x, side),
                    kornia.box(x, side),
                ]
                yield _case(name, x, kernel, lambda x, side=side: filter_definitions.box(x, side), 4.0 * x.size, peers)
        for side in (9,) if kind.startswith("4K") else (5, 9, 15):
            if wanted(name := f"tent {side}x{side}, {kind}"):
                x = picture(kind)
                taps = filter_definitions.tent_taps(side)
                kernel = mps.image.Tent(kernel_width=side, kernel_height=side)
                peers = [opencv_filters.separable(x, taps, threads)]
                yield _case(name, x, kernel, lambda x, taps=taps: definitions.separable(x, taps), 8.0 * x.size, peers)


def _convolutions(threads: int, wanted: Wanted) -> Iterator[Case]:
    rng = np.random.default_rng(5)
    for side in (3, 5, 7, 11):
        weights = rng.normal(0.5, 1, (side, side))
        weights = (weights / weights.sum()).astype(np.float32)
        weights /= np.abs(weights).sum()
        for kind in ("g8", "rgba8", "g32", "rgba32", *_large("g32", *(("rgba8",) if side == 5 else ()))):
            if wanted(name := f"convolution {side}x{side}, {kind}"):
                x = picture(kind)
                yield _case(
                    name,
                    x,
                    mps.image.Convolution(weights),
                    lambda x, w=weights: filter_definitions.correlate(x, w.astype(np.float64)),
                    2.0 * side * side * x.size,
                    [
                        opencv_filters.filter_2d(x, weights, threads),
                        scipy_.convolved(x, weights),
                        pyvips_.convolved(x, weights, threads),
                    ],
                )
    for kind in ("g8", "g32", "rgba32"):
        if wanted(name := f"laplacian, {kind} to float32"):
            x = picture(kind)
            out = mps.empty(x.shape, "float32")
            operator = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0.0]])
            yield (
                Case(
                    name,
                    "image",
                    lambda x=x, w=operator: filter_definitions.correlate(definitions.decoded(x), w),
                    1e-5,
                    x.nbytes + out.nbytes,
                    5.0 * x.size,
                )
                .ours(lambda x=x, out=out: mps.image.Laplacian()(x, out=out))
                .add(opencv_filters.laplacian(x, threads))
            )


def _extremes(threads: int, wanted: Wanted) -> Iterator[Case]:
    for kind in ("g8", "rgba8", "g32", "rgba32", *_large("g8", "g32")):
        for side in (15,) if kind.startswith("4K") else (3, 9, 15, 31):
            if wanted(name := f"area max {side}x{side}, {kind}"):
                x = picture(kind)
                kernel = mps.image.AreaMax(kernel_width=side, kernel_height=side)
                peers = [
                    opencv_filters.dilate(x, np.ones((side, side), np.uint8), threads),
                    scipy_.maximum(x, side),
                    pillow.maximum(x, side),
                    kornia.dilate(x, side) if side < 10 else None,  # its time grows with the square
                    pyvips_.rank(x, side, side * side - 1, threads) if side < 10 else None,
                ]
                yield _case(
                    name, x, kernel, lambda x, side=side: filter_definitions.maximum(x, side), 2.0 * x.size, peers, True
                )
        if kind.startswith("4K"):
            continue
        for side in (5, 11):
            if wanted(name := f"dilate disk {side}, {kind}"):
                x = picture(kind)
                axis = np.arange(side) - side // 2
                disk = (np.hypot.outer(axis, axis) <= side / 2).astype(np.uint8)
                peers = [opencv_filters.dilate(x, disk, threads)]
                kernel = mps.image.Dilate(1 - disk.astype(np.float32))
                flops = float(disk.sum()) * x.size
                yield _case(
                    name, x, kernel, lambda x, disk=disk: filter_definitions.dilate(x, disk), flops, peers, True
                )
    whole = np.ones((5, 5), np.uint8)
    for kind in ("g8", "rgba8", "g32", "rgba32", *_large("g8", "g32")):
        if wanted(name := f"dilate 5x5, {kind}"):
            x = picture(kind)
            kernel = mps.image.Dilate(np.zeros((5, 5), np.float32))
            peers = [opencv_filters.dilate(x, whole, threads)]
            yield _case(name, x, kernel, lambda x: filter_definitions.maximum(x, 5), 8.0 * x.size, peers, True)
        if wanted(name := f"erode 5x5, {kind}"):
            x = picture(kind)
            kernel = mps.image.Erode(np.zeros((5, 5), np.float32))
            peers = [opencv_filters.erode(x, whole, threads)]
            yield _case(
                name,
                x,
                kernel,
                lambda x: (
                    ~filter_definitions.maximum(~x, 5) if x.dtype == np.uint8 else -filter_definitions.maximum(-x, 5)
                ),
                8.0 * x.size,
                peers,
                True,
            )


def _medians(threads: int, wanted: Wanted) -> Iterator[Case]:
    large = (("4K g8", (3, 5, 9)), ("4K g32", (5,)))
    for kind, sides in (("g8", (3, 5, 9, 21)), ("rgb8", (3, 5, 9)), ("rgba8", (3, 5, 9)), ("g32", (3, 5)), *large):
        for side in sides:
            if wanted(name := f"median {side}x{side}, {kind}"):
                x = picture(kind)
                peers = [
                    opencv_filters.median(x, side, threads),
                    kornia.median(x, side),
                    pillow.median(x, side) if side < 10 else None,
                    scipy_.median(x, side) if side < 10 else None,
                    scikit_image.median(x, side),
                    pyvips_.rank(x, side, side * side // 2, threads),
                ]
                kernel = mps.image.Median(kernel_diameter=side)
                yield _case(
                    name,
                    x,
                    kernel,
                    lambda x, side=side: filter_definitions.median(x, side),
                    float(side * side) * x.size,
                    peers,
                    True,
                )
