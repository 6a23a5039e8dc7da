"""MatrixLogSoftMaxGradient against calculus in float64."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.matrices import Placed

Kernel = mps.linalg.MatrixLogSoftMaxGradient
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float16"])


def reference(gradient: Array, forward_output: Array) -> tuple[Array, Array]:
    """The gradient, and the magnitudes of its terms."""
    dy, y = gradient.astype(np.float64), forward_output.astype(np.float64)
    return dy - np.exp(y) * dy.sum(-1, keepdims=True), np.abs(dy) + np.exp(y) * np.abs(dy).sum(-1, keepdims=True)


@DTYPES
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for rows, columns in ((1, 1), (3, 7), (2, 33), (5, 70), (1, 3000)):
        dy, y = rng.uniform(-2, 2, (rows, columns)).astype(dtype), rng.uniform(-1, 1, (rows, columns)).astype(dtype)
        exact, scale = reference(dy, y)
        absolute, relative = tolerance_of(Kernel(), dtype, engine)
        assert_close(Kernel()(dy, y), exact, absolute, relative, scale=scale + (dtype == "float16"))


@DTYPES
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    batch, rows, columns, first, count = 4, 5, 19, 1, 2
    dy, y = Placed(rng, batch, (rows, columns), (2, 3), dtype), Placed(rng, batch, (rows, columns), (0, 1), dtype)
    out = Placed(rng, batch, (rows, columns), (1, 2), dtype)
    kernel = Kernel(
        source_rows=rows, source_columns=columns, primary_source_matrix_origin=(2, 3), secondary_source_matrix_origin=(0, 1),
        result_matrix_origin=(1, 2), batch_start=first, batch_size=count,
    )  # fmt: skip
    kernel(dy.array, y.array, out=out.array)
    exact, scale = reference(dy.window(first, count), y.window(first, count))
    absolute, relative = tolerance_of(kernel, dtype, engine)
    assert_close(out.window(first, count), exact, absolute, relative, scale=scale + (dtype == "float16"))
    out.check(first, count)
    assert kernel(dy.array, y.array).shape == (batch, rows + 1, columns + 2)


def test_nan_stays_in_its_row_and_no_elements(engine: Engine) -> None:
    dy, y = np.ones((3, 9), np.float32), np.full((3, 9), 0.125, np.float32)
    dy[1, 3] = np.nan
    np.testing.assert_array_equal(np.isnan(Kernel()(dy, y)).any(1), [False, True, False])
    assert Kernel()(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32)).shape == (0, 3)


@pytest.mark.parametrize(
    ("keywords", "shapes", "message"),
    [
        (
            {},
            [(3, 4), (3, 5)],
            r"gradient is \(3, 4\) and forward_output is \(3, 5\) from their origins; allowed: the same shape",
        ),
        ({"source_columns": 5}, [(3, 4), (3, 5)], r"source_columns is 5, gradient has 4"),
        ({"source_columns": 5, "source_rows": 3}, [(3, 5), (3, 4)], r"source_columns is 5, forward_output has 4"),
        ({}, [(2, 3, 4), (1, 3, 4)], r"gradient has 2 matrices, forward_output 1"),
    ],
)
def test_refuses_shapes(keywords: dict[str, Any], shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=f"MatrixLogSoftMaxGradient: .*{message}"):
        Kernel(**keywords)(*[np.zeros(shape, np.float32) for shape in shapes])


def test_is_a_value() -> None:
    kernel = Kernel(source_rows=2, secondary_source_matrix_origin=(1, 1))
    assert pickle.loads(pickle.dumps(kernel)) == kernel != Kernel()
    with pytest.raises(ValueError, match="secondary_source_matrix_origin has a third number"):
        Kernel(secondary_source_matrix_origin=(0, 0, 1))
    with pytest.raises(TypeError, match="gradient is float32, forward_output is float16; allowed: equal dtypes"):
        Kernel()(np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float16))
