"""Products of sizes that go by tiles where there is AMX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.engine import Engine


@pytest.fixture(autouse=True)
def cpu_alone(engine: Engine) -> None:
    if engine.is_metal:
        pytest.skip("tiles belong to the CPU engine")


Multiply = mps.linalg.MatrixMultiplication


@pytest.mark.parametrize(
    ("left", "right"), [("float32", "float32"), ("float16", "float16"), ("float32", "float16"), ("int8", "int8")]
)
@pytest.mark.parametrize("transposed", [False, True])
def test_products_match_float64(
    engine: Engine, rng: np.random.Generator, left: str, right: str, transposed: bool
) -> None:
    def factor(rows: int, columns: int, dtype: str) -> NDArray[Any]:
        shape = (columns, rows) if transposed else (rows, columns)
        return (
            rng.integers(-128, 128, shape).astype(dtype) if dtype == "int8" else rng.uniform(-1, 1, shape).astype(dtype)
        )

    a, b = factor(263, 130, left), factor(130, 277, right)
    got = Multiply(transpose_left=transposed, transpose_right=transposed)(a, b, dtype="float32").astype(np.float64)
    x, y = (m.T.astype(np.float64) if transposed else m.astype(np.float64) for m in (a, b))
    allowed = 1.2e-7 * 132 * (np.abs(x) @ np.abs(y))
    assert np.all(np.abs(got - x @ y) <= allowed)
    if left == "int8":
        np.testing.assert_array_equal(got, x @ y)


def test_reduced_precision_is_that_of_bfloat16_at_least(engine: Engine, rng: np.random.Generator) -> None:
    a, b = rng.uniform(-1, 1, (263, 130)).astype(np.float32), rng.uniform(-1, 1, (130, 277)).astype(np.float32)
    got = Multiply(options="allow_reduced_precision")(a, b).astype(np.float64)
    x, y = a.astype(np.float64), b.astype(np.float64)
    assert np.all(np.abs(got - x @ y) <= 2**-7.9 * (np.abs(x) @ np.abs(y)))


def test_numbers_that_tiles_cannot_hold(engine: Engine, rng: np.random.Generator) -> None:
    a, b = rng.uniform(-1, 1, (263, 130)).astype(np.float32), rng.uniform(0.5, 1, (130, 277)).astype(np.float32)
    a[5, 7], a[70, 3], a[200] = np.inf, np.nan, a[200] * np.float32(2.0**-120)
    got = Multiply()(a, b)
    assert np.all(got[5] == np.inf)
    assert np.all(np.isnan(got[70]))
    assert np.all(np.isfinite(np.delete(got, (5, 70), axis=0)))
    exact = a[200].astype(np.float64) @ b.astype(np.float64)
    assert np.all(
        np.abs(got[200] - exact)
        <= 1.2e-7 * 132 * (np.abs(a[200]).astype(np.float64) @ b.astype(np.float64)) + 2.0**-148
    )


def test_cholesky_of_several_blocks(engine: Engine, rng: np.random.Generator) -> None:
    g = rng.uniform(-1, 1, (450, 450))
    a = (g @ g.T + 450 * np.eye(450)).astype(np.float32)
    lower = np.tril(np.asarray(mps.linalg.cholesky(a), np.float64))
    assert np.all(np.abs(lower @ lower.T - a) <= 452 * 1.2e-7 * (np.abs(lower) @ np.abs(lower).T))
