"""Blurs, gradients, Lanczos and statistics at 1920 x 1080, some at 4K."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import mpskit as mps

from ...harness import definitions
from ...harness.case import Case, Wanted, again
from ...harness.pictures import picture
from ...peers import kornia, opencv_arithmetic, opencv_filters, pillow, pyvips_, scipy_, torch_


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    yield from _blurs(threads, wanted)
    yield from _sobels(threads, wanted)
    yield from _scales(threads, wanted)
    yield from _statistics(threads, wanted)


def _blurs(threads: int, wanted: Wanted) -> Iterator[Case]:
    for kind in ("g8", "rgb8", "rgba8", "g32", "rgba32", "4K g8", "4K rgba8", "4K g32"):
        for sigma in (2.0, 10.0):
            name = f"gaussian sigma {sigma:g}, {kind}"
            if not wanted(name):
                continue
            x = picture(kind)
            out = mps.empty(x.shape, x.dtype)
            taps = definitions.gaussian_taps(sigma)
            blur = mps.image.GaussianBlur(sigma=sigma, edge_mode="clamp")
            yield (
                Case(
                    name,
                    "image",
                    lambda x=x, taps=taps: definitions.in_codes(
                        definitions.separable(definitions.decoded(x), taps), x.dtype
                    ),
                    1.01 if x.dtype == np.uint8 else 1e-5,
                    2.0 * x.nbytes,
                    4.0 * len(taps) * x.size,
                )
                .ours(lambda blur=blur, x=x, out=out: blur(x, out=out))
                .add(
                    opencv_filters.gaussian_blur(x, sigma, len(taps) // 2, threads),
                    opencv_filters.separable(x, taps, threads),
                    scipy_.gaussian(x, sigma, len(taps) // 2),
                    pillow.gaussian(x, sigma),
                    pyvips_.gaussian(x, sigma, threads),
                    kornia.gaussian(x, sigma, len(taps) // 2),
                )
            )


def _sobels(threads: int, wanted: Wanted) -> Iterator[Case]:
    for kind in ("g8", "g32", "4K g8", "4K g32"):
        name = f"sobel magnitude, {kind} to float32"
        if not wanted(name):
            continue
        x = picture(kind)
        out = mps.empty(x.shape, "float32")
        sobel = mps.image.Sobel(edge_mode="clamp")
        yield (
            Case(
                name,
                "image",
                lambda x=x: definitions.sobel_magnitude(definitions.decoded(x)),
                1e-5,
                x.nbytes + out.nbytes,
                14.0 * x.size,
            )
            .ours(lambda sobel=sobel, x=x, out=out: sobel(x, out=out))
            .add(opencv_filters.sobel_magnitude(x, threads))
        )


def _scales(threads: int, wanted: Wanted) -> Iterator[Case]:
    for source, (height, width), size in (("4K", (2160, 3840), (1920, 1080)), ("FHD", (1080, 1920), (299, 299))):
        for kind in ("g8", "rgb8", "rgba8", "g32", "rgba32"):
            name = f"lanczos {source} to {size[0]}x{size[1]}, {kind}"
            if not wanted(name):
                continue
            x = picture(kind, height, width)
            out = mps.empty((size[1], size[0], *x.shape[2:]), x.dtype)
            scale = mps.image.LanczosScale(width=size[0], height=size[1])
            channels = 1 if x.ndim == 2 else x.shape[2]
            taps = 6.0 * (width * height + height * size[0])
            yield (
                Case(
                    name,
                    "image",
                    lambda x=x, size=size: definitions.in_codes(
                        definitions.lanczos(definitions.decoded(x), size), x.dtype
                    ),
                    1.01 if x.dtype == np.uint8 else 1e-5,
                    x.nbytes + out.nbytes,
                    2.0 * taps * channels,
                )
                .ours(lambda scale=scale, x=x, out=out: scale(x, out=out))
                .add(
                    pillow.lanczos(x, size),
                    torch_.antialiased(x, size, threads),
                    opencv_arithmetic.lanczos4(x, size, threads),
                    pyvips_.lanczos(x, size, threads),
                )
            )


def _statistics(threads: int, wanted: Wanted) -> Iterator[Case]:
    for kind in ("g8", "rgba8", "g32", "rgba32", "4K g8", "4K g32"):
        name = f"mean and variance, {kind}"
        if not wanted(name):
            continue
        x = picture(kind)
        statistics = mps.image.StatisticsMeanAndVariance()
        yield (
            Case(
                name,
                "image",
                lambda x=x: definitions.mean_and_variance(definitions.decoded(x)),
                1e-6,
                float(x.nbytes),
                3.0 * x.size,
            )
            .ours(again(statistics, x), lambda y: np.asarray(y).reshape(2, -1))
            .add(opencv_arithmetic.mean_std(x, threads), torch_.var_mean(x, threads))
        )
