"""Thresholds, transposes and integral images at 1920 x 1080 and, some, 4K: as fast as memory, or not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import mpskit as mps

from ...harness import definitions, filter_definitions
from ...harness.case import Case, Wanted
from ...harness.pictures import picture
from ...peers import opencv_filters, pillow, pyvips_, scikit_image, torch_


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    yield from _thresholds(threads, wanted)
    yield from _transposes(threads, wanted)
    yield from _integrals(threads, wanted)


def _thresholds(threads: int, wanted: Wanted) -> Iterator[Case]:
    limit = 101 / 256  # no code, and the same number in every precision
    rules = (
        (
            "binary",
            mps.image.ThresholdBinary(threshold_value=limit),
            lambda g: np.where(g > limit, 1.0, 0.0),
            "THRESH_BINARY",
        ),
        (
            "to zero",
            mps.image.ThresholdToZero(threshold_value=limit),
            lambda g: np.where(g > limit, g, 0.0),
            "THRESH_TOZERO",
        ),
        (
            "truncate",
            mps.image.ThresholdTruncate(threshold_value=limit),
            lambda g: np.minimum(g, limit),
            "THRESH_TRUNC",
        ),
    )
    for rule, kernel, exact, flag in rules:
        for kind in ("g8", "g32", "rgba8", "rgba32", *(("4K g8", "4K g32") if rule != "truncate" else ("4K rgba8",))):
            if (rule == "truncate") != ("rgb" in kind):
                continue  # jumps are no matter of tolerance where gray comes from a sum
            if wanted(name := f"threshold {rule}, {kind}"):
                x = picture(kind)
                unit = definitions.unit_of(x.dtype)
                out = mps.empty((*x.shape[:2], 1), x.dtype)
                yield (
                    Case(
                        name,
                        "image",
                        lambda x=x, exact=exact: definitions.in_codes(
                            filter_definitions.threshold(exact, definitions.decoded(x)), x.dtype
                        ),
                        1.01 if x.dtype == np.uint8 else 1e-6,
                        x.nbytes + out.nbytes,
                        2.0 * x.size,
                    )
                    .ours(lambda x=x, kernel=kernel, out=out: kernel(x, out=out), lambda y: np.asarray(y)[..., 0])
                    .add(opencv_filters.threshold(x, limit * unit, unit, flag, threads))
                )


def _transposes(threads: int, wanted: Wanted) -> Iterator[Case]:
    for kind in ("g8", "rgb8", "rgba8", "g32", "rgba32", "4K g8", "4K g32"):
        if wanted(name := f"transpose, {kind}"):
            x = picture(kind)
            out = mps.empty((x.shape[1], x.shape[0], *x.shape[2:]), x.dtype)
            yield (
                Case(name, "image", lambda x=x: x.swapaxes(0, 1).astype(np.float64), 0.0, 2.0 * x.nbytes, 0.0)
                .ours(lambda x=x, out=out: mps.image.Transpose()(x, out=out))
                .add(
                    opencv_filters.transpose(x, threads),
                    torch_.transposed(x, threads),
                    pillow.transposed(x) if x.ndim == 3 or x.dtype == np.uint8 else None,
                    pyvips_.transposed(x, threads),
                )
            )


def _integrals(threads: int, wanted: Wanted) -> Iterator[Case]:
    for kind in ("g8", "rgba8", "g32", "rgba32", "4K g8", "4K g32"):
        if wanted(name := f"integral, {kind} to float32"):
            x = picture(kind)
            out = mps.empty(x.shape, "float32")
            yield (
                Case(
                    name,
                    "image",
                    lambda x=x: filter_definitions.integral(definitions.decoded(x)),
                    1.0 if kind.startswith("4K") else 0.25,  # a float32 of millions
                    x.nbytes + out.nbytes,
                    2.0 * x.size,
                )
                .ours(lambda x=x, out=out: mps.image.Integral()(x, out=out))
                .add(opencv_filters.integral(x, threads), torch_.integral(x, threads), scikit_image.integral(x))
            )
