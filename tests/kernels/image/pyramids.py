"""Float64 references of pyramids, written from their definitions, and what their tests share."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.kernels.image import filters
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, decode, encode, random_image
from tests.support.frame import Framed

Array = NDArray[Any]
Exact = NDArray[np.float64]

# Single pixels and lines; a lane more and less than registers hold; every number of channels that has code of its own; odd and even.
SHAPES = [
    (1, 1, 1, 1),
    (1, 1, 9, 1),
    (2, 12, 1, 3),
    (1, 33, 31, 1),
    (2, 16, 17, 2),
    (1, 7, 34, 4),
    (1, 5, 18, 7),
    (1, 9, 131, 1),
]


def taps(center_weight: float = 0.375) -> Exact:
    a = float(np.float32(center_weight))
    return np.array([0.25 - a / 2, 0.25, a, 0.25, 0.25 - a / 2])


def window(center_weight: float = 0.375) -> Exact:
    return np.outer(taps(center_weight), taps(center_weight))


def half(side: int, level: int = 1) -> int:
    return max(1, side >> level)


def shapes(shape: tuple[int, ...], levels: int) -> list[tuple[int, ...]]:
    return [(shape[0], half(shape[1], n), half(shape[2], n), shape[3]) for n in range(levels)]


def full(shape: tuple[int, ...]) -> int:
    return int(np.floor(np.log2(max(shape[1:3])))) + 1


def reduced(level: Exact, weights: Exact, edge_mode: str) -> Exact:
    """The next level: filtered, even rows and columns kept."""
    height, width = level.shape[1:3]
    filtered = filters.weighted(weights)(filters.looker(level, (height, width), edge_mode))
    return filtered[:, : 2 * half(height) : 2, : 2 * half(width) : 2]


def expanded(small: Exact, hw: tuple[int, int], weights: Exact, edge_mode: str) -> Exact:
    """Zeros between the pixels, then filtered. Where an odd side wants one more than there are, the edge mode says which."""
    stuffed = np.zeros((small.shape[0], *hw, small.shape[3]))
    ys, xs = np.arange((hw[0] + 1) // 2), np.arange((hw[1] + 1) // 2)
    pixels = small[:, np.minimum(ys, small.shape[1] - 1)[:, None], np.minimum(xs, small.shape[2] - 1)]
    if edge_mode == "zero":
        inside = (ys < small.shape[1])[:, None] & (xs < small.shape[2])
        pixels = np.where(inside[None, ..., None], pixels, 0.0)
    stuffed[:, ::2, ::2] = pixels
    return filters.weighted(weights)(filters.looker(stuffed, hw, edge_mode))


def check_gaussian(
    kernel: Any, image: Array, got: tuple[Array, ...], weights: Exact, engine: Engine, scale: float = 1.0
) -> None:
    """Level by level, each from the one before as it is stored."""
    if image.dtype == got[0].dtype:
        np.testing.assert_array_equal(got[0], image)
    else:
        compare(kernel, got[0], decode(image), engine)
    for before, level in itertools.pairwise(got):
        compare(kernel, level, reduced(decode(before), weights, kernel.edge_mode), engine, scale)


def compare(kernel: Any, got: Array, exact: Exact, engine: Engine, scale: float = 1.0) -> None:
    absolute, relative = tolerance_of(kernel, got.dtype, engine)
    if got.dtype.name in CODES:
        assert_close(got, encode(exact, got.dtype.name), absolute)
    else:
        assert_close(got, exact, absolute * scale, relative)


def check_laplacian(
    kernel: Any, pyramid: tuple[Array, ...], got: tuple[Array, ...], weights: Exact, engine: Engine, scale: float = 1.0
) -> None:
    """Subtract or Add, level by level; Add's from the level below as it is stored."""
    assert len(got) == len(pyramid)
    np.testing.assert_array_equal(got[-1], pyramid[-1])
    is_add = type(kernel).__name__.endswith("Add")
    bias, factor = kernel.laplacian_bias, kernel.laplacian_scale
    for n in range(len(pyramid) - 1):
        level = decode(pyramid[n])
        small = expanded(decode(got[n + 1] if is_add else pyramid[n + 1]), level.shape[1:3], weights, kernel.edge_mode)
        exact = (level - bias) / factor + small if is_add else bias + factor * (level - small)
        compare(kernel, got[n], exact, engine, scale)


def random_levels(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, levels: int) -> tuple[Array, ...]:
    return tuple(random_image(rng, s, dtype) for s in shapes(shape, levels))


def run_laplacian(engine: Engine, rng: np.random.Generator, dtype: str, kernel: Any) -> None:
    for shape in SHAPES:
        pyramid = random_levels(rng, shape, dtype, full(shape))
        before = [level.copy() for level in pyramid]
        got = kernel(pyramid)
        assert [(g.shape, g.dtype) for g in got] == [(p.shape, p.dtype) for p in pyramid]
        check_laplacian(kernel, pyramid, got, window(), engine)
        for a, b in zip(pyramid, before, strict=True):
            np.testing.assert_array_equal(a, b)


def run_laplacian_frames(engine: Engine, rng: np.random.Generator, dtype: str, kernel: Any) -> None:
    for channels in (1, 3, 4):
        source = [Framed(s, dtype, 2) for s in shapes((2, 19, 22, channels), 4)]
        out = [Framed(s.array.shape, dtype, 2) for s in source]
        for s in source:
            s.array[...] = random_image(rng, s.array.shape, dtype)
        arrays = tuple(o.array for o in out)
        pyramid = tuple(s.array for s in source)
        assert kernel(pyramid, out=arrays) is arrays
        check_laplacian(kernel, pyramid, arrays, window(), engine)
        for frame in (*source, *out):
            frame.check()


def run_laplacian_weights(engine: Engine, rng: np.random.Generator, dtype: str, kernel: Any) -> None:
    """The classical expansion; a product that is not symmetric; no product; wider than the picture; rows and columns alone."""
    column, row = rng.random(7), rng.random(3)
    for w in (
        4 * window(),
        np.outer(column, row),
        *(rng.normal(0.3, 1, s) for s in ((3, 5), (9, 1), (1, 7), (11, 15), (1, 1))),
    ):
        weights = (w / max(np.abs(w).sum() / 4, 1)).astype(np.float32)
        for shape, edge_mode in (((1, 14, 19, 3), "clamp"), ((2, 9, 40, 1), "zero"), ((1, 8, 13, 4), "clamp")):
            pyramid = random_levels(rng, shape, dtype, 3)
            k = kernel(weights=weights).replace(edge_mode=edge_mode)
            check_laplacian(k, pyramid, k(pyramid), weights.astype(np.float64), engine, 5)


def run_laplacian_bias_and_scale(engine: Engine, rng: np.random.Generator, dtype: str, kernel: Any) -> None:
    for bias, scale in ((0.5, 0.5), (-0.25, 2.0)):
        k = kernel(laplacian_bias=bias, laplacian_scale=scale, center_weight=0.5)
        pyramid = random_levels(rng, (2, 11, 22, 4), dtype, 4)
        check_laplacian(k, pyramid, k(*pyramid), window(0.5), engine, 4)


def run_one_level(rng: np.random.Generator, kernel: Any) -> None:
    (level,) = random_levels(rng, (1, 5, 7, 3), "uint8", 1)
    got = kernel()(level)
    assert isinstance(got, tuple)
    np.testing.assert_array_equal(got[0], level)


def run_laplacian_errors(kernel: Any) -> None:
    name = kernel.__name__
    x = [np.zeros(s, np.float32) for s in ((6, 8, 3), (3, 4, 3), (1, 2, 3))]
    ones = np.ones((3, 3), np.float32)
    for error, text, call in (
        (TypeError, f"{name}: pyramid is float64; allowed: uint8, uint16, float16, float32.", lambda: kernel()(x[0].astype(np.float64))),
        (TypeError, f"{name}: 0 inputs given; allowed: pyramid (one or more).", lambda: kernel()()),
        (ValueError, f"{name}: pyramid begins with (0, 8, 3) float32; allowed: at least one pixel", lambda: kernel()(x[0][:0])),
        (ValueError, f"{name}: level 1 of pyramid is (1, 2, 3) float32; allowed: (3, 4, 3) float32. Each level is half", lambda: kernel()(x[0], x[2])),
        (ValueError, f"{name}: level 1 of pyramid is (3, 4, 3) uint8; allowed: (3, 4, 3) float32.", lambda: kernel()(x[0], x[1].astype(np.uint8))),
        (ValueError, f"{name}: pyramid has 2 levels; allowed: at most 1 from 1 x 1 pixels down to one.", lambda: kernel()(np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32))),
        (ValueError, f"{name}: pyramid has 3 levels, out has 2; allowed: as many.", lambda: kernel()(x, out=tuple(a.copy() for a in x[:2]))),
        (ValueError, f"{name}: level 0 of out is (6, 8, 3) uint8; allowed: (6, 8, 3) float32, as in pyramid.", lambda: kernel()(x, dtype="uint8")),
        (ValueError, f"{name}: out overlaps pyramid; allowed: separate memory.", lambda: kernel()(x, out=(x[0], x[1].copy(), x[2].copy()))),
        (ValueError, f"{name}: two outputs overlap; allowed: separate memory.", lambda: kernel()(x[1], x[2], out=(x[0][:3, :4], x[0][:1, :2]))),
        (ValueError, f"{name}: laplacian_scale is 0; allowed: any other number", lambda: kernel(laplacian_scale=0)),
        (ValueError, f"{name}: laplacian_bias is inf; allowed: ", lambda: kernel(laplacian_bias=float("inf"))),
        (ValueError, f"{name}: weights and center_weight are both given; allowed: one.", lambda: kernel(weights=ones, center_weight=0.4)),
        (ValueError, f"{name}: edge_mode is 'mirror'; allowed: 'zero', 'clamp'.", lambda: kernel(edge_mode="mirror")),
    ):  # fmt: skip
        filters.refused(error, text, call)
