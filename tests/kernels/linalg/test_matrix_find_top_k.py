"""MatrixFindTopK against NumPy's stable sort: exact."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.engine import Engine
from tests.support.matrices import Placed

Kernel = mps.linalg.MatrixFindTopK
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float16"])


def reference(x: Array, k: int) -> tuple[Array, Array]:
    order = np.argsort(-x.astype(np.float64), axis=-1, kind="stable")[..., :k]  # NaN goes last
    return order.astype(np.uint32), np.take_along_axis(x, order, -1)


def assert_top(got: tuple[Array, Array], wanted: tuple[Array, Array]) -> None:
    for g, w in zip(got, wanted, strict=True):
        assert g.dtype == w.dtype
        np.testing.assert_array_equal(g, w)


@DTYPES
@pytest.mark.parametrize("k", [1, 2, 7, 16])
def test_matches_a_stable_sort(engine: Engine, rng: np.random.Generator, dtype: str, k: int) -> None:
    for rows, columns in ((1, 16), (3, 17), (4, 31), (2, 33), (2, 255), (3, 256), (2, 321), (2, 5000)):
        x = rng.standard_normal((rows, columns)).astype(dtype)
        assert_top(Kernel(k)(x), reference(x, k))


@DTYPES
@pytest.mark.parametrize("columns", [16, 40, 400, 1031])
def test_orders_ties_and_any_sequence(engine: Engine, rng: np.random.Generator, dtype: str, columns: int) -> None:
    ramp = np.arange(columns, dtype=np.float64)
    for x in (
        ramp,
        -ramp,
        np.zeros(columns),
        rng.integers(0, 3, columns),
        np.where(ramp % 2, 0.0, -0.0),
        -np.abs(ramp - 20),
    ):
        row = x[None].astype(dtype)
        assert_top(Kernel(16)(row), reference(row, 16))


@DTYPES
@pytest.mark.parametrize("columns", [16, 500])
def test_nan_is_behind_every_number(engine: Engine, rng: np.random.Generator, dtype: str, columns: int) -> None:
    for numbers in (0, 1, 5, 15, columns - 3):
        x = np.full((1, columns), np.nan, dtype)
        at = rng.permutation(columns)[:numbers]
        x[0, at] = rng.standard_normal(numbers)
        x[0, at[:2]] = -np.inf
        assert_top(Kernel(16)(x), reference(x, 16))
    x = np.full((2, columns), -np.inf, dtype)
    x[0, 7], x[1, 3] = np.inf, np.nan
    assert_top(Kernel(16)(x), reference(x, 16))


@DTYPES
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    batch, rows, columns, k, first, count = 4, 5, 300, 6, 1, 2
    source = Placed(rng, batch, (rows, columns), (2, 3), dtype)
    indices, values = Placed(rng, batch, (rows, k), (1, 2), "uint32"), Placed(rng, batch, (rows, k), (1, 2), dtype)
    kernel = Kernel(
        number_of_top_k_values=k, index_offset=3, source_rows=rows, source_columns=columns, source_matrix_origin=(2, 3),
        result_matrix_origin=(1, 2), batch_start=first, batch_size=count,
    )  # fmt: skip
    kernel(source.array, out=(indices.array, values.array))
    order, wanted = reference(source.window(first, count), k)
    assert_top((indices.window(first, count), values.window(first, count)), (order + np.uint32(3), wanted))
    indices.check(first, count)
    values.check(first, count)
    fresh = kernel(source.array)
    assert fresh[0].shape == fresh[1].shape == (batch, rows + 1, k + 2)
    np.testing.assert_array_equal(fresh[1][first : first + count, 1:, 2:], wanted)


def test_the_example_of_the_definition(engine: Engine) -> None:
    row = np.array([[6, 3, 8, 1, 9, 4, 5]], np.float32)
    indices, values = Kernel(k=3, source_matrix_origin=(0, 2))(row)
    np.testing.assert_array_equal(values, [[9, 8, 5]])
    np.testing.assert_array_equal(indices, [[2, 0, 4]])
    np.testing.assert_array_equal(Kernel(3, index_offset=2, source_matrix_origin=(0, 2))(row)[0], [[4, 2, 6]])


def test_no_rows(engine: Engine) -> None:
    indices, values = Kernel(2)(np.zeros((0, 5), np.float32))
    assert indices.shape == values.shape == (0, 2)


@pytest.mark.parametrize(
    ("keywords", "shapes", "message"),
    [
        ({"k": 5}, [(3, 4)], r"number_of_top_k_values is 5, the window of source has 4 columns; allowed: at most"),
        ({"k": 4, "source_columns": 3}, [(3, 4)], r"number_of_top_k_values is 4, the window of source has 3"),
        ({"k": 2}, [(3, 4), (3, 4), (3, 2)], r"out is \(3, 4\); allowed: \(3, 2\)"),
        ({"k": 2}, [(2, 3, 4), (2, 3, 2), (1, 3, 2)], r"source has 2 matrices, out 1"),
    ],
)
def test_refuses_shapes(keywords: dict[str, Any], shapes: list[tuple[int, ...]], message: str) -> None:
    out = (np.zeros(shapes[1], np.uint32), np.zeros(shapes[2], np.float32)) if len(shapes) > 1 else None
    with pytest.raises(ValueError, match=f"MatrixFindTopK: .*{message}"):
        Kernel(**keywords)(np.zeros(shapes[0], np.float32), out=out)


def test_refuses_dtypes_and_parameters() -> None:
    for k in (0, 17):
        with pytest.raises(
            ValueError, match=f"number_of_top_k_values is {k}; allowed: 1 <= number_of_top_k_values <= 16"
        ):
            Kernel(k)
    with pytest.raises(TypeError, match="source is int32; allowed: float16, float32"):
        Kernel(1)(np.zeros((2, 2), np.int32))
    x = np.zeros((2, 2), np.float32)
    with pytest.raises(TypeError, match="indices is int32; allowed: uint32"):
        Kernel(1)(x, out=(np.zeros((2, 1), np.int32), np.zeros((2, 1), np.float32)))
    with pytest.raises(TypeError, match="values is float16; allowed: equal dtypes"):
        Kernel(1)(x, out=(np.zeros((2, 1), np.uint32), np.zeros((2, 1), np.float16)))


def test_is_a_value() -> None:
    kernel = Kernel(3, index_offset=2)
    assert pickle.loads(pickle.dumps(kernel)) == kernel == Kernel(number_of_top_k_values=3, index_offset=2)
    assert repr(kernel) == "MatrixFindTopK(number_of_top_k_values=3, index_offset=2)"
