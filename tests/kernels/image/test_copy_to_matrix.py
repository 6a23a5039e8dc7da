"""CopyToMatrix against transposes of numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import filters
from tests.kernels.image.matrix_copies import SHAPES, formats, rows
from tests.support.engine import Engine
from tests.support.formats import random_image
from tests.support.frame import Framed

CopyToMatrix = mps.image.CopyToMatrix
LAYOUTS = pytest.mark.parametrize("layout", ["hwc", "chw"])


@LAYOUTS
def test_every_picture_is_a_row(engine: Engine, rng: np.random.Generator, layout: str) -> None:
    for dtype in formats(engine):
        for shape in SHAPES:
            x = Framed(shape, dtype, 2)
            x.array[...] = random_image(rng, shape, dtype)
            got = CopyToMatrix(layout)(x.array)
            assert (got.shape, got.dtype) == ((shape[0], shape[1] * shape[2] * shape[3]), x.array.dtype)
            np.testing.assert_array_equal(got, rows(x.array, layout))


@LAYOUTS
def test_origin_and_batch_index(engine: Engine, rng: np.random.Generator, layout: str) -> None:
    for dtype in formats(engine):
        x = random_image(rng, (3, 4, 9, 3), dtype)
        kernel = CopyToMatrix(data_layout=layout, destination_matrix_origin=(2, 5), destination_matrix_batch_index=1)
        out = Framed((2, 7, 120), dtype, 1)
        out.array[...] = 3
        wanted = out.array.copy()
        wanted[1, 2:5, 5:113] = rows(x, layout)
        assert kernel(x, out=out.array) is out.array
        np.testing.assert_array_equal(out.array, wanted)
        out.check()
        made = kernel(x)
        assert made.shape == (2, 5, 113)
        np.testing.assert_array_equal(made[1, 2:, 5:], rows(x, layout))
        assert not made[0].any()
        assert not made[1, :2].any()


@LAYOUTS
def test_pieces_that_begin_where_lines_do(engine: Engine, rng: np.random.Generator, layout: str) -> None:
    """Dense pictures of several pieces, and planes of more than 16 MiB, in rows that begin anywhere in a line."""
    if engine.is_metal:
        pytest.skip("only the CPU engine cuts pictures into pieces")
    for dtype, height, width, channels in (("uint8", 300, 601, 3), ("uint16", 211, 400, 4), ("float32", 1201, 1211, 3)):
        x = random_image(rng, (1, height, width, channels), dtype)
        for column in (0, 1, 15):
            kernel = CopyToMatrix(layout, destination_matrix_origin=(0, column))
            out = Framed((1, column + x.size + 3), dtype, 1)
            out.array[...] = 5
            kernel(x, out=out.array)
            np.testing.assert_array_equal(out.array[:, column:-3], rows(x, layout))
            assert (out.array[:, :column] == 5).all()
            assert (out.array[:, -3:] == 5).all()
            out.check()
        back = mps.linalg.MatrixCopyToImage(layout, source_matrix_origin=(0, 1))
        matrix = np.concatenate([np.zeros((1, 1), x.dtype), rows(x, layout)], 1)
        got = np.empty_like(x)
        back(matrix, out=got)
        np.testing.assert_array_equal(got, x)


def test_default_and_temporaries(engine: Engine, rng: np.random.Generator) -> None:
    assert CopyToMatrix() == CopyToMatrix("chw")
    x = random_image(rng, (5, 6, 3), "float32")
    device = next(d for d in mps.devices() if str(d) == engine.device)
    out = np.zeros_like(x)
    with device.command_buffer() as buffer:
        row = CopyToMatrix().encode(buffer, x)
        mps.linalg.MatrixCopyToImage().encode(buffer, row, out=out)
    np.testing.assert_array_equal(out, x)


def test_errors(engine: Engine) -> None:
    x = np.zeros((2, 6, 8, 3), np.float32)
    cases: list[tuple[type[Exception], str, Any]] = [
        (ValueError, "CopyToMatrix: data_layout is 'nchw'; allowed: 'hwc', 'chw'.", lambda: CopyToMatrix("nchw")),
        (ValueError, "CopyToMatrix: destination_matrix_origin has a third number, 1; allowed: (row, column).",
         lambda: CopyToMatrix(destination_matrix_origin=(0, 0, 1))),
        (ValueError, "CopyToMatrix: destination_matrix_origin is (9223372036854775807, 0); allowed: (row, column), integers from 0 to 2**40.",
         lambda: CopyToMatrix(destination_matrix_origin=(2**63 - 1, 0))),
        (ValueError, "CopyToMatrix: (1099511627778, 1099511627920) float32 is too large; allowed: up to 2**60 bytes.",
         lambda: CopyToMatrix(destination_matrix_origin=(2**40, 2**40))(x)),
        (ValueError, "CopyToMatrix: destination_matrix_batch_index is -1; allowed: ", lambda: CopyToMatrix(destination_matrix_batch_index=-1)),
        (TypeError, "CopyToMatrix: image is float32, the matrix float16; allowed: the same dtype", lambda: CopyToMatrix()(x, dtype="float16")),
        (ValueError, "CopyToMatrix: out is (1, 144) float32, the pictures take 2 rows of 144 elements from (0, 0); allowed: a matrix that holds them. "
                     "Make it at least (2, 144).", lambda: CopyToMatrix()(x, out=np.zeros((1, 144), np.float32))),
        (ValueError, "CopyToMatrix: out is (2, 144) float32, the pictures take", lambda: CopyToMatrix(destination_matrix_origin=(0, 1))(x, out=np.zeros((2, 144), np.float32))),
        (ValueError, "CopyToMatrix: destination_matrix_batch_index is 1, out has 1 matrices; allowed: 0 to 0.",
         lambda: CopyToMatrix(destination_matrix_batch_index=1)(x, out=np.zeros((2, 144), np.float32))),
        (ValueError, "CopyToMatrix: image is (2, 0, 8, 3) float32; allowed: at least one pixel", lambda: CopyToMatrix()(x[:, :0])),
        (ValueError, "CopyToMatrix: channels is 2; allowed: none", lambda: CopyToMatrix()(x, channels=2)),
        (TypeError, "CopyToMatrix: out is int8; allowed: uint8, uint16, float16, float32.", lambda: CopyToMatrix()(x, out=np.zeros((2, 144), np.int8))),
    ]  # fmt: skip
    for error, text, call in cases:
        filters.refused(error, text, call)
    if engine.is_metal:
        filters.refused(
            mps.UnsupportedError,
            "CopyToMatrix: MPS has no matrix of uint16 pictures",
            lambda: CopyToMatrix()(x.astype(np.uint16)),
        )
