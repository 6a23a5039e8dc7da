"""PoolingMax against the largest value under each window, in float64."""

from __future__ import annotations

import pickle
import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.cnn.reference import placement, pooling_max
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, decode, encode
from tests.support.frame import Framed

PoolingMax = mps.cnn.PoolingMax
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)
EDGES = pytest.mark.parametrize("edge_mode", ["zero", "clamp"])


def pixels(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    if dtype in CODES:
        return rng.integers(0, int(CODES[dtype]) + 1, shape, dtype=dtype)
    return (rng.uniform(-1, 1, shape) - 0.5).astype(dtype)  # mostly negative: zeros at the border show


def check(got: Array, x: Array, exact: Array, engine: Engine) -> None:
    dtype = got.dtype.name
    if dtype == x.dtype.name:
        assert_close(decode(got), exact, 1e-15)
    else:
        assert_close(got, encode(exact, dtype) if dtype in CODES else exact, *tolerance_of(PoolingMax, dtype, engine))


# (images, height, width, channels), kernel, stride, padding: single pixels, windows larger than the image, a register of every ISA
# and one more or less, few and many channels for either order of rows and columns.
CASES: list[tuple[tuple[int, int, int, int], tuple[int, int], tuple[int, int], Any]] = [
    ((1, 1, 1, 1), (1, 1), (1, 1), "same"),
    ((1, 1, 1, 3), (3, 3), (1, 1), "same"),
    ((2, 5, 7, 8), (2, 2), (2, 2), "same"),
    ((1, 6, 9, 17), (2, 2), (2, 2), "valid"),
    ((1, 7, 8, 33), (3, 3), (2, 2), 1),
    ((1, 7, 8, 64), (3, 3), (2, 2), ((0, 1), (1, 0))),
    ((1, 6, 37, 1), (3, 3), (1, 1), "same"),
    ((2, 6, 11, 3), (3, 5), (1, 1), "same"),
    ((1, 6, 11, 3), (3, 5), (1, 2), "full"),
    ((1, 8, 9, 16), (5, 4), (1, 1), "same"),
    ((1, 8, 9, 31), (7, 7), (2, 3), "same"),
    ((1, 4, 5, 6), (9, 11), (1, 1), "same"),
    ((1, 7, 7, 20), (7, 7), (1, 1), "valid"),
    ((1, 9, 12, 5), (2, 3), (4, 5), "valid"),
    ((1, 5, 6, 2), (2, 2), (1, 1), ((3, 3), (3, 3))),
]


@DTYPES
@EDGES
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    for shape, kernel, stride, padding in CASES:
        x = pixels(rng, shape, dtype)
        layer = PoolingMax(kernel_size=kernel, stride=stride, padding=padding, edge_mode=edge_mode)
        got = layer(x)
        assert got.dtype == x.dtype
        size, centre = placement(shape[1:3], kernel, stride, padding)
        check(got, x, pooling_max(decode(x), size, centre, kernel, stride, edge_mode), engine)


@pytest.mark.parametrize("to", IMAGE_DTYPES)
@DTYPES
def test_formats_may_differ(engine: Engine, rng: np.random.Generator, dtype: str, to: str) -> None:
    for channels in (2, 20):
        x = pixels(rng, (1, 6, 9, channels), dtype)
        exact = pooling_max(decode(x), (3, 5), (1, 0), (2, 2), (2, 2), "zero")
        check(PoolingMax(stride=2, padding=((0, 0), (1, 0)))(x, dtype=to), x, exact, engine)


def test_golden_windows(engine: Engine) -> None:
    """3 x 2 results of 2 x 2 windows, stride 3, on an 8 x 5 image: the default window hangs over the top and the left."""
    x = (1 + np.arange(5, dtype=np.float32)[:, None] * 10 + np.arange(8, dtype=np.float32))[..., None]
    for taps, offset, columns, rows in (
        (2, 0, (0, 3, 6), (0, 3)),
        (2, 1, (1, 4, 7), (1, 4)),
        (3, 1, (2, 5, 7), (2, 4)),
    ):
        out = np.zeros((2, 3, 1), np.float32)
        PoolingMax(kernel_size=taps, stride=3, offset=(offset, offset))(x, out=out)
        np.testing.assert_array_equal(out[..., 0], 1 + np.array(rows)[:, None] * 10 + np.array(columns))


def test_edge_modes_differ_for_negative_values(engine: Engine) -> None:
    x = np.full((1, 4, 5, 8), -1, np.float32)
    zero = PoolingMax(kernel_size=3, padding=1)(x)
    assert not zero[:, [0, -1]].any()
    assert not zero[:, :, [0, -1]].any()
    assert (zero[:, 1:-1, 1:-1] == -1).all()
    assert (PoolingMax(kernel_size=3, padding=1, edge_mode="clamp")(x) == -1).all()


@EDGES
def test_windows_beyond_the_border(engine: Engine, rng: np.random.Generator, edge_mode: str) -> None:
    for channels in (3, 16):
        x = pixels(rng, (1, 4, 5, channels), "float32")
        out = np.zeros((1, 6, 7, channels), np.float32)
        PoolingMax(kernel_size=2, stride=3, offset=(-6, -5), edge_mode=edge_mode)(x, out=out)
        exact = pooling_max(x, (6, 7), (-5, -6), (2, 2), (3, 3), edge_mode)
        np.testing.assert_array_equal(out, exact)


def test_offset_clip_rect_and_channels(engine: Engine, rng: np.random.Generator) -> None:
    for first, count in ((4, 8), (8, 3)):
        x, out = Framed((4, 9, 10, 20), "float32", 2), Framed((5, 7, 11, 24), "float32", 2)
        x.array[...] = pixels(rng, x.array.shape, "float32")
        wanted = out.array.copy()
        layer = PoolingMax(
            kernel_width=4, kernel_height=3, stride=(2, 1), offset=(-1, 3, 1), clip_rect=(2, 1, 3, 6, 4, 2), edge_mode="clamp",
            source_feature_channel_offset=first, source_feature_channel_max_count=count, destination_feature_channel_offset=12,
        )  # fmt: skip
        layer(x.array, out=out.array)
        wanted[3:5, 1:5, 2:8, 12 : 12 + count] = pooling_max(
            x.array[1:3, ..., first : first + count], (4, 6), (3, -1), (3, 4), (2, 1), "clamp"
        )
        np.testing.assert_array_equal(out.array.view(np.uint32), wanted.view(np.uint32))
        out.check()


def test_values() -> None:
    layer = PoolingMax(kernel_size=(3, 2), stride=2, padding=1, edge_mode="clamp")
    assert (layer.kernel_height, layer.kernel_width, layer.stride_in_pixels_x) == (3, 2, 2)
    assert pickle.loads(pickle.dumps(layer)) == layer
    assert layer != layer.replace(padding="same")
    assert PoolingMax() == PoolingMax(kernel_width=2, kernel_height=2, stride=1, edge_mode="zero", padding="same")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: PoolingMax(kernel_size=0), "PoolingMax: kernel_width is 0; allowed: 1 <= kernel_width"),
        (lambda: PoolingMax(padding="valid", kernel_size=3)(np.zeros((2, 5, 1), np.float32)), "PoolingMax: image is 5 x 2 and windows are 3 x 3"),
        (lambda: PoolingMax()(np.zeros((2, 5, 4), np.float32), channels=5), "PoolingMax: channels is 5; allowed: 4, which it makes"),
        (lambda: PoolingMax()(np.zeros((0, 5, 4), np.float32)), "allowed"),
        (lambda: PoolingMax(source_feature_channel_max_count=0), "source_feature_channel_max_count is 0; allowed: 1 <="),
    ],
)  # fmt: skip
def test_what_is_refused(make: Any, text: str) -> None:
    with mps.device("cpu"), pytest.raises(ValueError, match=re.escape(text)):
        make()
