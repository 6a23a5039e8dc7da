"""What tests of the eight reductions, StatisticsMinAndMax and StatisticsMean share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.kernels.image import filters
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, decode, encode, random_image
from tests.support.frame import Framed

Array = NDArray[Any]
Rect = tuple[int, int, int, int]
Reduction = Callable[[Array], filters.Exact]  # (height, width, channels) to the result, exactly
# One pixel; one element more and less than registers and blocks; long rows and columns; channels of every kind.
SHAPES = [
    (1, 1, 1, 1),
    (1, 5, 7, 1),
    (2, 9, 33, 3),
    (1, 130, 15, 4),
    (1, 3, 700, 1),
    (1, 67, 131, 2),
    (2, 6, 13, 7),
    (1, 3, 65, 17),
    (1, 2, 5, 33),
]


def exact_sum(x: Array, axis: int) -> filters.Exact:
    """Sums of exact values: integers for codes, math.fsum for floats."""
    if x.dtype.name in CODES:
        return x.astype(np.int64).sum(axis, keepdims=True) / CODES[x.dtype.name]
    wide = np.moveaxis(x.astype(np.float64), axis, -1)
    sums = np.array([math.fsum(values) for values in wide.reshape(-1, wide.shape[-1])])
    return np.expand_dims(sums.reshape(wide.shape[:-1]), axis)


def row_or_column(what: str, axis: str) -> Reduction:
    along = {"row": 1, "column": 0}[axis]
    if what == "min":
        return lambda x: decode(x).min(along, keepdims=True)
    if what == "max":
        return lambda x: decode(x).max(along, keepdims=True)
    if what == "sum":
        return lambda x: exact_sum(x, along)
    return lambda x: exact_sum(x, along) / x.shape[along]


def cut(x: Array, rect: Rect | None) -> Array:
    left, top, width, height = rect or (0, 0, x.shape[-2], x.shape[-3])
    return x[..., top : top + height, left : left + width, :]


def check(kernel: Any, reduction: Reduction, x: Array, got: Array, engine: Engine, rect: Rect | None = None) -> None:
    exact = np.stack([reduction(cut(image, rect)) for image in x])
    wanted = encode(exact, got.dtype.name) if got.dtype.name in CODES else exact
    assert_close(got, wanted, *tolerance_of(kernel, got.dtype, engine))


def run(engine: Engine, rng: np.random.Generator, kernel: type, dtype: str, reduction: Reduction, is_sum: bool) -> None:
    for shape in SHAPES:
        x = random_image(rng, shape, dtype)
        got = kernel()(x)
        assert got.dtype == (np.float32 if is_sum else x.dtype)
        check(kernel(), reduction, x, got, engine)
    x = random_image(rng, (1, 5, 9, 3), dtype)
    if is_sum:
        x = (x // 9 if dtype in CODES else x / 16).astype(dtype)
    for to in IMAGE_DTYPES:
        out = np.empty_like(kernel()(x), dtype=to)
        check(kernel(), reduction, x, kernel()(x, out=out), engine)
    assert kernel()(x, dtype="float16").dtype == np.float16
    parts(engine, rng, kernel, dtype, reduction)


def parts(engine: Engine, rng: np.random.Generator, kernel: type, dtype: str, reduction: Reduction) -> None:
    """Regions of padded batches to places of larger outputs: what is not written keeps its values."""
    for channels in (1, 3, 4):
        source = Framed((2, 9, 11, channels), dtype, 2, fill=0x7F if dtype in CODES else 0xFF)  # NaN around floats
        source.array[...] = random_image(rng, source.array.shape, dtype)
        for rect in ((0, 0, 1, 1), (3, 2, 5, 4), (9, 8, 100, 100), (0, 5, 11, 1), (10, 0, 1, 9)):
            k = kernel(clip_rect_source=rect)
            size = k(source.array).shape[1:3]
            out = Framed((2, 13, 14, channels), "float32", 2)
            out.array[...] = 7
            k = k.replace(clip_rect=(2, 1, 11, 12))
            assert k(source.array, out=out.array) is out.array
            place = np.s_[:, 1 : 1 + size[0], 2 : 2 + size[1]]
            check(k, reduction, source.array, out.array[place], engine, rect)
            out.array[place] = 7
            assert (out.array == 7).all()
            out.check()


def large(engine: Engine, rng: np.random.Generator, kernel: type, reduction: Reduction) -> None:
    """Several pieces, the largest codes, and the number of threads."""
    for dtype, shape in (("uint8", (700, 1300, 1)), ("float32", (301, 430, 3)), ("uint16", (300, 500, 4))):
        x = random_image(rng, shape, dtype)
        x[: shape[0] // 2] = CODES.get(dtype, 1)
        check(kernel(), reduction, x[None], kernel()(x)[None], engine)
        if not engine.is_metal:
            filters.run_threads(engine, kernel(), x)
    long = 16000 if engine.is_metal else 600_000  # the largest side of a Metal texture; counters would run over
    for dtype in ("uint8", "uint16"):
        for shape in ((1, long, 1), (long, 1, 1)):
            x = np.full(shape, CODES[dtype], dtype)
            got, exact = kernel()(x), reduction(x)
            assert_close(got, encode(exact, got.dtype.name) if got.dtype.name in CODES else exact, 0, 1e-6)


def special(engine: Engine, rng: np.random.Generator, kernel: type, reduction: Reduction, is_sum: bool) -> None:
    x = rng.random((7, 140, 4)).astype(np.float32)
    x[3, 77, 1], x[3, 77, 2] = np.inf, -np.inf
    with np.errstate(invalid="ignore"):
        clean = np.where(np.isinf(x), 0, x)
        flags = [reduction(np.where(x == sign * np.inf, 1.0, 0.0).astype(np.float32)) for sign in (1, -1)]
    got = kernel()(x)
    if is_sum:
        for flag, sign in zip(flags, (1, -1), strict=True):
            np.testing.assert_array_equal(got == sign * np.inf, flag > 0)
        wanted = reduction(clean)
        finite = np.isfinite(got)
        assert_close(got[finite], wanted[finite], *tolerance_of(kernel(), got.dtype, engine))
        x[3, 77, 0] = np.nan
        np.testing.assert_array_equal(
            np.isnan(kernel()(x)), reduction((np.arange(4) == 0) * (np.isnan(x) * np.float32(1))) > 0
        )
    else:
        np.testing.assert_array_equal(got, reduction(x))
        for value in (np.inf, -np.inf, -2.5):
            flat = np.full((3, 40, 2), value, np.float32)
            assert (kernel()(flat) == value).all()


def errors(kernel: type, size: tuple[int, int], is_sum: bool) -> None:
    """`size` is (width, height) of the result for a picture of 8 x 6."""
    name, x = kernel.__name__, np.zeros((6, 8, 3), np.float32)
    small = (
        np.zeros((size[1], max(size[0] - 1, 1), 3), np.float32)
        if size[0] > 1
        else np.zeros((max(size[1] - 1, 1), size[0], 3), np.float32)
    )
    for error, text, call in (
        (ValueError, "image has 3 channels, out has 1; allowed: the same number", lambda: kernel()(x, out=np.zeros((size[1], size[0], 1), np.float32))),
        (ValueError, "clip_rect_source begins at (8, 0) and holds no pixel of image (8 x 6)", lambda: kernel(clip_rect_source=(8, 0, 1, 1))(x)),
        (ValueError, "clip_rect_source selects images by z", lambda: kernel(clip_rect_source=(0, 0, 1, 1, 1, 1))(x)),
        (ValueError, "image is (6, 0, 3) float32; allowed: at least one pixel", lambda: kernel()(x[:, :0])),
        (TypeError, "image is float64; allowed: uint8, uint16, float16, float32.", lambda: kernel()(x.astype(np.float64))),
    ):  # fmt: skip
        filters.refused(error, f"{name}: {text}", call)
    if size != (1, 1):
        filters.refused(
            ValueError,
            f"{name}: out holds {small.shape[1]} x {small.shape[0]} pixels from (0, 0) on",
            lambda: kernel()(x, out=small),
        )
    if name.startswith("Reduce"):
        filters.refused(
            ValueError,
            f"{name}: out is {size[0] + 1} x {size[1] + 1}, the result is {size[0]} x {size[1]}; allowed: the same size.",
            lambda: kernel()(x, out=np.zeros((size[1] + 1, size[0] + 1, 3), np.float32)),
        )
    if is_sum:
        filters.refused(
            TypeError, f"{name}: dtype is uint8; allowed: float32, float16.", lambda: kernel()(x, dtype="uint8")
        )


def numpy_agrees(rng: np.random.Generator, kernel: type, function: Any, **options: Any) -> None:
    x = rng.normal(3, 2, (123, 77, 3)).astype(np.float32)
    np.testing.assert_allclose(kernel()(x), function(x.astype(np.float64), keepdims=True, **options), rtol=1e-6)
