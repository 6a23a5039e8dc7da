"""MatrixCopyToImage against transposes of numpy."""

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

CopyToImage = mps.linalg.MatrixCopyToImage
LAYOUTS = pytest.mark.parametrize("layout", ["hwc", "chw"])


@LAYOUTS
def test_every_row_is_a_picture(engine: Engine, rng: np.random.Generator, layout: str) -> None:
    for dtype in formats(engine):
        for shape in SHAPES:
            wanted = random_image(rng, shape, dtype)
            out = Framed(shape, dtype, 2)
            assert CopyToImage(layout)(rows(wanted, layout).copy(), out=out.array) is out.array
            np.testing.assert_array_equal(out.array, wanted)
            out.check()


@LAYOUTS
def test_origin_and_batch_index(engine: Engine, rng: np.random.Generator, layout: str) -> None:
    for dtype in formats(engine):
        wanted = random_image(rng, (3, 4, 9, 3), dtype)
        matrix = Framed((2, 7, 120), dtype, 1)
        matrix.array[1, 2:5, 5:113] = rows(wanted, layout)
        kernel = CopyToImage(data_layout=layout, source_matrix_origin=(2, 5), source_matrix_batch_index=1)
        np.testing.assert_array_equal(kernel(matrix.array, out=np.zeros_like(wanted)), wanted)
        single = kernel.replace(source_matrix_origin=(3, 5))(matrix.array, out=np.zeros_like(wanted[0]))
        np.testing.assert_array_equal(single, wanted[1])


def test_there_and_back(engine: Engine, rng: np.random.Generator) -> None:
    assert CopyToImage() == CopyToImage("chw")
    x = random_image(rng, (2, 5, 40, 3), "uint8")
    matrix = mps.image.CopyToMatrix()(x)
    np.testing.assert_array_equal(CopyToImage()(matrix, out=np.zeros_like(x)), x)


def test_errors(engine: Engine) -> None:
    m, out = np.zeros((2, 144), np.float32), np.zeros((2, 6, 8, 3), np.float32)
    cases: list[tuple[type[Exception], str, Any]] = [
        (ValueError, "MatrixCopyToImage: out is missing; allowed: an image or array of shape (height, width), ", lambda: CopyToImage()(m)),
        (ValueError, "MatrixCopyToImage: source_matrix_origin has a third number, 1;", lambda: CopyToImage(source_matrix_origin=(0, 0, 1))),
        (TypeError, "MatrixCopyToImage: image is float16, the matrix float32; allowed: the same dtype", lambda: CopyToImage()(m, out=out.astype(np.float16))),
        (ValueError, "MatrixCopyToImage: matrix is (2, 144) float32, the pictures take 2 rows of 144 elements from (1, 0)",
         lambda: CopyToImage(source_matrix_origin=(1, 0))(m, out=out)),
        (ValueError, "MatrixCopyToImage: source_matrix_batch_index is 1, matrix has 1 matrices; allowed: 0 to 0.",
         lambda: CopyToImage(source_matrix_batch_index=1)(m, out=out)),
        (TypeError, "MatrixCopyToImage: matrix is int8; allowed: uint8, uint16, float16, float32.", lambda: CopyToImage()(m.astype(np.int8), out=out)),
    ]  # fmt: skip
    for error, text, call in cases:
        filters.refused(error, text, call)
    if engine.is_metal:
        filters.refused(mps.UnsupportedError, "MatrixCopyToImage: MPS has no matrix of uint16 pictures",
                        lambda: CopyToImage()(m.astype(np.uint16), out=out.astype(np.uint16)))  # fmt: skip
