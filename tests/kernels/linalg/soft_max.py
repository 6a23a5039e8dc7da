"""What tests of MatrixSoftMax and MatrixLogSoftMax share."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.matrices import Placed

Array = NDArray[Any]
Reference = Callable[[Array], Array]
# One element, a lane more and less than a register of any ISA, few columns with many rows, blocks of sums and one more.
SIZES = [(1, 1), (3, 4), (17, 3), (33, 8), (5, 9), (70, 7), (9, 15), (4, 31), (3, 33), (2, 127), (2, 1025), (1, 5000)]
REFUSED: list[tuple[dict[str, Any], list[tuple[int, ...]], str]] = [
    ({"source_rows": 4}, [(3, 4)], r"source_rows is 4, source has 3 from its origin; allowed: at most 3"),
    ({"source_columns": 3, "source_matrix_origin": (0, 2)}, [(3, 4)], r"source_columns is 3, source has 2"),
    ({"source_matrix_origin": (4, 0)}, [(3, 4)], r"source_matrix_origin is \(4, 0\).*\(row, column\)"),
    ({}, [(3, 4), (3, 5)], r"out is \(3, 5\); allowed: \(3, 4\)"),
    ({"source_rows": 2}, [(3, 4), (1, 4)], r"out is \(1, 4\); allowed: \(2, 4\) or more"),
    ({}, [(2, 3, 4), (3, 3, 4)], r"source has 2 matrices, out 3; allowed: the same number"),
    ({"batch_size": 3}, [(2, 3, 4)], r"batch_size is 3; allowed: matrices 0 to 2"),
    ({"batch_start": 3}, [(2, 3, 4)], r"batch_start is 3"),
]


def matches_float64(
    engine: Engine, rng: np.random.Generator, kernel_type: Any, reference: Reference, dtype: str, scale: float
) -> None:
    for rows, columns in SIZES:
        x = rng.uniform(-scale, scale, (rows, columns)).astype(dtype)
        got = kernel_type()(x)
        assert (got.shape, got.dtype) == (x.shape, x.dtype)
        assert_close(got, reference(x), *tolerance_of(kernel_type(), dtype, engine))


def windows_of_padded_batches(
    engine: Engine, rng: np.random.Generator, kernel_type: Any, reference: Reference, dtype: str, columns: int
) -> None:
    batch, rows, first, count = 4, 18, 1, 2
    source = Placed(rng, batch, (rows, columns), (2, 3), dtype)
    out = Placed(rng, batch, (rows, columns), (1, 2), dtype)
    kernel = kernel_type(
        source_rows=rows, source_columns=columns, source_matrix_origin=(2, 3), result_matrix_origin=(1, 2),
        batch_start=first, batch_size=count,
    )  # fmt: skip
    assert kernel(source.array, out=out.array) is out.array
    assert_close(out.window(first, count), reference(source.window(first, count)), *tolerance_of(kernel, dtype, engine))
    out.check(first, count)
    fresh = kernel(source.array)  # a new result ends with the window; beside it lie zeros
    assert fresh.shape == (batch, rows + 1, columns + 2)
    np.testing.assert_array_equal(fresh[first : first + count, 1:, 2:], out.window(first, count))
    fresh[first : first + count, 1:, 2:] = 0
    assert not fresh.any()


def large_and_special_values(engine: Engine, kernel_type: Any, reference: Reference, dtype: str) -> None:
    infinity, nan = np.inf, np.nan
    rows = [[3e4, 3e4, -3e4], [-infinity, 0, 1], [infinity, 0, 1], [nan, 0, 1], [-infinity] * 3, [1, nan, infinity]]
    for repeat in (1, 12):  # in a register, and beyond one
        x = np.repeat(np.array(rows, dtype), repeat, axis=1)
        assert_close(kernel_type()(x), reference(x), *tolerance_of(kernel_type(), dtype, engine))


def levels(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Rows so far apart that the largest of another one is of no use."""
    return np.asarray(rng.uniform(-4, 4, (rows, columns)) + rng.permutation(rows)[:, None] * 100, np.float32)


def rows_far_apart(engine: Engine, rng: np.random.Generator, kernel_type: Any, reference: Reference) -> None:
    for rows, columns in ((1, 40), (70, 5), (70, 31), (70, 48), (33, 1100)):
        x = levels(rng, rows, columns)
        assert_close(kernel_type()(x), reference(x), *tolerance_of(kernel_type(), "float32", engine))


def more_than_caches_hold(engine: Engine, rng: np.random.Generator, kernel_type: Any, reference: Reference) -> None:
    if engine.is_metal:
        pytest.skip("caches are the CPU engine's business")
    rows, columns = 2100, 1003  # rows begin everywhere in a cache line
    x, whole = levels(rng, rows, columns), np.full((rows + 2, columns + 5), 7, np.float32)
    kernel_type()(x, out=whole[1:-1, 2:-3])
    assert_close(whole[1:-1, 2:-3], reference(x), *tolerance_of(kernel_type(), "float32", engine))
    whole[1:-1, 2:-3] = 7
    assert (whole == 7).all()


def every_row_of_a_column_and_no_elements(kernel_type: Any, of_one_element: int) -> None:
    one = kernel_type()(np.full((40, 1), 7, np.float32))
    np.testing.assert_array_equal(one, np.full((40, 1), of_one_element))
    for shape in ((0, 5), (5, 0), (0, 3, 3)):
        assert kernel_type()(np.zeros(shape, np.float32)).shape == shape
    old = np.ones((3, 3), np.float32)
    kernel_type(source_rows=0)(np.zeros((3, 3), np.float32), out=old)
    assert (old == 1).all()


def encodes_with_temporaries(engine: Engine, rng: np.random.Generator, kernel_type: Any, reference: Reference) -> None:
    x = rng.uniform(-2, 2, (3, 9)).astype(np.float32)
    with mps.device(engine.device).command_buffer() as commands:
        middle = kernel_type().encode(commands, x)
        got = kernel_type().encode(commands, middle, temporary=False)
    assert_close(np.asarray(got), reference(reference(x)), 1e-6, 1e-6)


def refuses_shapes(
    kernel_type: Any, name: str, keywords: dict[str, Any], shapes: list[tuple[int, ...]], message: str
) -> None:
    arrays = [np.zeros(shape, np.float32) for shape in shapes]
    with pytest.raises(ValueError, match=f"{name}: .*{message}"):
        kernel_type(**keywords)(arrays[0], out=arrays[1] if len(arrays) > 1 else None)


def refuses_dtypes_and_parameters(kernel_type: Any) -> None:
    with pytest.raises(TypeError, match="source is int8; allowed: float16, float32"):
        kernel_type()(np.zeros((2, 2), np.int8))
    with pytest.raises(TypeError, match="source is float32, out is float16; allowed: equal dtypes"):
        kernel_type()(np.zeros((2, 2), np.float32), out=np.zeros((2, 2), np.float16))
    with pytest.raises(TypeError, match="dtype is float16; allowed: float32"):
        kernel_type()(np.zeros((2, 2), np.float32), dtype="float16")
    with pytest.raises(ValueError, match="channels"):
        kernel_type()(np.zeros((2, 2), np.float32), channels=2)
    with pytest.raises(ValueError, match="source_matrix_origin has a third number"):
        kernel_type(source_matrix_origin=(0, 0, 1))
    with pytest.raises(ValueError, match="batch_size is 0"):
        kernel_type(batch_size=0)


def is_a_value(kernel_type: Any, name: str) -> None:
    kernel = kernel_type(source_rows=4, result_matrix_origin=(1, 2))
    assert pickle.loads(pickle.dumps(kernel)) == kernel != kernel_type()
    assert repr(kernel_type(source_columns=3)) == f"{name}(source_columns=3)"
