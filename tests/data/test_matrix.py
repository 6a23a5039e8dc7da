from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import mpskit as mps

DTYPES = ("uint8", "uint16", "float16", "float32", "int8", "int16", "int32", "uint32", "float64")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 4), (1, 1), (2, 3, 4)], ids=str)
def test_matrix_properties(device: mps.Device, shape: tuple[int, ...], dtype: str) -> None:
    x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    matrix = mps.Matrix(x)
    assert (matrix.shape, matrix.dtype, matrix.ndim, matrix.nbytes) == (shape, x.dtype, x.ndim, x.nbytes)
    assert (matrix.rows, matrix.columns) == shape[-2:]
    assert matrix.matrices == (shape[0] if len(shape) == 3 else 1)
    assert matrix.row_bytes == shape[-1] * x.itemsize
    assert matrix.matrix_bytes == shape[-2] * matrix.row_bytes
    assert matrix.data_type == dtype
    assert np.array_equal(matrix, x)
    assert np.array_equal(pickle.loads(pickle.dumps(matrix)), x)


@pytest.mark.parametrize("shape", [(5,), (1,), (3, 5)], ids=str)
def test_vector_properties(device: mps.Device, shape: tuple[int, ...]) -> None:
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    vector = mps.Vector(x)
    assert (vector.shape, vector.ndim, vector.length) == (shape, len(shape), shape[-1])
    assert vector.vectors == (shape[0] if len(shape) == 2 else 1)
    assert vector.vector_bytes == shape[-1] * 4
    assert vector.data_type == "float32"
    assert np.array_equal(vector, x)


def test_strides_are_honoured(device: mps.Device) -> None:
    matrix = mps.Matrix.zeros(rows=3, columns=4, matrices=2, dtype="float16", row_bytes=32, matrix_bytes=128)
    array = np.asarray(matrix)
    assert array.shape == (2, 3, 4)
    assert array.strides == (128, 32, 2)
    assert (matrix.row_bytes, matrix.matrix_bytes) == (32, 128)
    assert mps.Matrix(array, copy=False).matrix_bytes == 128
    vector = mps.Vector.zeros(length=3, vectors=2, dtype="float32", vector_bytes=64)
    assert np.asarray(vector).strides == (64, 4)
    assert repr(mps.Matrix.empty(rows=2, columns=3, row_bytes=16)) == (
        f"Matrix(rows=2, columns=3, dtype='float32', row_bytes=16, device='{device.name}')"
    )
    assert repr(vector) == f"Vector(length=3, vectors=2, dtype='float32', device='{device.name}')"


def test_a_product_with_padded_rows(device: mps.Device, rng: np.random.Generator) -> None:
    a = rng.random((5, 6), dtype=np.float32)
    padded = mps.Matrix.zeros(rows=5, columns=6, row_bytes=mps.Matrix.row_bytes_for_columns(6, "float32"))
    np.asarray(padded)[...] = a
    out = mps.Matrix.zeros(rows=5, columns=5, row_bytes=64)
    multiply = mps.linalg.MatrixMultiplication(transpose_right=True)
    assert multiply(padded, padded, out=out) is out
    np.testing.assert_allclose(np.asarray(out), a @ a.T, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["int8", "float16", "float32"])
def test_recommended_strides(dtype: str) -> None:
    size = np.dtype(dtype).itemsize
    for count in [0, 1, 3, 4, 5, 255, 1024, 2048, 4096, 100_000]:
        stride = mps.Matrix.row_bytes_for_columns(count, dtype)
        assert stride == mps.Vector.vector_bytes_for_length(count, dtype)
        assert count * size <= stride < count * size + 80
        assert stride % 16 == 0
        assert count == 0 or stride % 4096 != 0
        if count:
            mps.Matrix.empty(rows=2, columns=count, dtype=dtype, row_bytes=stride)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: mps.Matrix.empty(rows=3, columns=4, row_bytes=17),
            ValueError,
            r"row_bytes is 17; allowed: a multiple of 4 .* from 16",
        ),
        (lambda: mps.Matrix.empty(rows=3, columns=4, row_bytes=12), ValueError, "row_bytes is 12"),
        (
            lambda: mps.Matrix.empty(rows=3, columns=4, matrix_bytes=40),
            ValueError,
            r"matrix_bytes is 40; allowed: a multiple of 16 \(row_bytes\) from 48",
        ),
        (lambda: mps.Matrix.empty(rows=3, columns=4, matrix_bytes=56), ValueError, "matrix_bytes is 56"),
        (
            lambda: mps.Matrix.empty(rows=3, columns=4, dtype="complex64"),
            TypeError,
            "dtype is complex64; allowed: uint8",
        ),
        (lambda: mps.Matrix.empty(rows=3, columns=4, dtype="flaot32"), TypeError, "dtype is 'flaot32'; allowed: uint8"),
        (lambda: mps.Matrix.empty(rows=True, columns=4), TypeError, "rows is True"),
        (lambda: mps.Matrix.empty(rows=2**40, columns=2**40), ValueError, "too large"),
        (lambda: mps.Matrix(np.zeros(3)), ValueError, r"shape \(3,\); allowed: \(rows, columns\)"),
        (lambda: mps.Vector(np.zeros((3, 3, 3))), ValueError, r"allowed: \(length,\) or \(vectors, length\)"),
        (
            lambda: mps.Vector.empty(length=3, vector_bytes=11),
            ValueError,
            "vector_bytes is 11; allowed: a multiple of 4",
        ),
        (lambda: mps.Matrix(np.zeros((2, 2), bool)), TypeError, "bool"),
        (lambda: mps.Matrix(np.zeros((2, 2), object)), TypeError, "object"),
    ],
)
def test_refuses(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_of_the_wrong_kind(device: mps.Device) -> None:
    with pytest.raises(TypeError, match=r"left is a vector; allowed: a matrix.*mps\.Matrix"):
        mps.linalg.MatrixMultiplication()(mps.Vector.zeros(length=3), mps.Matrix.zeros(rows=3, columns=3))
    with pytest.raises(TypeError, match=r"image is a matrix; allowed: a image|an image"):
        mps.image.GaussianBlur()(mps.Matrix.zeros(rows=3, columns=3))


def test_empty_and_zeros_arrays(device: mps.Device) -> None:
    page = 4096
    for make in (mps.empty, mps.zeros):
        for shape in [(), 5, (3, 4), [2, 3], (2, 3, 4, 5, 6), (0, 3)]:
            array = make(shape)
            assert type(array) is np.ndarray
            assert array.shape == np.zeros(shape).shape
            assert array.dtype == np.float32
            assert array.ctypes.data % page == 0 or array.size == 0
            assert array.flags.c_contiguous
            assert array.flags.writeable
        for dtype in DTYPES:
            assert make((2, 2), dtype).dtype == np.dtype(dtype)
            assert make((2, 2), np.dtype(dtype).type).dtype == np.dtype(dtype)
    np.asarray(mps.empty(1000))[...] = 1
    assert not mps.zeros(1000).any()
    for bad, error in [
        ((-1,), ValueError),
        ("3", TypeError),
        (2.5, TypeError),
        ((2, "a"), TypeError),
        (2**61, ValueError),
        ((1,) * 40, ValueError),
    ]:
        with pytest.raises(error, match="empty: shape is"):
            mps.empty(bad)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="dtype is bool"):
        mps.empty(3, bool)
