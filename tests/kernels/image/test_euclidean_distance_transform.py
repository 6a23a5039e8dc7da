"""EuclideanDistanceTransform against the least of all distances in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.image import filters
from tests.kernels.image.filters import refused
from tests.kernels.image.reference import written
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, encode
from tests.support.frame import Framed

Array = NDArray[Any]
Transform = mps.image.EuclideanDistanceTransform
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)


def distances(
    is_set: Array, out_hw: tuple[int, int], edge_mode: str = "clamp", offset: tuple[int, int] = (0, 0), clip_rect: Any = None
) -> NDArray[np.float64]:  # fmt: skip
    """Of each written pixel to the nearest of (images, height, width) that is set; with 'clamp' borders continue outwards."""
    rows, columns = written(out_hw, clip_rect)
    ys = np.arange(rows.stop - rows.start) + offset[1]
    xs = np.arange(columns.stop - columns.start) + offset[0]
    height, width = is_set.shape[1:]
    top, left = 0, 0
    if edge_mode == "clamp":  # as far as the written pixels lie
        top, left = max(0, -int(ys[0])), max(0, -int(xs[0]))
        more = (top, max(0, int(ys[-1]) + 1 - height)), (left, max(0, int(xs[-1]) + 1 - width))
        is_set = np.pad(is_set, ((0, 0), *more), mode="edge")
    down = np.abs(ys[:, None] - (np.arange(is_set.shape[1]) - top)).astype(np.float64)
    along = (xs[:, None] - (np.arange(is_set.shape[2]) - left)).astype(np.float64) ** 2
    out = np.empty((len(is_set), len(ys), len(xs), 1))
    for picture, result in zip(is_set, out, strict=True):
        for y, steps in enumerate(down):
            column = np.where(picture, steps[:, None], np.inf).min(0) ** 2
            result[y, :, 0] = np.sqrt((along + column).min(1))
    return out


def mask(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, density: float) -> Array:
    """Mostly zeros of both signs."""
    values = rng.integers(1, 200, shape).astype(dtype) / (1 if dtype in CODES else 64)
    signs = 1 if dtype in CODES else rng.choice([-1, 1], shape)
    return (np.where(rng.random(shape) < density, values, 0) * signs).astype(dtype)


def assert_distances(kernel: Any, got: Array, exact: NDArray[np.float64], engine: Engine) -> None:
    absolute, relative = tolerance_of(kernel, got.dtype, engine)
    if engine.is_metal and np.isinf(exact).any():  # some number larger than the sides
        assert (got[np.isinf(exact)] > min(1, max(got.shape)) * 0.99).all()
        got, exact = got[np.isfinite(exact)], exact[np.isfinite(exact)]
    wanted = encode(exact, got.dtype.name) if got.dtype.name in CODES else exact
    assert_close(got, wanted, absolute, relative)


# Registers and one more and less, one row, one column; batches.
SHAPES = [(1, 1, 1), (1, 5, 7), (2, 9, 33), (1, 17, 15), (1, 1, 130), (3, 40, 1), (2, 8, 16), (1, 70, 41)]


@DTYPES
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for shape in SHAPES:
        for density in (0.003, 0.05, 0.6):
            x = mask(rng, (*shape, 1), dtype, density)
            before = x.copy()
            got = Transform()(x)
            assert (got.shape, got.dtype) == (x.shape, np.float32)
            assert_distances(Transform(), got, distances(x[..., 0] != 0, shape[1:]), engine)
            np.testing.assert_array_equal(x, before)


def pictures() -> dict[str, Array]:
    """What makes rows differ: many corners of an envelope, few, none; neighbours near and far; columns without a pixel."""
    y, x = np.mgrid[:60, :260]
    rng = np.random.default_rng(7)
    sparse = rng.random(y.shape) < 0.001
    return {
        "line": np.abs(y - x * 0.23) < 1,
        "steep line": np.abs(x - 30 - y * 0.7) < 1,
        "disks": (np.hypot(y - 20, x - 40) < 15) | (np.hypot(y - 40, x - 200) < 9),
        "ring": np.abs(np.hypot(y - 30, x - 130) - 29) < 1,
        "dense": rng.random(y.shape) < 0.3,
        "some": rng.random(y.shape) < 0.02,
        "half dense": (rng.random(y.shape) < 0.3) & (x < 90),
        "sparse": sparse,
        "one": (y == 31) & (x == 17),
        "last": (y == 59) & (x == 259),
        "left edge": x == 0,
        "bottom": y == 59,
        "all": y >= 0,
        "slopes": (y + 3 * np.abs(x % 23 - 11)) % 40 == 0,
        "none": y < 0,
    }


def test_pictures_of_all_sorts(engine: Engine) -> None:
    for name, is_set in pictures().items():
        got = Transform()(is_set.astype(np.uint8))
        exact = distances(is_set[None], is_set.shape)[0, ..., 0]
        try:
            assert_distances(Transform(), got, exact, engine)
        except AssertionError as error:
            raise AssertionError(name) from error
    got = Transform()(np.zeros((20, 31), np.float32))
    assert (got > 31).all()
    if not engine.is_metal:
        assert np.isposinf(got).all()


def test_scipy_agrees(engine: Engine, rng: np.random.Generator) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="needs SciPy")
    is_set = rng.random((150, 200)) < 0.002
    assert_close(Transform()(is_set.astype(np.uint8)), ndimage.distance_transform_edt(~is_set), 0, 2e-7)


@DTYPES
def test_formats_of_the_result(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    x = mask(rng, (1, 30, 37, 1), "uint8", 0.01)
    got = Transform()(x, dtype=dtype)
    assert got.dtype == dtype
    assert_distances(Transform(), got, distances(x[..., 0] != 0, (30, 37)), engine)


def test_what_is_not_0(engine: Engine) -> None:
    for dtype in ("float16", "float32"):
        x = np.array([[0, -0.0, np.nan, 0, 0, np.inf, -np.inf, 0, -1]], dtype)
        np.testing.assert_array_equal(Transform()(x), [[2, 1, 0, 1, 1, 0, 0, 1, 0]])
        if not engine.is_metal:  # a GPU may take the least numbers for 0
            x = np.array([[0, np.finfo(dtype).smallest_subnormal]], dtype)
            np.testing.assert_array_equal(Transform()(x), [[1, 0]])


@DTYPES
@pytest.mark.parametrize("edge_mode", ["clamp", "zero"])
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    source = Framed((2, 19, 21, 1), dtype, 2)
    for density in (0.02, 0.3):
        source.array[...] = mask(rng, source.array.shape, dtype, density)
        source.array[:, 7, 11] = 1
        for offset, clip_rect in filters.PLACES:
            out = Framed((2, 14, 23, 1), "float32", 2)
            out.array[...] = -5
            k = Transform(edge_mode=edge_mode, offset=offset, clip_rect=clip_rect)
            assert k(source.array, out=out.array) is out.array
            rows, columns = written((14, 23), clip_rect)
            exact = distances(source.array[..., 0] != 0, (14, 23), edge_mode, offset, clip_rect)
            assert_distances(k, out.array[:, rows, columns], exact, engine)
            out.array[:, rows, columns] = -5
            assert (out.array == -5).all()
            out.check()
            source.check()


def test_search_limit_radius(engine: Engine, rng: np.random.Generator) -> None:
    x = mask(rng, (60, 70), "float32", 0.004)
    exact = distances((x != 0)[None], (60, 70))[0, ..., 0]
    for limit in (0.5, 1, 6.5, 40):
        got = Transform(search_limit_radius=limit)(x)
        within = exact <= limit
        assert_close(got[within], exact[within], 0, 2e-7)
        assert (got[~within] > limit).all()


def test_places_far_away(engine: Engine) -> None:
    """Where squares no longer fit into 32 bits, or steps into 16."""
    if engine.is_metal:
        pytest.skip("needs the CPU engine: textures have 16384 pixels a side at most")
    for shape, seeds in (((20000, 2), [(3, 0), (15000, 1)]), ((3, 30000), [(1, 4), (2, 29000)])):
        x = np.zeros(shape, np.uint8)
        y, column = np.mgrid[: shape[0], : shape[1]]
        for seed in seeds:
            x[seed] = 1
        exact = np.min([np.hypot(y - a, column - b) for a, b in seeds], 0)
        assert_close(Transform()(x), exact, 0, 2e-7)
        part = np.zeros((3, 2), np.float32)
        Transform(offset=(shape[1] - 2, shape[0] - 3))(x, out=part)
        assert_close(part, exact[-3:, -2:], 0, 2e-7)
    for height in (16382, 16383, 16384):
        x = np.zeros((height, 40), np.uint8)
        assert np.isposinf(Transform()(x)).all()
        x[height // 2, 0] = 1
        y, column = np.mgrid[:height, :40]
        assert_close(Transform()(x), np.hypot(y - height // 2, column), 0, 2e-7)
    x = np.eye(4, dtype=np.float32)
    far = Transform(edge_mode="zero", offset=(-(10**12), 10**12))(x)
    assert_close(far, np.full((4, 4), np.sqrt(2) * 1e12), 0, 2e-7)
    far = Transform(edge_mode="zero", offset=(2**61, 0))(np.ones((1, 1), np.float32))
    assert_close(far, np.full((1, 1), 2.0**61), 0, 2e-7)
    assert (Transform(offset=(-(2**62), 2**62))(np.ones((2, 3), np.uint8)) == 0).all()


def test_threads_do_not_change_the_result(engine: Engine, rng: np.random.Generator) -> None:
    filters.run_threads(engine, Transform(), mask(rng, (200, 300), "uint8", 0.01))


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    x = np.zeros((6, 8), np.float32)
    name = "EuclideanDistanceTransform"
    refused(
        ValueError,
        f"{name}: image has 3 channels; allowed: 1. Pass one of them",
        lambda: Transform()(np.zeros((6, 8, 3), np.uint8)),
    )
    refused(
        ValueError,
        f"{name}: image has 1 channel, out has 2; allowed: the same number.",
        lambda: Transform()(x, out=np.zeros((6, 8, 2), np.float32)),
    )
    refused(
        TypeError,
        f"{name}: image is float64; allowed: uint8, uint16, float16, float32.",
        lambda: Transform()(x.astype(np.float64)),
    )
    refused(ValueError, f"{name}: image is (0, 8, 1) float32; allowed: at least one pixel", lambda: Transform()(x[:0]))
    refused(
        ValueError,
        f"{name}: clip_rect begins at (90, 0) and holds no pixel",
        lambda: Transform(clip_rect=(90, 0, 2, 2))(x),
    )
    refused(
        ValueError, f"{name}: edge_mode is 'mirror'; allowed: 'zero', 'clamp'.", lambda: Transform(edge_mode="mirror")
    )
    for value in (0, -2.0, float("inf"), float("nan")):
        refused(
            ValueError,
            f"{name}: search_limit_radius is {value}; allowed: 0 < search_limit_radius <= 3.4028",
            lambda value=value: Transform(search_limit_radius=value),
        )
    limited = Transform(search_limit_radius=32)
    assert limited == Transform(search_limit_radius=32.0) != Transform()
    assert Transform(search_limit_radius=Transform().search_limit_radius) == Transform()
