"""MatrixSolveCholesky: residuals of the original systems in float64."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.linalg.solving import Array, assert_residual, definite, framed, norm
from tests.support.engine import Engine

Solve = mps.linalg.MatrixSolveCholesky
BOTH = pytest.mark.parametrize("upper", [False, True], ids=["lower", "upper"])


def factored(rng: np.random.Generator, order: int, matrices: int, upper: bool) -> tuple[Array, Array]:
    """A, and its factor by NumPy with NaN where nothing may be read."""
    lower = np.linalg.cholesky(definite(rng, order, matrices).astype(np.float64)).astype(np.float32)
    f = lower.astype(np.float64)
    stored = lower.swapaxes(-1, -2) if upper else lower
    other = np.tril(np.ones((order, order), bool), -1) if upper else np.triu(np.ones((order, order), bool), 1)
    return f @ f.swapaxes(-1, -2), np.where(other, np.float32(np.nan), stored)


def assert_solution(x: Array, a: Array, factor: Array, b: Array) -> None:
    f, x64 = np.nan_to_num(factor.astype(np.float64)), x.astype(np.float64)
    assert_residual(a @ x64 - b, a.shape[-1], norm(f) * norm(f.swapaxes(-1, -2)) * norm(x64) + norm(b))


@BOTH
@pytest.mark.parametrize(
    ("order", "columns", "matrices"),
    [(1, 1, 1), (5, 3, 1), (65, 1, 1), (130, 40, 1), (200, 2, 2), (4, 1, 9), (31, 5, 19), (32, 40, 8)],
)
def test_matches_float64(
    engine: Engine, rng: np.random.Generator, upper: bool, order: int, columns: int, matrices: int
) -> None:
    a, factor = factored(rng, order, matrices, upper)
    b = rng.uniform(-1, 1, (matrices, order, columns)).astype(np.float32)
    x = Solve(upper=upper)(factor, b)
    assert x.shape == b.shape
    assert x.dtype == np.float32
    assert_solution(x, a, factor, b)


@BOTH
@pytest.mark.parametrize("order", [7, 67])
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, upper: bool, order: int) -> None:
    first, count, batch, columns = 1, 9, 11, 6
    a, factor = factored(rng, order, batch, upper)
    b = rng.uniform(-1, 1, (batch, order, columns)).astype(np.float32)
    source, _ = framed(factor, (2, 3))
    right, _ = framed(b, (1, 2))
    result, window = framed(np.full_like(b, 7), (3, 1))
    before = result.array.copy()
    kernel = Solve(
        upper=upper, order=order, number_of_right_hand_sides=columns, primary_source_matrix_origin=(2, 3),
        secondary_source_matrix_origin=(1, 2), result_matrix_origin=(3, 1), batch_start=first, batch_size=count,
    )  # fmt: skip
    kernel(source.array, right.array, out=result.array)
    chosen = slice(first, first + count)
    assert_solution(window[chosen], a[chosen], factor[chosen], b[chosen])
    window[chosen] = 7
    np.testing.assert_array_equal(result.array, before)
    result.check()


def test_follows_the_factorization(engine: Engine, rng: np.random.Generator) -> None:
    a, b = definite(rng, 20, 9), rng.uniform(-1, 1, (9, 20, 4)).astype(np.float32)
    with mps.device(engine.device).command_buffer() as cb:
        factor, _ = mps.linalg.MatrixDecompositionCholesky().encode(cb, a)
        x = Solve().encode(cb, factor, b, temporary=False)
    assert_solution(np.asarray(x), a.astype(np.float64), np.linalg.cholesky(a.astype(np.float64)), b)


def test_nothing_to_do(engine: Engine) -> None:
    assert Solve()(np.zeros((2, 0, 0), np.float32), np.zeros((2, 0, 3), np.float32)).shape == (2, 0, 3)
    assert Solve()(np.eye(3, dtype=np.float32), np.zeros((3, 0), np.float32)).shape == (3, 0)
    assert Solve()(np.zeros((0, 3, 3), np.float32), np.zeros((0, 3, 2), np.float32)).shape == (0, 3, 2)


@pytest.mark.parametrize(
    ("keywords", "shapes", "message"),
    [
        ({}, [(3, 4), (3, 2)], r"source is \(3, 4\) from its origin; allowed: a square matrix"),
        ({}, [(3, 3), (4, 2)], r"source has order 3, right_hand_side is \(4, 2\)"),
        ({}, [(3, 3), (3, 2), (4, 2)], r"solution is \(4, 2\); allowed: \(3, 2\)"),
        ({}, [(2, 3, 3), (3, 3, 2)], r"source has 2 matrices, right_hand_side 3"),
    ],
)
def test_refuses_shapes(keywords: dict[str, Any], shapes: list[tuple[int, ...]], message: str) -> None:
    arrays = [np.zeros(shape, np.float32) for shape in shapes]
    with pytest.raises(ValueError, match=f"MatrixSolveCholesky: .*{message}"):
        Solve(**keywords)(*arrays[:2], out=arrays[2] if len(arrays) > 2 else None)


def test_refuses_the_rest() -> None:
    square = np.eye(2, dtype=np.float32)
    with pytest.raises(TypeError, match="source is float64; allowed: float32"):
        Solve()(square.astype(np.float64), square)
    with pytest.raises(ValueError, match="overlaps right_hand_side"):
        Solve()(square.copy(), square, out=square)
    kernel = Solve(upper=True, order=4)
    assert pickle.loads(pickle.dumps(kernel)) == kernel
    assert kernel != Solve()
