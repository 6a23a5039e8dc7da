"""Arithmetic of two images, reductions and statistics at 1920 x 1080 and, some, 4K: as fast as memory, or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import mpskit as mps

from ...harness import definitions
from ...harness.case import Case, Wanted, again
from ...harness.pictures import picture
from ...peers import opencv_arithmetic as opencv
from ...peers import pillow, torch_


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    yield from _arithmetic(threads, wanted)
    yield from _repeated(threads, wanted)
    yield from _reductions(threads, wanted)
    yield from _statistics(threads, wanted)


def _pair(kind: str) -> tuple[Any, Any]:
    x = picture(kind)
    y = mps.empty(x.shape, x.dtype)
    y[...] = x[::-1, ::-1]
    return x, y


def _case(name: str, kernel: Any, rule: Callable[[Any, Any], Any], x: Any, y: Any) -> Case:
    out = mps.empty(x.shape, x.dtype)
    return Case(
        name,
        "image",
        lambda: definitions.in_codes(rule(definitions.decoded(x), definitions.decoded(y)), x.dtype),
        1.01 if x.dtype == np.uint8 else 1e-5,
        2.0 * x.nbytes + y.nbytes,
        3.0 * x.size,
    ).ours(lambda: kernel(x, y, out=out))


def _arithmetic(threads: int, wanted: Wanted) -> Iterator[Case]:
    operations: tuple[tuple[str, Any, Callable[[Any, Any], Any], bool], ...] = (
        ("add", mps.image.Add(), lambda a, b: a + b, False),
        ("subtract", mps.image.Subtract(), lambda a, b: a - b, False),
        ("multiply", mps.image.Multiply(), lambda a, b: a * b, True),
        ("divide", mps.image.Divide(), lambda a, b: a / b, True),
        (
            "blend",
            mps.image.Add(primary_scale=0.7, secondary_scale=0.3, bias=0.02),
            lambda a, b: 0.7 * a + 0.3 * b + 0.02,
            False,
        ),
    )
    for name, kernel, rule, is_scaled in operations:
        for kind in ("g8", "rgba8", "g32", "rgba32", *(("4K g8", "4K g32") if name in ("add", "multiply") else ())):
            if name == "divide" and kind.endswith("8"):
                continue  # of 0 / 0 each library makes something else
            if not wanted(title := f"{name}, {kind}"):
                continue
            x, y = _pair(kind)
            if name == "divide":
                y += 0.25
            unit = definitions.unit_of(x.dtype)
            rivals = (
                [opencv.add_weighted(x, 0.7, y, 0.3, 0.02 * unit, threads)]
                if name == "blend"
                else [
                    opencv.combine(name, x, y, threads, 1 / unit if is_scaled and unit != 1 else None),
                    torch_.combine(name, x, y, threads),
                    pillow.combine(name, x, y) if name != "divide" else None,
                ]
            )
            yield _case(title, kernel, rule, x, y).add(*rivals)


def _repeated(threads: int, wanted: Wanted) -> Iterator[Case]:
    """A row for all rows: as shading correction adds and multiplies. OpenCV repeats nothing: it gets the row repeated beforehand."""
    once = (1, 0, 1)
    for name, kernel, rule in (
        ("add", mps.image.Add(secondary_stride_in_pixels=once), lambda a, b: a + b),
        ("multiply", mps.image.Multiply(secondary_stride_in_pixels=once), lambda a, b: a * b),
    ):
        for kind in ("g8", "rgba8", "g32", "rgba32", "4K g8"):
            if not wanted(title := f"{name} one row to all, {kind}"):
                continue
            x, y = _pair(kind)
            row = y[:1].copy()
            unit = definitions.unit_of(x.dtype)
            repeated = np.ascontiguousarray(np.broadcast_to(row, x.shape))
            scale = 1 / unit if name == "multiply" and unit != 1 else None
            yield _case(title, kernel, rule, x, row).add(
                opencv.combine(name, x, repeated, threads, scale), torch_.combine(name, x, row, threads)
            )


def _reductions(threads: int, wanted: Wanted) -> Iterator[Case]:
    for axis, direction, kernels in (
        (1, "row", (mps.image.ReduceRowSum(), mps.image.ReduceRowMax())),
        (0, "column", (mps.image.ReduceColumnSum(), mps.image.ReduceColumnMax())),
    ):
        for what, kernel in zip(("SUM", "MAX"), kernels, strict=True):
            for kind in ("g8", "rgba8", "g32", "rgba32", *(("4K g8", "4K g32") if what == "SUM" else ())):
                if not wanted(title := f"{what.lower()} of every {direction}, {kind}"):
                    continue
                x = picture(kind)

                def exact(x: Any = x, axis: int = axis, what: str = what) -> Any:
                    if what == "MAX":
                        return x.max(axis, keepdims=True).astype(np.float64)
                    return definitions.decoded(x).sum(axis, keepdims=True)

                yield (
                    Case(title, "image", exact, 0.05, float(x.nbytes), float(x.size))
                    .ours(again(kernel, x))
                    .add(opencv.reduce(x, axis, what, threads), torch_.reduced(x, axis, what, threads))
                )


def _statistics(threads: int, wanted: Wanted) -> Iterator[Case]:
    extremes, mean = mps.image.StatisticsMinAndMax(), mps.image.StatisticsMean()
    for kind in ("g8", "rgba8", "g32", "rgba32", "4K g8", "4K g32"):
        x = picture(kind) if wanted(f"minimum and maximum, {kind}") or wanted(f"mean, {kind}") else None
        if x is None:
            continue
        if wanted(f"minimum and maximum, {kind}"):
            yield (
                Case(
                    f"minimum and maximum, {kind}",
                    "image",
                    lambda x=x: np.stack([x.min((0, 1)), x.max((0, 1))]).astype(np.float64).reshape(2, -1),
                    0.0,
                    float(x.nbytes),
                    2.0 * x.size,
                )
                .ours(again(extremes, x), lambda y: np.asarray(y).reshape(2, -1))
                .add(opencv.min_max(x, threads), torch_.min_max(x, threads))
            )
        if wanted(f"mean, {kind}"):
            yield (
                Case(
                    f"mean, {kind}",
                    "image",
                    lambda x=x: definitions.decoded(x).mean((0, 1)).reshape(1, -1),
                    1e-6,
                    float(x.nbytes),
                    float(x.size),
                )
                .ours(again(mean, x), lambda y: np.asarray(y).reshape(1, -1))
                .add(opencv.mean(x, threads))
            )
