"""Histograms, equalization, and pictures as planes at 1920 x 1080."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mpskit as mps

from ...harness.case import Case, Wanted
from ...harness.pictures import picture
from ...peers import opencv_histograms


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    yield from _counts(threads, wanted)
    yield from _equalization(threads, wanted)
    yield from _planes(threads, wanted)


def _counted(x: NDArray[Any]) -> NDArray[np.float64]:
    pixels = x.reshape(-1, 1 if x.ndim == 2 else x.shape[2])
    unit = 255.0 if x.dtype == np.uint8 else 1.0
    bins = np.minimum((pixels.astype(np.float64) / unit * 256).astype(np.int64), 255)
    return np.stack([np.bincount(bins[:, c], minlength=256) for c in range(bins.shape[1])]).astype(np.float64)


def _counts(threads: int, wanted: Wanted) -> Iterator[Case]:
    kernel = mps.image.Histogram(histogram_for_alpha=True)
    for kind in ("g8", "rgb8", "rgba8", "flat g8", "g32", "rgba32"):
        if wanted(name := f"histogram, {kind}"):
            x = picture(kind.split()[-1])
            if kind.startswith("flat"):
                x[...] = 100
            out = np.empty((1 if x.ndim == 2 else x.shape[2], 256), np.uint32)
            yield (
                Case(name, "image", lambda x=x: _counted(x), 0.0, x.nbytes, 1.0 * x.size)
                .ours(lambda x=x, out=out: kernel(x, out=out))
                .add(opencv_histograms.counts(x, threads))
            )


def _equalization(threads: int, wanted: Wanted) -> Iterator[Case]:
    for kind in ("g8", "g32"):
        if wanted(name := f"histogram equalization, {kind}"):
            x = picture(kind)
            out = mps.empty(x.shape, x.dtype)

            def exact(x: NDArray[Any] = x) -> NDArray[np.float64]:
                unit = 255.0 if x.dtype == np.uint8 else 1.0
                sums = np.cumsum(_counted(x)[0])
                return (sums / sums[-1])[np.minimum((x / unit * 256).astype(int), 255)] * unit

            yield (
                Case(name, "image", exact, 1.0 if x.dtype == np.uint8 else 1e-6, 3.0 * x.nbytes, 2.0 * x.size)
                .ours(lambda x=x, out=out: mps.image.HistogramEqualization()(x, out=out))
                .add(opencv_histograms.equalized(x, threads) if kind == "g8" else None)
            )


def _planes(threads: int, wanted: Wanted) -> Iterator[Case]:
    for kind in ("rgb8", "rgba8", "rgb32"):
        if wanted(name := f"copy to matrix, {kind}"):
            x = picture(kind)
            row = np.empty((1, x.size), x.dtype)
            yield (
                Case(name, "image", lambda x=x: np.float64(x.transpose(2, 0, 1).reshape(1, -1)), 0.0, 2.0 * x.nbytes)
                .ours(lambda x=x, row=row: mps.image.CopyToMatrix()(x, out=row))
                .add(opencv_histograms.split(x, threads))
            )
        if wanted(name := f"matrix copy to image, {kind}"):
            x = picture(kind)
            planes = [np.ascontiguousarray(x[..., c]) for c in range(x.shape[2])]
            out, row = mps.empty(x.shape, x.dtype), np.stack(planes).reshape(1, -1)
            yield (
                Case(name, "image", lambda x=x: x.astype(np.float64), 0.0, 2.0 * x.nbytes)
                .ours(lambda row=row, out=out: mps.linalg.MatrixCopyToImage()(row, out=out))
                .add(opencv_histograms.merge(planes, threads))
            )
