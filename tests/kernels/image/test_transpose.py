"""Transpose: every pixel where it belongs, exactly."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import filters
from tests.kernels.image.reference import written
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, decode, encode, random_image
from tests.support.frame import Framed

Transpose = mps.image.Transpose
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)
# One pixel more and less than squares of every size of pixel, more than a tile both ways.
SHAPES = [
    (1, 1, 1, 1),
    (1, 5, 7, 1),
    (2, 9, 33, 3),
    (1, 17, 15, 4),
    (3, 8, 16, 2),
    (1, 3, 300, 1),
    (1, 150, 70, 1),
    (2, 6, 3, 7),
    (1, 16, 16, 1),
]


@DTYPES
def test_matches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for shape in SHAPES:
        x = random_image(rng, shape, dtype)
        got = Transpose()(x)
        np.testing.assert_array_equal(got, x.transpose(0, 2, 1, 3))
        np.testing.assert_array_equal(Transpose()(got), x)


@DTYPES
def test_formats_may_differ(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    x = random_image(rng, (1, 7, 37, 3), dtype)
    for to in IMAGE_DTYPES:
        exact = decode(x).transpose(0, 2, 1, 3)
        wanted = encode(exact, to) if to in CODES else exact
        assert_close(Transpose()(x, dtype=to), wanted, *tolerance_of(Transpose(), to, engine))


@DTYPES
@pytest.mark.parametrize("edge_mode", ["clamp", "zero"])
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    source = Framed((2, 19, 21, 2), dtype, 2)
    source.array[...] = random_image(rng, source.array.shape, dtype)
    for offset, clip_rect in filters.PLACES:
        out = Framed((2, 14, 23, 2), dtype, 2)
        out.array[...] = random_image(rng, out.array.shape, dtype)
        old = out.array.copy()
        Transpose(edge_mode=edge_mode, offset=offset, clip_rect=clip_rect)(source.array, out=out.array)
        rows, columns = written((14, 23), clip_rect)
        turned = (columns.stop - columns.start, rows.stop - rows.start)  # of the source, its rows first
        old[:, rows, columns] = filters.looker(source.array, turned, edge_mode, offset)(0, 0).transpose(0, 2, 1, 3)
        np.testing.assert_array_equal(out.array, old)
        out.check()
        source.check()


def test_threads_do_not_change_the_result(engine: Engine, rng: np.random.Generator) -> None:
    filters.run_threads(engine, Transpose(), random_image(rng, (300, 400), "uint8"))


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    filters.plain_errors(Transpose())
