"""LanczosScale against float64: each axis is a matrix of weights, written from the definition."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, decode, encode, random_image
from tests.support.frame import Framed

LanczosScale = mps.image.LanczosScale
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)

# (source height, width, channels) to (height, width): single pixels, one lane more and less than registers of every ISA, each
# channel count that has code of its own, up and down and both, one axis alone, few pixels from very many and the reverse.
SIZES = [
    ((1, 1, 1), (1, 1)), ((1, 1, 3), (5, 4)), ((5, 7, 1), (9, 16)), ((9, 17, 1), (3, 2)), ((33, 15, 1), (17, 31)),
    ((20, 65, 4), (10, 33)), ((17, 33, 3), (34, 99)), ((31, 63, 2), (11, 16)), ((8, 9, 6), (7, 10)), ((13, 21, 4), (13, 8)),
    ((13, 21, 3), (5, 21)), ((16, 16, 4), (16, 16)), ((2, 700, 1), (3, 2)), ((600, 3, 4), (2, 5)), ((2, 3, 3), (41, 70)),
    ((50, 90, 5), (25, 30)),
]  # fmt: skip


@cache
def axis(src: int, dst: int, scale: float | None = None, translate: float = 0.0) -> Array:
    """The (dst, src) matrix of weights. Lanczos-3, wider by 1 / scale when it reduces; the edge pixel answers beyond the border."""
    scale = dst / src if scale is None else scale
    stretch = max(1.0, 1.0 / scale)
    matrix = np.zeros((dst, src))
    for i in range(dst):
        u = (i + 0.5 - translate) / scale
        k = np.arange(np.floor(u - 0.5 - 3 * stretch), np.ceil(u - 0.5 + 3 * stretch) + 1)
        t = (k + 0.5 - u) / stretch
        weights = np.where(np.abs(t) < 3, np.sinc(t) * np.sinc(t / 3), 0.0)
        weights[np.abs(weights) < 1e-12] = 0.0  # sinc's zeros, as far as float64 finds them
        np.add.at(matrix[i], np.clip(k, 0, src - 1).astype(int), weights / weights.sum())
    return matrix


def resize(x: Array, rows: Array, columns: Array) -> Array:
    """(..., height, width, channels) stored elements to exact values; what is not finite spreads as far as a weight is not zero."""
    exact = decode(x)
    finite = np.isfinite(exact)
    out = _apply(rows, np.where(finite, exact, 0.0), columns)
    if not finite.all():
        out[_apply((rows != 0) * 1.0, ~finite * 1.0, (columns != 0) * 1.0) > 0.5] = np.nan
    return out


def _apply(rows: Array, image: Array, columns: Array) -> Array:
    turned = np.tensordot(np.tensordot(rows, image, (1, -3)), columns, (-2, 1))  # (y, ..., channel, x)
    return np.moveaxis(np.moveaxis(turned, 0, -2), -3, -1)


def assert_scaled(kernel: Any, got: Array, exact: Array, engine: Engine, scale: float = 1.0) -> None:
    absolute, relative = tolerance_of(kernel, got.dtype, engine)
    wanted = encode(exact, got.dtype.name) if got.dtype.name in CODES else exact
    assert_close(got, wanted, absolute, relative, 1.0 if got.dtype.name in CODES else scale)


def magnitude(x: Array) -> float:
    """Tolerances are absolute for inputs within [-1, 1]."""
    return max(1.0, float(np.abs(decode(x)).max()))


@DTYPES
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for source, size in SIZES:
        x = random_image(rng, source, dtype)
        kernel = LanczosScale(width=size[1], height=size[0])
        got = kernel(x)
        assert (got.shape, got.dtype) == ((*size, source[2]), np.dtype(dtype))
        assert_scaled(kernel, got, resize(x, axis(source[0], size[0]), axis(source[1], size[1])), engine, magnitude(x))


# Sizes at which the work is split, along and across, and the last piece is short.
@pytest.mark.parametrize(("channels", "width"), [(1, 2500), (2, 1300), (3, 900), (4, 700), (7, 400)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_pieces(engine: Engine, rng: np.random.Generator, dtype: str, channels: int, width: int) -> None:
    x = random_image(rng, (66, width, channels), dtype)
    if dtype == "uint8":
        x[rng.random(x.shape) < 0.5] = 255  # hard edges: overshoot on both sides
        x[rng.random(x.shape) < 0.4] = 0
    for height, other in ((15, width * 6 // 5), (33, width // 12), (150, width // 2)):
        kernel = LanczosScale(width=other, height=height)
        assert_scaled(kernel, kernel(x), resize(x, axis(66, height), axis(width, other)), engine, magnitude(x))


@pytest.mark.parametrize(("source", "target"), [(a, b) for a in IMAGE_DTYPES for b in IMAGE_DTYPES if a != b])
def test_formats_mix(engine: Engine, rng: np.random.Generator, source: str, target: str) -> None:
    for shape, size in (((9, 14, 1), (5, 20)), ((12, 11, 4), (30, 5))):
        x = random_image(rng, shape, source)
        kernel = LanczosScale(width=size[1], height=size[0])
        exact = resize(x, axis(shape[0], size[0]), axis(shape[1], size[1]))
        got = kernel(x, dtype=target)
        assert got.dtype == target
        assert_scaled(kernel, got, exact, engine, magnitude(x))


@DTYPES
def test_padded_rows_and_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for shape, size in (((3, 10, 19, 1), (6, 9)), ((2, 9, 17, 4), (20, 35)), ((2, 7, 9, 3), (7, 4))):
        src = Framed(shape, dtype, 2, fill=0x7F if dtype in CODES else 0xFF)  # NaN around floats
        src.array[...] = random_image(rng, shape, dtype)
        dst = Framed((shape[0], *size, shape[3]), dtype, 2)
        kernel = LanczosScale()
        assert kernel(src.array, out=dst.array) is dst.array
        exact = resize(src.array, axis(shape[1], size[0]), axis(shape[2], size[1]))
        assert_scaled(kernel, dst.array, exact, engine, magnitude(src.array))
        dst.check()


def test_clip_rect_masks_a_fit(engine: Engine, rng: np.random.Generator) -> None:
    x = random_image(rng, (15, 22, 3), "float32")
    whole = resize(x, axis(15, 31), axis(22, 40))
    for left, top, width, height in ((7, 5, 13, 9), (39, 30, 100, 100), (0, 0, 40, 31), (3, 0, 1, 31)):
        out = np.full((31, 40, 3), 7.0, np.float32)
        kernel = LanczosScale(clip_rect=(left, top, width, height))
        kernel(x, out=out)
        inside = np.s_[top : top + height, left : left + width]
        assert_scaled(kernel, out[inside], whole[inside], engine, magnitude(x))
        out[inside] = 7.0
        assert (out == 7.0).all()


@pytest.mark.parametrize(
    "transform",
    [(0.5, 0.5, 0.0, 0.0), (2.0, 3.0, -7.25, 4.5), (0.3, 1.7, 5.1, -3.3), (1.0, 1.0, -3.0, 2.0), (1.0, 0.8, 0.5, 0.0),
     (1.5, 1.0, 1e300, -1e300), (1 / 4096, 1e300, 0.25, 0.0)],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_scale_transform(engine: Engine, rng: np.random.Generator, dtype: str, transform: tuple[float, ...]) -> None:
    x = random_image(rng, (19, 23, 4), dtype)
    sx, sy, tx, ty = transform
    near = [float(np.clip(t, -1e5, 1e5)) for t in (tx, ty)]  # out there all is edge pixel; the oracle counts taps
    for clip in (None, (4, 3, 20, 9)):
        left, top, width, height = clip or (0, 0, 27, 18)
        out = np.full((18, 27, 4), 1, dtype)
        kernel = LanczosScale(scale_transform=transform, clip_rect=clip)
        kernel(x, out=out)
        exact = resize(x, axis(19, height, sy, near[1]), axis(23, width, sx, near[0]))
        inside = np.s_[top : top + height, left : left + width]
        assert_scaled(kernel, out[inside], exact, engine, magnitude(x))
        out[inside] = 1
        assert (out == 1).all()


@pytest.mark.parametrize("channels", [1, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_nan_and_infinity_spread_as_far_as_the_filter(
    engine: Engine, rng: np.random.Generator, dtype: str, channels: int
) -> None:
    for size in ((11, 13), (40, 66), (20, 30), (9, 30), (20, 61)):
        x = rng.random((20, 30, channels)).astype(dtype)
        x[10, 14, 0], x[4, 25, -1], x[19, 0, 0] = np.nan, np.inf, -np.inf
        kernel = LanczosScale(width=size[1], height=size[0])
        got = kernel(x)
        exact = resize(x, axis(20, size[0]), axis(30, size[1]))
        np.testing.assert_array_equal(np.isfinite(got), np.isfinite(exact))
        finite = np.isfinite(exact)
        assert_scaled(kernel, got[finite], exact[finite], engine)
        assert (kernel(x, dtype="uint8")[np.isnan(got)] == 0).all()


def test_scale_one_copies(engine: Engine, rng: np.random.Generator) -> None:
    for dtype in IMAGE_DTYPES:
        x = random_image(rng, (13, 37, 3), dtype)
        np.testing.assert_array_equal(LanczosScale()(x), x)
        moved = LanczosScale(scale_transform=(1, 1, -5, 2), clip_rect=(0, 2, 37, 8))(x, out=np.zeros_like(x))
        np.testing.assert_array_equal(moved[2:10, :32], x[[0, 0, *range(6)], 5:])


@DTYPES
def test_flat_stays_flat(engine: Engine, dtype: str) -> None:
    most = int(CODES.get(dtype, 1))
    for value in (0, 1, most // 3, most - 1, most) if dtype in CODES else (0.3, -5.0, 1.0):
        x = np.full((41, 333, 1), value, dtype)
        for size in ((13, 50), (20, 166), (90, 700), (1, 1), (82, 100)):
            got = LanczosScale(width=size[1], height=size[0])(x)
            if dtype in CODES:
                assert (got == value).all()
            else:
                assert_close(got, np.full(got.shape, x[0, 0, 0], np.float64), 0, 2e-6 if dtype == "float32" else 1e-3)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_symmetries(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    x = random_image(rng, (40, 70, 4), dtype)
    for size in ((19, 33), (60, 50)):
        kernel = LanczosScale(width=size[1], height=size[0])
        got, allowed = kernel(x).astype(np.float64), 1 if dtype == "uint8" else 4e-6 * magnitude(x)
        assert_close(kernel(np.ascontiguousarray(x[::-1, ::-1]))[::-1, ::-1], got, allowed, 1e-6)
        turned = LanczosScale(width=size[0], height=size[1])(np.ascontiguousarray(x.swapaxes(0, 1)))
        assert_close(turned.swapaxes(0, 1), got, allowed, 1e-6)
        for channel in range(4):  # alone, beside two others: other code, the same value
            for some in ([channel], [channel, 0, 2]):
                assert_close(kernel(np.ascontiguousarray(x[..., some]))[..., 0], got[..., channel], allowed, 1e-6)


def test_many_taps_keep_their_digits(engine: Engine, rng: np.random.Generator) -> None:
    length = 16384 if engine.is_metal else 30000  # the largest side of a Metal texture
    x = (rng.random((2, length, 1)) * 0.1 + 0.9).astype(np.float32)
    for image, size in ((x, (1, 3)), (np.ascontiguousarray(x.swapaxes(0, 1)), (3, 1))):
        kernel = LanczosScale(width=size[1], height=size[0])
        exact = resize(image, axis(image.shape[0], size[0]), axis(image.shape[1], size[1]))
        assert_scaled(kernel, kernel(image), exact, engine)


def test_pillow_agrees_away_from_borders(engine: Engine, rng: np.random.Generator) -> None:
    image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    x = rng.random((90, 120)).astype(np.float32)
    for (height, width), border in (((45, 50), 8), ((200, 300), 12), ((90, 61), 5)):
        theirs = np.asarray(image.fromarray(x).resize((width, height), image.Resampling.LANCZOS))
        ours = LanczosScale(width=width, height=height)(x)
        inside = np.s_[border:-border, border:-border]
        assert_close(ours[inside], theirs[inside].astype(np.float64), 2e-6)


@pytest.mark.threads
def test_threads_do_not_change_results(rng: np.random.Generator) -> None:
    before = mps.num_threads()
    try:
        for dtype, size in (("uint8", (70, 400)), ("float32", (70, 400)), ("float32", (400, 300))):
            x = random_image(rng, (200, 900, 3), dtype)
            results = []
            for threads in (1, 2, 5):
                mps.set_num_threads(threads)
                with mps.device("cpu"):
                    results.append(LanczosScale(width=size[1], height=size[0])(x))
            np.testing.assert_array_equal(results[0], results[1])
            np.testing.assert_array_equal(results[0], results[2])
    finally:
        mps.set_num_threads(before)


def test_shapes_of_results(engine: Engine) -> None:
    x = np.zeros((6, 8, 2), np.float32)
    assert LanczosScale()(x).shape == (6, 8, 2)
    assert LanczosScale(width=3)(x).shape == (6, 3, 2)
    assert LanczosScale(height=3)(x[..., 0]).shape == (3, 8)
    assert LanczosScale(width=2, height=5)(np.zeros((4, 6, 8, 2), np.uint8)).shape == (4, 5, 2, 2)
    assert LanczosScale(width=3, height=2)(x, out=np.empty((2, 3, 2), np.float16)).shape == (2, 3, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"edge_mode": "zero"}, "LanczosScale: edge_mode is 'zero'; allowed: 'clamp'"),
        ({"offset": (1, 0)}, "LanczosScale: offset is (1, 0); allowed: (0, 0). Move the picture with the translation"),
        ({"scale_transform": (0.0, 1, 0, 0)}, "LanczosScale: scale_transform has scale_x 0.0; allowed: scale_x >= 1/4096"),
        ({"scale_transform": (1, -2.0, 0, 0)}, "LanczosScale: scale_transform has scale_y -2.0; allowed: scale_y >= 1/4096"),
        ({"scale_transform": (1, 1, float("nan"), 0)}, "LanczosScale: scale_transform is nan"),
        ({"scale_transform": (1, float("inf"), 0, 0)}, "LanczosScale: scale_transform is inf"),
        ({"scale_transform": (1, 1)}, "LanczosScale: scale_transform is (1, 1); allowed: 4 numbers"),
        ({"width": 0}, "LanczosScale: width is 0; allowed: 1 <= width <= 1048576 px"),
        ({"height": 1 << 21}, "LanczosScale: height is 2097152; allowed: 1 <= height <= 1048576 px"),
    ],
)  # fmt: skip
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        LanczosScale(**options)


def test_bad_operands(engine: Engine) -> None:
    x = np.zeros((4, 5, 3), np.float32)
    for kernel, source, out, message in (
        (
            LanczosScale(),
            x,
            np.zeros((4, 5, 4), np.float32),
            "image has 3 channels, out has 4; allowed: the same number",
        ),
        (LanczosScale(width=7), x, np.zeros((4, 5, 3), np.float32), "out is 5 x 4, the kernel says width 7"),
        (LanczosScale(clip_rect=(5, 0, 2, 2)), x, None, "clip_rect begins at (5, 0) and holds no pixel of out (5 x 4)"),
        (LanczosScale(), x[:0], None, "image is (0, 5, 3) float32; allowed: at least one pixel"),
        (LanczosScale(), x[None], np.zeros((2, 4, 5, 3), np.float32), "image has 1 image, out has 2"),
        (  # 2**64 bytes are not none
            LanczosScale(width=1 << 20, height=1 << 20),
            mps.Image.empty(width=1, height=1, feature_channels=1 << 22, channel_format="float32"),
            None,
            "LanczosScale: (1048576, 1048576, 4194304) float32 is too large; allowed: up to 2**60 bytes.",
        ),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            kernel(source, out=out)
    with pytest.raises(TypeError, match="int8"):
        LanczosScale()(np.zeros((4, 5), np.int8))
