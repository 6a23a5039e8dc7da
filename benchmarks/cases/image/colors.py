"""Colours decoded, put in order and made gray, and alpha divided out, at 1920 x 1080, some at 4K."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import mpskit as mps

from ...harness.case import Case, Wanted
from ...harness.pictures import picture
from ...peers import kornia, opencv_colors, pillow, pyvips_


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    yield from _orders(threads, wanted)
    yield from _grays(threads, wanted)
    linear = mps.image.Conversion(source_color_space="srgb", destination_color_space="linear_srgb")
    codes = np.arange(256) / 255
    table = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    for kind, dtype in (("rgb8", "float32"), ("rgb8", "uint8"), ("rgba8", "uint8"), ("4K rgba8", "uint8")):
        if wanted(name := f"conversion from srgb to linear, {kind} to {dtype}"):
            x = picture(kind)
            out = mps.empty(x.shape, dtype)
            tables = np.stack([table] * 3 + [np.ones(256)] * (x.shape[2] - 3), -1)  # alpha is one
            if dtype == "uint8":
                tables = np.rint(tables * 255)

            def exact(x: np.ndarray = x, tables: np.ndarray = tables) -> np.ndarray:
                return np.stack([tables[x[..., c], c] for c in range(x.shape[2])], -1)

            yield (
                Case(name, "image", exact, 1.0 if dtype == "uint8" else 1e-6, x.nbytes + out.nbytes, 1.0 * x.size)
                .ours(lambda x=x, out=out: linear(x, out=out))
                .add(opencv_colors.looked_up(x, tables.astype(dtype), threads))
            )
    if wanted(name := "conversion to straight alpha, rgba8"):
        x = picture("rgba8")
        x[..., :3] = np.rint(x[..., :3] * (x[..., 3:] / 255))
        out = mps.empty(x.shape, x.dtype)
        straight = mps.image.Conversion(source_alpha="premultiplied", destination_alpha="non_premultiplied")

        def divided() -> np.ndarray:
            values = x.astype(np.float64)
            values[..., :3] = np.minimum(values[..., :3] * 255 / values[..., 3:], 255)
            return values

        yield (
            Case(name, "image", divided, 1.0, 2.0 * x.nbytes, 1.0 * x.size)
            .ours(lambda: straight(x, out=out))
            .add(opencv_colors.straight(x, threads))
        )


def _orders(threads: int, wanted: Wanted) -> Iterator[Case]:
    kept = {"source_alpha": "non_premultiplied", "destination_alpha": "non_premultiplied"}
    for kind in ("rgb8", "rgba8", "rgba32", "4K rgba8"):
        if wanted(name := f"BGRA to RGBA, {kind}"):
            x = picture(kind)
            out = mps.empty(x.shape, x.dtype)
            order = [2, 1, 0, 3][: x.shape[2]]
            kernel = mps.image.Conversion(source_channel_order="bgra", **kept)
            yield (
                Case(name, "image", lambda x=x, order=order: x[..., order].astype(np.float64), 0.0, 2.0 * x.nbytes)
                .ours(lambda x=x, kernel=kernel, out=out: kernel(x, out=out))
                .add(opencv_colors.reversed_colors(x, threads), pyvips_.reversed_colors(x, threads))
            )


def _grays(threads: int, wanted: Wanted) -> Iterator[Case]:
    weights = (0.299, 0.587, 0.114)  # BT.601, as OpenCV and Pillow have them
    kernel = mps.image.ThresholdTruncate(threshold_value=1, linear_gray_color_transform=weights)
    for kind in ("rgb8", "rgba8", "rgb32", "rgba32", "4K rgba8"):
        if wanted(name := f"RGB to gray, {kind}"):
            x = picture(kind)
            out = mps.empty((*x.shape[:2], 1), x.dtype)
            is_code = x.dtype == np.uint8
            yield (
                Case(
                    name,
                    "image",
                    lambda x=x: x[..., :3].astype(np.float64) @ weights,
                    1.01 if is_code else 1e-5,
                    float(x.nbytes + out.nbytes),
                    6.0 * out.size,
                )
                .ours(lambda x=x, out=out: kernel(x, out=out), lambda y: np.asarray(y)[..., 0])
                .add(opencv_colors.gray(x, threads), pillow.gray(x), kornia.gray(x))
            )
