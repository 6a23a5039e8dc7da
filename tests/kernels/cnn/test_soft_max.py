"""SoftMax against float64, over the channels of each pixel."""

from __future__ import annotations

import pickle
import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.cnn.reference import softmax
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, decode, encode
from tests.support.frame import Framed

SoftMax = mps.cnn.SoftMax
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)


def pixels(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    if dtype in CODES:
        return rng.integers(0, int(CODES[dtype]) + 1, shape, dtype=dtype)
    return rng.uniform(-6, 6, shape).astype(dtype)


def check(got: Array, exact: Array, engine: Engine) -> None:
    dtype = got.dtype.name
    assert_close(got, encode(exact, dtype) if dtype in CODES else exact, *tolerance_of(SoftMax, dtype, engine))


# Pixels of one channel, of fewer than a register, of two and a few more, of a block and more.
SHAPES = [
    (1, 1, 1, 1), (1, 1, 9, 2), (2, 3, 17, 3), (1, 2, 33, 4), (1, 3, 19, 7), (1, 2, 21, 8), (1, 2, 5, 15), (1, 1, 3, 16), (1, 2, 3, 17),
    (2, 1, 2, 33), (1, 1, 1, 1000), (3, 1, 1, 1003), (1, 1, 2, 5000),
]  # fmt: skip


@DTYPES
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for shape in SHAPES:
        x = pixels(rng, shape, dtype)
        got = SoftMax()(x)
        assert (got.shape, got.dtype) == (x.shape, x.dtype)
        check(got, softmax(decode(x)), engine)


@pytest.mark.parametrize("to", IMAGE_DTYPES)
@DTYPES
def test_formats_may_differ(engine: Engine, rng: np.random.Generator, dtype: str, to: str) -> None:
    for channels in (3, 40):
        x = pixels(rng, (1, 3, 17, channels), dtype)
        check(SoftMax()(x, dtype=to), softmax(decode(x)), engine)


def test_golden(engine: Engine) -> None:
    got = SoftMax()(np.array([1, 2], np.float32).reshape(1, 1, 2)).ravel()
    np.testing.assert_allclose(got, [0.268941432, 0.731058598], rtol=3e-7)


@pytest.mark.parametrize("channels", [3, 40])
def test_large_values(engine: Engine, rng: np.random.Generator, channels: int) -> None:
    """Nothing overflows; what is far below the largest is 0."""
    x = rng.uniform(-300, 300, (1, 3, 20, channels)).astype(np.float32)
    x[0, 0] = -3e38
    x[0, 1, :, 0] = 3e38
    check(SoftMax()(x), softmax(x.astype(np.float64)), engine)


@pytest.mark.parametrize("channels", [3, 40])
def test_nan_and_infinity(engine: Engine, channels: int) -> None:
    if engine.is_metal:
        pytest.skip("MPS does not say what NaN becomes")
    x = np.zeros((1, 2, 20, channels), np.float32)
    x[0, 0, 3, 1], x[0, 0, 4, 2], x[0, 1, 3, 0] = np.nan, np.inf, -np.inf
    got = SoftMax()(x)
    assert np.isnan(got[0, 0, 3:5]).all()
    assert got[0, 1, 3, 0] == 0
    got[0, 0, 3:5], got[0, 1, 3] = 1 / channels, 1 / channels
    np.testing.assert_allclose(got, 1 / channels, rtol=1e-6)


@pytest.mark.parametrize("channels", [3, 24])
def test_offset_clip_rect_and_channels(engine: Engine, rng: np.random.Generator, channels: int) -> None:
    """Pixels beyond the border are zeros."""
    x, out = Framed((3, 6, 30, 32), "float32", 2), Framed((3, 7, 31, 36), "float32", 2)
    x.array[...] = pixels(rng, x.array.shape, "float32")
    wanted = out.array.copy()
    layer = SoftMax(
        offset=(-2, 3, 1), clip_rect=(1, 2, 1, 29, 5, 2), source_feature_channel_offset=8, source_feature_channel_max_count=channels,
        destination_feature_channel_offset=4,
    )  # fmt: skip
    layer(x.array, out=out.array)
    source = np.zeros((2, 5, 29, channels))
    source[:, :3, 2:] = x.array[1:3, 3:6, :27, 8 : 8 + channels]
    part = (slice(1, 3), slice(2, 7), slice(1, 30), slice(4, 4 + channels))
    check(out.array[part], softmax(source), engine)
    wanted[part] = out.array[part]
    np.testing.assert_array_equal(out.array.view(np.uint32), wanted.view(np.uint32))
    out.check()


def test_values() -> None:
    assert SoftMax() == SoftMax(offset=None)
    assert pickle.loads(pickle.dumps(SoftMax(offset=(1, 2)))) == SoftMax(offset=(1, 2))
    assert hash(SoftMax()) == hash(SoftMax())
    assert repr(SoftMax()) == "SoftMax()"


@pytest.mark.parametrize(
    ("options", "call", "text"),
    [
        ({}, {"out": np.zeros((2, 4, 5), np.float32)}, "SoftMax: out is 4 x 2, image is 3 x 2"),
        ({}, {"out": np.zeros((2, 3, 4), np.float32)}, "SoftMax: out has 4 channels; allowed: 5 or more"),
        ({"source_feature_channel_offset": 8}, {}, "source_feature_channel_offset is 8, image has 5 channels"),
    ],
)
def test_calls_that_are_refused(options: Any, call: Any, text: str) -> None:
    with mps.device("cpu"), pytest.raises(ValueError, match=re.escape(text)):
        SoftMax(**options)(np.zeros((2, 3, 5), np.float32), **call)
