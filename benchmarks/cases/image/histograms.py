"""Histograms, equalization, pictures as planes, and alpha at 1920 x 1080; some at 4K."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mpskit as mps

from ...harness import definitions
from ...harness.case import Case, Wanted
from ...harness.pictures import picture
from ...peers import kornia, opencv_histograms, pillow, pyvips_


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    yield from _counts(threads, wanted)
    yield from _equalization(threads, wanted)
    yield from _planes(threads, wanted)
    yield from _conversions(threads, wanted)


def _counted(x: NDArray[Any]) -> NDArray[np.float64]:
    pixels = x.reshape(-1, 1 if x.ndim == 2 else x.shape[2])
    unit = definitions.unit_of(x.dtype)
    bins = np.minimum((pixels.astype(np.float64) / unit * 256).astype(np.int64), 255)
    return np.stack([np.bincount(bins[:, c], minlength=256) for c in range(bins.shape[1])]).astype(np.float64)


def _counts(threads: int, wanted: Wanted) -> Iterator[Case]:
    kernel = mps.image.Histogram(histogram_for_alpha=True)
    for kind in ("g8", "rgb8", "rgba8", "flat g8", "g32", "rgba32", "4K g8", "4K g32"):
        if wanted(name := f"histogram, {kind}"):
            x = picture(kind.removeprefix("flat "))
            if kind.startswith("flat"):
                x[...] = 100
            out = np.empty((1 if x.ndim == 2 else x.shape[2], 256), np.uint32)
            yield (
                Case(name, "image", lambda x=x: _counted(x), 0.0, x.nbytes, 1.0 * x.size)
                .ours(lambda x=x, out=out: kernel(x, out=out))
                .add(
                    opencv_histograms.counts(x, threads), pillow.counts(x), pyvips_.counts(x, threads), kornia.counts(x)
                )
            )


def _equalization(threads: int, wanted: Wanted) -> Iterator[Case]:
    for kind in ("g8", "g32", "4K g8"):
        if wanted(name := f"histogram equalization, {kind}"):
            x = picture(kind)
            out = mps.empty(x.shape, x.dtype)

            def exact(x: NDArray[Any] = x) -> NDArray[np.float64]:
                unit = definitions.unit_of(x.dtype)
                sums = np.cumsum(_counted(x)[0])
                return (sums / sums[-1])[np.minimum((x / unit * 256).astype(int), 255)] * unit

            yield (
                Case(name, "image", exact, 1.0 if x.dtype == np.uint8 else 1e-6, 3.0 * x.nbytes, 2.0 * x.size)
                .ours(lambda x=x, out=out: mps.image.HistogramEqualization()(x, out=out))
                .add(opencv_histograms.equalized(x, threads) if kind.endswith("g8") else None)
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


def _conversions(threads: int, wanted: Wanted) -> Iterator[Case]:
    if wanted(name := "conversion to premultiplied, rgba8"):
        x = picture("rgba8")
        out = mps.empty(x.shape, x.dtype)
        kernel = mps.image.Conversion(source_alpha="non_premultiplied", destination_alpha="premultiplied")

        def exact() -> NDArray[np.float64]:
            values = x.astype(np.float64)
            values[..., :3] *= values[..., 3:] / 255
            return values

        yield (
            Case(name, "image", exact, 1.0, 2.0 * x.nbytes, 1.0 * x.size)
            .ours(lambda: kernel(x, out=out))
            .add(opencv_histograms.premultiplied(x, threads), pillow.premultiplied(x))
        )
    if wanted(name := "conversion from display p3 to srgb, rgba8"):
        x = picture("rgba8")
        out = mps.empty(x.shape, x.dtype)
        kernel = mps.image.Conversion(source_color_space="display_p3", destination_color_space="srgb")
        to_srgb = np.array(
            [
                [1.2249401763, -0.2249401763, 0],
                [-0.0420569547, 1.0420569547, 0],
                [-0.0196375546, -0.0786360456, 1.0982736001],
            ]
        )

        def exact_srgb() -> NDArray[np.float64]:
            v = x[..., :3] / 255
            v = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4) @ to_srgb.T
            v = np.where(v <= 0.0031308, v * 12.92, 1.055 * np.maximum(v, 0.0031308) ** (1 / 2.4) - 0.055)
            return np.concatenate([np.clip(v, 0, 1) * 255, np.full_like(v[..., :1], 255)], -1)

        yield Case(name, "image", exact_srgb, 1.0, 2.0 * x.nbytes, 60.0 * x.size).ours(lambda: kernel(x, out=out))
