"""What tests of unary image filters share: float64 windows, and the grid that every one of them goes through."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.image.reference import separable, written
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, decode, encode, random_image
from tests.support.frame import Framed

Array = NDArray[Any]
Exact = NDArray[np.float64]
# window(y, x): the source pixel that lies so far from each written pixel, (images, rows, columns, channels).
Look = Callable[[int, int], Exact]
Reference = Callable[[Look], Exact]


def looker(
    source: Exact,
    out_hw: tuple[int, int],
    edge_mode: str = "clamp",
    offset: tuple[int, ...] = (0, 0),
    clip_rect: tuple[int, ...] | None = None,
) -> Look:
    """Reads around the source pixel under each written one, beyond the border what the edge mode says."""
    rows, columns = written(out_hw, clip_rect)
    under_y = np.arange(rows.stop - rows.start) + offset[1]
    under_x = np.arange(columns.stop - columns.start) + offset[0]
    height, width = source.shape[1:3]

    def look(y: int, x: int) -> Exact:
        ys, xs = under_y + y, under_x + x
        pixels = source[:, np.clip(ys, 0, height - 1)[:, None], np.clip(xs, 0, width - 1)[None]]
        if edge_mode == "zero":
            inside = ((ys >= 0) & (ys < height))[:, None] & ((xs >= 0) & (xs < width))
            pixels = np.where(inside[None, ..., None], pixels, 0.0)
        return pixels

    return look


def stack(look: Look, height: int, width: int) -> Exact:
    """All pixels of the window, on a new first axis, row by row."""
    return np.stack([look(j - height // 2, i - width // 2) for j in range(height) for i in range(width)])


def weighted(weights: Any, bias: float = 0.0) -> Reference:
    """The sum of a window's pixels times weights (height, width)."""
    w = np.asarray(weights, np.float64)
    return lambda look: np.einsum("k,k...->...", w.ravel(), stack(look, *w.shape)) + bias


def check(
    kernel: Any,
    source: Array,
    got: Array,
    reference: Reference,
    engine: Engine,
    scale: float = 1.0,
    places: dict[str, Any] | None = None,
) -> None:
    """The written part of `got` against the definition; shapes (images, height, width, channels)."""
    places = places or {}
    rows, columns = written(got.shape[1:3], places.get("clip_rect"))
    exact = reference(looker(decode(source), got.shape[1:3], **places))
    dtype = got.dtype.name
    absolute, relative = tolerance_of(kernel, dtype, engine)
    if dtype in CODES:
        assert_close(got[:, rows, columns], encode(exact, dtype), absolute)
    else:
        assert_close(got[:, rows, columns], exact, absolute * scale, relative)


def run_shapes(
    engine: Engine,
    rng: np.random.Generator,
    dtype: str,
    cases: Iterable[tuple[tuple[int, int, int, int], Any, Reference]],
    edge_mode: str = "clamp",
    scale: float = 1.0,
) -> None:
    """(shape, kernel, reference) each; the kernel's edge mode is replaced."""
    for shape, kernel, reference in cases:
        k = kernel.replace(edge_mode=edge_mode)
        x = random_image(rng, shape, dtype)
        before = x.copy()
        got = k(x)
        assert (got.shape, got.dtype) == (x.shape, x.dtype)
        check(k, x, got, reference, engine, scale, {"edge_mode": edge_mode})
        np.testing.assert_array_equal(x, before)


def run_separable(
    engine: Engine,
    rng: np.random.Generator,
    dtype: str,
    cases: Iterable[tuple[Any, Any]],
    make: Any,
    taps: Any,
    edge_mode: str,
) -> None:
    """(shape, (width, height)) each: make(width, height) against the outer product of taps(height) and taps(width)."""
    for shape, (width, height) in cases:
        x = random_image(rng, shape, dtype)
        kernel = make(width, height).replace(edge_mode=edge_mode)
        exact = separable(decode(x), taps(height), taps(width), shape[1:3], edge_mode)
        wanted = encode(exact, dtype) if dtype in CODES else exact
        assert_close(kernel(x), wanted, *tolerance_of(kernel, dtype, engine))


# offset, clip_rect: beyond every border, parts of the output, a single pixel.
PLACES: list[tuple[tuple[int, int], tuple[int, int, int, int] | None]] = [
    ((0, 0), (2, 1, 9, 5)), ((-4, 3), (1, 2, 1000, 1000)), ((5, -6), None), ((-60, 2), (0, 3, 7, 4)), ((400, -90), (20, 10, 1, 1)),
]  # fmt: skip


def run_places(
    engine: Engine,
    rng: np.random.Generator,
    dtype: str,
    kernel: Any,
    reference: Reference,
    edge_mode: str = "clamp",
    channels: int = 2,
    scale: float = 1.0,
) -> None:
    """offset and clip_rect in padded batches: what is not written keeps its values, sentinels around all of it."""
    source = Framed((2, 19, 21, channels), dtype, 2)
    source.array[...] = random_image(rng, source.array.shape, dtype)
    for offset, clip_rect in PLACES:
        out = Framed((2, 14, 23, channels), dtype, 2)
        out.array[...] = random_image(rng, out.array.shape, dtype)
        old = out.array.copy()
        places = {"edge_mode": edge_mode, "offset": offset, "clip_rect": clip_rect}
        k = kernel.replace(**places)
        assert k(source.array, out=out.array) is out.array
        check(k, source.array, out.array, reference, engine, scale, places)
        rows, columns = written((14, 23), clip_rect)
        old[:, rows, columns] = out.array[:, rows, columns]
        np.testing.assert_array_equal(out.array, old)
        out.check()
        source.check()


def run_formats(
    engine: Engine, rng: np.random.Generator, dtype: str, kernel: Any, reference: Reference, scale: float = 1.0
) -> None:
    """From one format to every other."""
    x = random_image(rng, (1, 7, 37, 3), dtype)
    for to in ("uint8", "uint16", "float16", "float32"):
        check(kernel, x, kernel(x, dtype=to), reference, engine, scale)


def run_threads(engine: Engine, kernel: Any, x: Array) -> None:
    """The number of threads does not change the result."""
    before = mps.num_threads()
    try:
        results = []
        for threads in (1, 3):
            mps.set_num_threads(threads)
            results.append(kernel(x))
        np.testing.assert_array_equal(results[1], results[0])
    finally:
        mps.set_num_threads(before)


def run_tiles(engine: Engine, kernel: Any, x: Array, tile: tuple[int, int]) -> None:
    """Tiles written one by one through clip_rect make the whole."""
    whole = kernel(x)
    out = np.zeros_like(whole)
    for y in range(0, x.shape[0], tile[0]):
        for left in range(0, x.shape[1], tile[1]):
            kernel.replace(clip_rect=(left, y, tile[1], tile[0]), offset=(left, y))(x, out=out)
    assert_close(out, whole, *tolerance_of(kernel, whole.dtype, engine))


def plain_errors(kernel: Any) -> None:
    """What every filter refuses, and in which words."""
    name = type(kernel).__name__
    x = np.zeros((6, 8, 3), np.float32)
    for error, text, call in (
        (TypeError, f"{name}: image is float64; allowed: uint8, uint16, float16, float32.", lambda: kernel(x.astype(np.float64))),
        (ValueError, f"{name}: image has 3 channels, out has 2; allowed: the same number.",
         lambda: kernel(x, out=np.zeros((*kernel(x).shape[:2], 2), np.float32))),
        (ValueError, f"{name}: image is (0, 8, 3) float32; allowed: at least one pixel", lambda: kernel(x[:0])),
        (ValueError, f"{name}: clip_rect begins at (90, 0) and holds no pixel", lambda: kernel.replace(clip_rect=(90, 0, 2, 2))(x)),
        (ValueError, f"{name}: edge_mode is 'mirror'; allowed: 'zero', 'clamp'.", lambda: kernel.replace(edge_mode="mirror")),
    ):  # fmt: skip
        with pytest.raises(error, match=re.escape(text)):
            call()


def refused(error: type[Exception], text: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error, match=re.escape(text)):
        call()
