"""GaussianPyramid against float64, written from the definition."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.image import filters, pyramids
from tests.support.compare import assert_close
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES, random_image
from tests.support.frame import Framed

GaussianPyramid = mps.image.GaussianPyramid
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)


@DTYPES
@pytest.mark.parametrize("edge_mode", ["clamp", "zero"])
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    for shape in pyramids.SHAPES:
        x = random_image(rng, shape, dtype)
        before = x.copy()
        kernel = GaussianPyramid(edge_mode=edge_mode)
        got = kernel(x)
        assert isinstance(got, tuple)
        assert [(g.shape, g.dtype) for g in got] == [(s, x.dtype) for s in pyramids.shapes(shape, pyramids.full(shape))]
        pyramids.check_gaussian(kernel, x, got, pyramids.window(), engine)
        np.testing.assert_array_equal(x, before)


@DTYPES
def test_other_weights(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    """Another centre; a product that is not symmetric; no product; wider than the picture; rows and columns alone; one weight."""
    column, row = rng.random(7), rng.random(3)
    any_weights = [rng.normal(0.3, 1, s) for s in ((3, 5), (9, 1), (1, 7), (11, 15), (1, 1))]
    for w in (np.outer(column, row), *any_weights):
        w = (w / np.abs(w).sum()).astype(np.float32)
        for shape, edge_mode in (((1, 14, 19, 3), "clamp"), ((2, 9, 40, 1), "zero")):
            kernel = GaussianPyramid(3, weights=w, edge_mode=edge_mode)
            x = random_image(rng, shape, dtype)
            pyramids.check_gaussian(kernel, x, kernel(x), w.astype(np.float64), engine)
    for center_weight in (0.4, 0.0):
        kernel = GaussianPyramid(3, center_weight=center_weight)
        x = random_image(rng, (1, 13, 18, 4), dtype)
        pyramids.check_gaussian(kernel, x, kernel(x), pyramids.window(center_weight), engine)


@DTYPES
def test_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for channels in (1, 3, 4):
        source = Framed((2, 19, 21, channels), dtype, 2)
        source.array[...] = random_image(rng, source.array.shape, dtype)
        out = tuple(Framed(s, dtype, 2) for s in pyramids.shapes(source.array.shape, 4))
        kernel = GaussianPyramid()
        arrays = tuple(o.array for o in out)
        assert kernel(source.array, out=arrays) is arrays
        pyramids.check_gaussian(kernel, source.array, arrays, pyramids.window(), engine)
        for frame in (source, *out):
            frame.check()


@DTYPES
def test_levels_may_have_another_format(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    x = random_image(rng, (1, 11, 26, 2), dtype)
    for to in IMAGE_DTYPES:
        kernel = GaussianPyramid(levels=3)
        got = kernel(x, dtype=to)
        assert {g.dtype.name for g in got} == {to}
        pyramids.check_gaussian(kernel, x, got, pyramids.window(), engine)


def test_number_of_levels(engine: Engine, rng: np.random.Generator) -> None:
    x = random_image(rng, (20, 36), "uint8")
    whole = GaussianPyramid()(x)
    assert [level.shape for level in whole] == [(20, 36), (10, 18), (5, 9), (2, 4), (1, 2), (1, 1)]
    for levels in (1, 2, 5):
        got = GaussianPyramid(levels)(x)
        assert isinstance(got, tuple)
        assert len(got) == levels
        for a, b in zip(got, whole, strict=False):
            np.testing.assert_array_equal(a, b)
    out = tuple(np.zeros_like(level) for level in whole[:3])  # so many are made as out has
    GaussianPyramid()(x, out=out)
    np.testing.assert_array_equal(out[2], whole[2])


def test_the_picture_may_be_the_first_level(engine: Engine, rng: np.random.Generator) -> None:
    x = mps.zeros((2, 17, 40, 3), "float32")
    x[...] = random_image(rng, x.shape, "float32")
    before = x.copy()
    wanted = GaussianPyramid(3)(before)
    out = (x, *(np.zeros_like(w) for w in wanted[1:]))
    GaussianPyramid()(x, out=out)
    for a, b in zip(out, wanted, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="overlaps image"):
        GaussianPyramid(1)(x[:1, 1:], out=(x[:1, :-1],))


def test_encoded_levels_and_images(engine: Engine, rng: np.random.Generator) -> None:
    """Temporaries between two kernels of a command buffer, Images in and out, and a completion."""
    x = random_image(rng, (2, 30, 41, 4), "uint8")
    wanted = GaussianPyramid(4)(x)
    with mps.device(engine.device) as device, device.command_buffer() as cb:
        levels = GaussianPyramid(4).encode(cb, mps.Image(x))
        blurred = mps.image.Box(kernel_width=3, kernel_height=3).encode(cb, levels[2], temporary=False)
    np.testing.assert_array_equal(np.asarray(blurred), mps.image.Box(kernel_width=3, kernel_height=3)(wanted[2]))
    images = GaussianPyramid(4).submit(mps.Image(x)).result()
    assert all(isinstance(i, mps.Image) for i in images)
    for a, b in zip(images, wanted, strict=True):
        np.testing.assert_array_equal(np.asarray(a), b)


def test_constant_pictures_stay(engine: Engine) -> None:
    for dtype, value in (("uint8", 201), ("uint16", 40001), ("float16", 0.5), ("float32", 0.3)):
        for level in GaussianPyramid()(np.full((37, 50, 3), value, dtype)):
            assert_close(level, np.full(level.shape, np.dtype(dtype).type(value)), 0 if dtype != "float32" else 1e-6)


def test_an_impulse(engine: Engine) -> None:
    """Only what falls on even places is kept: the weights at distance 0 and 2, or those at 1."""
    for at, wanted in (((8, 8), [0.0625, 0.375, 0.0625]), ((9, 8), [0.25, 0.25])):
        x = np.zeros((16, 16), np.float32)
        x[at] = 1
        level = GaussianPyramid(2)(x)[1]
        expected = np.zeros((8, 8))
        rows = slice(3, 6) if at[0] == 8 else slice(4, 6)
        expected[rows, 3:6] = np.outer(wanted, [0.0625, 0.375, 0.0625])
        assert_close(level, expected, 1e-7)


def test_nan_and_infinity_reach_as_far_as_the_window(engine: Engine) -> None:
    for value in (np.nan, np.inf, -np.inf):
        x = np.full((20, 40), 0.5, np.float32)
        x[10, 20] = value
        wanted = np.full((10, 20), 0.5)
        wanted[4:7, 9:12] = value
        assert_close(GaussianPyramid(2)(x)[1], wanted, 1e-6)


def test_opencv_agrees(engine: Engine, rng: np.random.Generator) -> None:
    """pyrDown rounds halves up."""
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV")
    for shape in ((64, 80), (47, 97, 3), (40, 71, 4)):
        x = random_image(rng, shape, "uint8")
        wanted = cv2.pyrDown(x, dstsize=(shape[1] // 2, shape[0] // 2), borderType=cv2.BORDER_REPLICATE)
        assert_close(GaussianPyramid(2)(x)[1], wanted, 1)


def test_threads_do_not_change_the_result(engine: Engine, rng: np.random.Generator) -> None:
    x = random_image(rng, (150, 300, 3), "float32")
    before = mps.num_threads()
    try:
        results: list[tuple[NDArray[Any], ...]] = []
        for threads in (1, 3):
            mps.set_num_threads(threads)
            results.append(GaussianPyramid()(x))
        for a, b in zip(*results, strict=True):
            np.testing.assert_array_equal(a, b)
    finally:
        mps.set_num_threads(before)


def test_it_is_a_value(engine: Engine) -> None:
    k = GaussianPyramid(4, weights=np.full((3, 3), 1 / 9, np.float32))
    assert pickle.loads(pickle.dumps(k)) == k != k.replace(levels=3)
    assert k == GaussianPyramid(4, weights=[1 / 9] * 9, kernel_width=3, kernel_height=3).replace(
        kernel_width=None, kernel_height=None, weights=np.full((3, 3), 1 / 9, np.float32)
    )


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    x = np.zeros((6, 8, 3), np.float32)
    ones = np.ones((3, 3), np.float32)
    halves = tuple(np.zeros(s, np.float32) for s in ((6, 8, 3), (3, 4, 3)))
    for error, text, call in (
        (TypeError, "GaussianPyramid: image is float64; allowed: uint8, uint16, float16, float32.", lambda: GaussianPyramid()(x.astype(np.float64))),
        (ValueError, "GaussianPyramid: image is (0, 8, 3) float32; allowed: at least one pixel", lambda: GaussianPyramid()(x[:0])),
        (ValueError, "GaussianPyramid: levels is 5; allowed: 0 <= levels <= 4 for 8 x 6 pixels. Pass fewer.", lambda: GaussianPyramid(5)(x)),
        (ValueError, "GaussianPyramid: levels is -1; allowed: ", lambda: GaussianPyramid(-1)),
        (ValueError, "GaussianPyramid: levels is 3, out has 2; allowed: the same number. Pass levels=2, or omit it.", lambda: GaussianPyramid(3)(x, out=halves)),
        (TypeError, "GaussianPyramid: out is ndarray; allowed: a tuple of 1 or more, one for each output.", lambda: GaussianPyramid()(x, out=x.copy())),
        (TypeError, "GaussianPyramid: out is tuple; allowed: a tuple of 1 or more, one for each output.", lambda: GaussianPyramid()(x, out=())),
        (ValueError, "GaussianPyramid: level 1 of out is (3, 5, 3) float32; allowed: (3, 4, 3) float32. Each level is half",
         lambda: GaussianPyramid()(x, out=(halves[0], np.zeros((3, 5, 3), np.float32)))),
        (ValueError, "GaussianPyramid: level 1 of out is (3, 4, 3) uint8; allowed: (3, 4, 3) float32.",
         lambda: GaussianPyramid()(x, out=(halves[0], np.zeros((3, 4, 3), np.uint8)))),
        (ValueError, "GaussianPyramid: image is (6, 8, 3) float32, level 0 of out is (6, 7, 3) float32; allowed: the same shape.",
         lambda: GaussianPyramid()(x, out=(np.zeros((6, 7, 3), np.float32),))),
        (ValueError, "GaussianPyramid: image is (6, 8, 3) float32, level 0 of out is (6, 8, 2) float32; allowed: the same shape.", lambda: GaussianPyramid()(x, channels=2)),
        (ValueError, "GaussianPyramid: weights and center_weight are both given; allowed: one. Omit center_weight.", lambda: GaussianPyramid(weights=ones, center_weight=0.4)),
        (ValueError, "GaussianPyramid: kernel_width is given without weights; allowed: with them.", lambda: GaussianPyramid(kernel_width=3)),
        (ValueError, "GaussianPyramid: weights is 2 x 3; allowed: odd sides from 1 to 255.", lambda: GaussianPyramid(weights=ones[:2])),
        (ValueError, "GaussianPyramid: edge_mode is 'mirror'; allowed: 'zero', 'clamp'.", lambda: GaussianPyramid(edge_mode="mirror")),
        (TypeError, "Graph: node", lambda: mps.graph.Graph(mps.graph.FilterNode(GaussianPyramid(), mps.graph.ImageNode()).result_image)(x)),
    ):  # fmt: skip
        filters.refused(error, text, call)
