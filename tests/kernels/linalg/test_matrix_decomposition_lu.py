"""MatrixDecompositionLU: residuals against float64, pivots, status, windows, batches."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.linalg.solving import ORDERS, Array, assert_residual, framed, interchanged, norm
from tests.support.engine import Engine

LU = mps.linalg.MatrixDecompositionLU


def assert_factors(factors: Array, pivots: Array, a: Array) -> None:
    if a.ndim == 3:
        for one in zip(factors, pivots, a, strict=True):
            assert_factors(*one)
        return
    rows, columns = a.shape
    count = min(rows, columns)
    assert pivots.dtype == np.uint32
    assert pivots.shape == (count,)
    assert np.all((pivots >= np.arange(count)) & (pivots < rows))
    f = factors.astype(np.float64)
    lower, upper = np.tril(f[:, :count], -1) + np.eye(rows, count), np.triu(f[:count])
    assert np.abs(lower).max(initial=0) <= 1 + 1e-6
    assert_residual(
        lower @ upper - interchanged(a.astype(np.float64), pivots), count, norm(lower) * norm(upper), f"{a.shape}"
    )


def matrices(rng: np.random.Generator, *shape: int) -> Array:
    return rng.uniform(-1, 1, shape).astype(np.float32)


def test_matches_float64(engine: Engine, rng: np.random.Generator) -> None:
    orders = (*ORDERS, 300) if not engine.is_metal else ORDERS
    shapes = [shape for n in orders for shape in ((n, n), (n + 9, n), (n, n + 70))]
    if not engine.is_metal:
        shapes.append((1040, 260))  # in halves
    for rows, columns in shapes:
        a = matrices(rng, rows, columns)
        factors, pivots, status = LU()(a)
        assert_factors(factors, pivots, a)
        assert status.shape == (1,)
        assert status.dtype == np.int32
        assert status[0] == 0


@pytest.mark.parametrize(
    ("rows", "columns", "count"),
    [
        (1, 1, 9),
        (3, 3, 8),
        (4, 4, 9),
        (7, 9, 21),
        (8, 8, 19),
        (16, 5, 5),
        (17, 16, 9),
        (16, 17, 9),
        (7, 30, 9),
        (29, 27, 9),
        (31, 24, 8),
        (24, 24, 8),
        (25, 32, 9),
        (32, 32, 17),
        (33, 33, 4),
        (70, 65, 3),
    ],
)
def test_batches(engine: Engine, rng: np.random.Generator, rows: int, columns: int, count: int) -> None:
    a = matrices(rng, count, rows, columns)
    factors, pivots, status = LU()(a)
    assert pivots.shape == (count, min(rows, columns))
    assert status.shape == (count,)
    assert not status.any()
    assert_factors(factors, pivots, a)


def eliminated(a: Array) -> tuple[Array, list[int]]:
    """LU factors by the definition, and the row of each pivot: the first of the largest."""
    which = []
    for j in range(len(a)):
        p = j + int(np.argmax(np.abs(a[j:, j])))
        which.append(p)
        a[[j, p]] = a[[p, j]]
        a[j + 1 :, j] /= a[j, j]
        a[j + 1 :, j + 1 :] -= np.outer(a[j + 1 :, j], a[j, j + 1 :])
    return a, which


def test_pivots_count_from_zero_and_take_the_first_of_equals(engine: Engine, rng: np.random.Generator) -> None:
    for count in (1, 9):  # alone, and side by side
        a = np.tile(np.array([[1, 2], [-1, 5]], np.float32), (count, 1, 1))
        assert LU()(a)[1].tolist() == [[0, 1]] * count
        assert LU()(a[:, ::-1])[1].tolist() == [[0, 1]] * count
        a = np.tile(np.array([[0, 1], [1, 0]], np.float32), (count, 1, 1))
        assert LU()(a)[1].tolist() == [[1, 1]] * count
    # Rows of a permutation beside each other, all of one size: every pivot is the first 1 or -1 below the diagonal.
    for order in (9, 24, 31):
        a = np.zeros((9, order, order), np.float32)
        for matrix in a:
            matrix[rng.permutation(order), np.arange(order)] = rng.choice([-1, 1], order)
            for column in range(0, order - 1, 3):  # two of equal size, of which the first one is taken
                rest = np.flatnonzero(np.abs(matrix[:, column + 1 :]).any(axis=1))
                matrix[rng.choice(rest), column] = 1
        factors, pivots, status = LU()(a)
        for i in range(9):
            wanted, which = eliminated(a[i].astype(np.float64))
            assert pivots[i].tolist() == which
            np.testing.assert_array_equal(factors[i], wanted)
        assert not status.any()
    a = np.ones((50, 1), np.float32)
    a[[7, 23, 41]] = [[-4], [4], [-4]]
    assert LU()(a)[1].tolist() == [7]


@pytest.mark.parametrize(("rows", "columns"), [(6, 9), (8, 8), (21, 19), (70, 66)])
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, rows: int, columns: int) -> None:
    first, count, batch = 1, 9, 11
    a = matrices(rng, batch, rows, columns)
    source, _ = framed(a, (2, 3))
    result, window = framed(np.full_like(a, 7), (1, 2))
    status, pivots = np.full(batch, 99, np.int32), np.full((batch, min(rows, columns) + 2), 999, np.uint32)
    before, untouched = result.array.copy(), source.array.copy()
    kernel = LU(
        rows=rows,
        columns=columns,
        source_matrix_origin=(2, 3),
        result_matrix_origin=(1, 2),
        batch_start=first,
        batch_size=count,
    )
    kernel(source.array, out=(result.array, pivots, status))
    chosen = slice(first, first + count)
    assert_factors(window[chosen], pivots[chosen, :-2], a[chosen])
    assert list(status) == [99] * first + [0] * count + [99] * (batch - first - count)
    pivots[chosen, :-2] = 999
    assert np.all(pivots == 999)
    window[chosen] = 7
    np.testing.assert_array_equal(result.array, before)
    np.testing.assert_array_equal(source.array, untouched)
    result.check()
    source.check()


def test_new_results_of_a_part_of_a_batch(engine: Engine, rng: np.random.Generator) -> None:
    a = matrices(rng, 3, 4, 4)
    factors, pivots, status = LU(batch_start=1, batch_size=1, result_matrix_origin=(1, 0))(a)
    assert factors.shape == (3, 5, 4)
    assert_factors(factors[1, 1:], pivots[1], a[1])
    factors[1, 1:], pivots[1] = 0, 0
    assert not factors.any()
    assert not pivots.any()
    assert not status.any()


def test_in_place(engine: Engine, rng: np.random.Generator) -> None:
    for order, count in ((5, 12), (8, 12), (27, 12), (90, 2)):
        a = matrices(rng, count, order, order)
        work, pivots, status = a.copy(), np.zeros((count, order), np.uint32), np.full(count, 5, np.int32)
        LU()(work, out=(work, pivots, status))
        assert_factors(work, pivots, a)
        assert not status.any()


def test_status_of_singular_matrices(engine: Engine, rng: np.random.Generator) -> None:
    exact = np.array([[1, 2], [2, 4]], np.float32)
    factors, pivots, status = LU()(exact)
    assert list(status) == [-2]
    assert pivots.tolist() == [1, 1]
    assert factors.tolist() == [[2, 4], [0.5, 0]]
    for order, count in ((8, 12), (9, 12), (30, 12), (40, 1), (100, 1)):
        a = rng.integers(-3, 4, (count, order, order)).astype(np.float32)
        a[0, :, order // 2] = 0
        a[0, order // 3 :, order // 3 - 1] = 0  # in an upper triangle of zeros behind it
        a[0, :, 0] = 0
        factors, pivots, status = LU()(a)
        assert status[0] == -2
        assert_factors(factors[0], pivots[0], a[0])
        whole, _, many = LU()(np.zeros((count, order, order), np.float32))
        assert not whole.any()
        assert np.all(many == -2)


def test_status_of_a_column_of_zeros(engine: Engine, rng: np.random.Generator) -> None:
    for order, count in ((8, 9), (13, 9), (30, 9), (30, 1), (100, 1), (600, 1)):
        for column in (0, order // 2, order * 4 // 5, order - 1):
            a = matrices(rng, count, order, order)
            a[-1, :, column] = 0
            factors, pivots, status = LU()(a)
            assert list(np.ravel(status)) == [0] * (count - 1) + [-2]
            assert_factors(factors, pivots, a)


def test_nan_is_no_singularity(engine: Engine, rng: np.random.Generator) -> None:
    for order, count in ((6, 9), (8, 9), (26, 9), (80, 1)):
        a = matrices(rng, count, order, order)
        a[0, 2, 3] = np.nan
        factors, pivots, status = LU()(a)
        assert not status.any()
        assert np.isnan(factors[0]).any()
        assert np.all(pivots < order)
        assert_factors(factors[1:], pivots[1:], a[1:])


def test_very_small_and_large_pivots(engine: Engine, rng: np.random.Generator) -> None:
    if engine.is_metal:
        pytest.skip("what a GPU does with subnormal numbers is not documented")
    for order, count in ((4, 9), (5, 9), (20, 9), (20, 1), (70, 1)):
        for scale in (2.0**-130, 2.0**120):
            a = (matrices(rng, count, order, order) * scale).astype(np.float32)
            factors, pivots, status = LU()(a)
            assert not status.any()
            assert_factors(
                factors * np.tril(np.ones((order, order)), -1) + np.triu(factors / scale), pivots, a / scale
            ) if scale > 1 else None
            assert np.abs(np.tril(factors, -1)).max() <= 1


def test_nothing_to_do(engine: Engine) -> None:
    for shape in ((2, 0, 3), (2, 3, 0), (0, 3, 3)):
        factors, pivots, status = LU()(np.zeros(shape, np.float32))
        assert factors.shape == shape
        assert pivots.shape == (shape[0], min(shape[1:]))
        assert status.tolist() == [0] * shape[0]


def test_does_not_depend_on_threads(engine: Engine, rng: np.random.Generator) -> None:
    if engine.is_metal:
        pytest.skip("thread counts belong to the CPU engine")
    threads = mps.num_threads()
    large, small = matrices(rng, 613, 590), matrices(rng, 37, 19, 19)
    try:
        results: list[Any] = []
        for n in (1, 2, 5):
            mps.set_num_threads(n)
            results.append([out for a in (large, small) for out in LU()(a)])
            for got, first in zip(results[-1], results[0], strict=True):
                np.testing.assert_array_equal(got, first)
    finally:
        mps.set_num_threads(threads)
    np.testing.assert_array_equal(LU()(small[3:20])[0], results[0][3][3:20])


def test_short_form(engine: Engine, rng: np.random.Generator) -> None:
    a = matrices(rng, 3, 12, 12)
    for got, wanted in zip(mps.linalg.lu(a), LU()(a)[:2], strict=True):
        np.testing.assert_array_equal(got, wanted)
    a[2] = 1
    with pytest.raises(np.linalg.LinAlgError, match=r"lu: matrix 2 of a .* is singular.*check=False"):
        mps.linalg.lu(a)
    assert list(mps.linalg.lu(a, check=False)[2]) == [0, 0, -2]


@pytest.mark.parametrize(
    ("keywords", "shapes", "message"),
    [
        ({"rows": 4}, [(3, 4)], r"source is \(3, 4\); allowed: \(4, 4\) or more. Pass a smaller rows or columns"),
        ({}, [(3, 3), (4, 4), (3,), (1,)], r"result is \(4, 4\); allowed: \(3, 3\)\. Pass rows and columns"),
        ({}, [(3, 3), (3, 3), (4,), (1,)], r"pivot_indices is \(4,\); allowed: \(3,\)"),
        ({"rows": 3, "columns": 3}, [(3, 3), (3, 3), (2,), (1,)], r"pivot_indices is \(2,\); allowed: \(3,\) or more"),
        ({}, [(2, 3, 3), (2, 3, 3), (3, 3), (2,)], r"source has 2 matrices, pivot_indices 3"),
        ({}, [(2, 3, 3), (2, 3, 3), (2, 3), (3,)], r"status is \(3,\) int32; allowed: \(2,\)"),
        ({"batch_size": 3}, [(2, 3, 3)], r"batch_size is 3; allowed: matrices 0 to 2"),
    ],
)  # fmt: skip
def test_refuses_shapes(keywords: dict[str, Any], shapes: list[tuple[int, ...]], message: str) -> None:
    dtypes = (np.float32, np.float32, np.uint32, np.int32)
    arrays = [np.zeros(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=False)]
    with pytest.raises(ValueError, match=f"MatrixDecompositionLU: .*{message}"):
        LU(**keywords)(arrays[0], out=tuple(arrays[1:]) or None)


def test_refuses_the_rest() -> None:
    square = np.eye(2, dtype=np.float32)
    with pytest.raises(TypeError, match="source is float16; allowed: float32"):
        LU()(square.astype(np.float16))
    with pytest.raises(TypeError, match="pivot_indices is int32; allowed: uint32"):
        LU()(square, out=(square.copy(), np.zeros(2, np.int32), np.zeros(1, np.int32)))
    with pytest.raises(TypeError, match="a tuple of 3"):
        LU()(square, out=square.copy())
    with pytest.raises(ValueError, match="result_matrix_origin has a third number"):
        LU(result_matrix_origin=(0, 0, 1))
    kernel = LU(rows=4, source_matrix_origin=(1, 2))
    assert pickle.loads(pickle.dumps(kernel)) == kernel
    assert kernel != LU()
