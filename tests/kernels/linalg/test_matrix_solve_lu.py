"""MatrixSolveLU, and solve(): residuals of the original systems in float64."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.linalg.solving import Array, assert_residual, definite, framed, norm
from tests.support.engine import Engine

LU, Solve = mps.linalg.MatrixDecompositionLU, mps.linalg.MatrixSolveLU
BOTH = pytest.mark.parametrize("transpose", [False, True], ids=["plain", "transpose"])


def factored(rng: np.random.Generator, order: int, matrices: int, any_row: bool = False) -> tuple[Array, Array, Array]:
    """Factors made by hand, so that nothing here depends on the kernel that usually makes them: A, its factors, pivots."""
    lower = np.tril(rng.uniform(-1, 1, (matrices, order, order)), -1) / max(1, order) ** 0.5
    upper = np.triu(rng.uniform(-1, 1, (matrices, order, order)), 1)
    upper[:, np.arange(order), np.arange(order)] = rng.uniform(1, 2, (matrices, order)) * (1 + order / 8)
    factors = (lower + upper).astype(np.float32)
    f = factors.astype(np.float64)
    a = (np.tril(f, -1) + np.eye(order)) @ np.triu(f)
    pivots = np.array(
        [[rng.integers(0 if any_row else i, order) for i in range(order)] for _ in range(matrices)], np.uint32
    ).reshape(matrices, order)
    for one, p in zip(a, pivots, strict=True):
        for i in reversed(range(order)):
            one[[i, int(p[i])]] = one[[int(p[i]), i]]
    return a, factors, pivots


def assert_solution(x: Array, a: Array, factors: Array, b: Array, transpose: bool) -> None:
    f = np.abs(factors.astype(np.float64))
    growth = norm(np.tril(f, -1) + np.eye(f.shape[-1])) * norm(np.triu(f))
    if transpose:
        a = a.swapaxes(-1, -2)
        growth = norm((np.tril(f, -1) + np.eye(f.shape[-1])).swapaxes(-1, -2)) * norm(np.triu(f).swapaxes(-1, -2))
    x64 = x.astype(np.float64)
    assert_residual(a @ x64 - b, a.shape[-1], growth * norm(x64) + norm(b))


@BOTH
@pytest.mark.parametrize(
    ("order", "columns", "matrices"),
    [
        *((1, 1, 1), (5, 3, 1), (65, 1, 1), (130, 40, 1), (200, 2, 2)),
        *((4, 1, 9), (4, 40, 8), (8, 1, 19), (8, 3, 8), (31, 5, 19), (32, 40, 8), (32, 1, 9)),
    ],
)
def test_matches_float64(
    engine: Engine, rng: np.random.Generator, transpose: bool, order: int, columns: int, matrices: int
) -> None:
    a, factors, pivots = factored(rng, order, matrices)
    b = rng.uniform(-1, 1, (matrices, order, columns)).astype(np.float32)
    x = Solve(transpose=transpose)(factors, b, pivots)
    assert x.shape == b.shape
    assert x.dtype == np.float32
    assert_solution(x, a, factors, b, transpose)


@BOTH
@pytest.mark.parametrize(("order", "matrices"), [(4, 9), (8, 9), (12, 9), (70, 2)])
def test_rows_that_change_places_with_one_before(
    engine: Engine, rng: np.random.Generator, transpose: bool, order: int, matrices: int
) -> None:
    a, factors, pivots = factored(rng, order, matrices, any_row=True)
    b = rng.uniform(-1, 1, (matrices, order, 2)).astype(np.float32)
    assert_solution(Solve(transpose=transpose)(factors, b, pivots), a, factors, b, transpose)


@BOTH
@pytest.mark.parametrize("order", [7, 8, 67])
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, transpose: bool, order: int) -> None:
    first, count, batch, columns = 1, 9, 11, 6
    a, factors, pivots = factored(rng, order, batch)
    b = rng.uniform(-1, 1, (batch, order, columns)).astype(np.float32)
    source, _ = framed(factors, (2, 3))
    right, _ = framed(b, (1, 2))
    result, window = framed(np.full_like(b, 7), (3, 1))
    before = result.array.copy()
    indices = np.concatenate([pivots, np.full((batch, 3), 2**32 - 1, np.uint32)], axis=1)  # longer than needed
    kernel = Solve(
        transpose=transpose, order=order, number_of_right_hand_sides=columns, primary_source_matrix_origin=(2, 3),
        secondary_source_matrix_origin=(1, 2), result_matrix_origin=(3, 1), batch_start=first, batch_size=count,
    )  # fmt: skip
    kernel(source.array, right.array, indices, out=result.array)
    chosen = slice(first, first + count)
    assert_solution(window[chosen], a[chosen], factors[chosen], b[chosen], transpose)
    window[chosen] = 7
    np.testing.assert_array_equal(result.array, before)
    result.check()


def test_indices_that_are_no_rows(engine: Engine, rng: np.random.Generator) -> None:
    for order, matrices in ((5, 1), (5, 9), (80, 1)):
        _, factors, pivots = factored(rng, order, matrices)
        b = np.ones((matrices, order, 2), np.float32)
        pivots[-1, 3] = order
        if engine.is_metal:  # it works before anybody can look: the last row
            last = pivots.copy()
            last[-1, 3] = order - 1
            np.testing.assert_array_equal(Solve()(factors, b, pivots), Solve()(factors, b, last))
        else:
            with pytest.raises(
                ValueError,
                match=rf"pivot_indices holds {order} for row 3 of matrix {matrices - 1}; allowed: rows 0 to {order - 1}",
            ):
                Solve()(factors, b, pivots)


def test_nothing_to_do(engine: Engine) -> None:
    none = np.zeros((2, 0), np.uint32)
    assert Solve()(np.zeros((2, 0, 0), np.float32), np.zeros((2, 0, 3), np.float32), none).shape == (2, 0, 3)
    assert Solve()(np.eye(3, dtype=np.float32), np.zeros((3, 0), np.float32), np.zeros(3, np.uint32)).shape == (3, 0)
    assert Solve()(
        np.zeros((0, 3, 3), np.float32), np.zeros((0, 3, 2), np.float32), np.zeros((0, 3), np.uint32)
    ).shape == (0, 3, 2)


def test_follows_the_factorization(engine: Engine, rng: np.random.Generator) -> None:
    a, b = rng.uniform(-1, 1, (9, 20, 20)).astype(np.float32), rng.uniform(-1, 1, (9, 20, 4)).astype(np.float32)
    with mps.device(engine.device).command_buffer() as cb:
        factors, pivots, _status = LU().encode(cb, a)
        x = Solve().encode(cb, factors, b, pivots, temporary=False)
    x = np.asarray(x)
    assert_solution(x, a.astype(np.float64), LU()(a)[0], b, False)


def test_solve(engine: Engine, rng: np.random.Generator) -> None:
    solve = mps.linalg.solve
    a, b = rng.uniform(-1, 1, (40, 40)).astype(np.float32), rng.uniform(-1, 1, (40, 3)).astype(np.float32)
    wanted = np.linalg.solve(a.astype(np.float64), b)
    np.testing.assert_allclose(solve(a, b), wanted, rtol=2e-2, atol=1e-3)
    one = solve(a, b[:, 0].copy())
    assert one.shape == (40,)
    np.testing.assert_allclose(one, wanted[:, 0], rtol=2e-2, atol=1e-3)
    out = np.zeros(40, np.float32)
    assert solve(a, b[:, 0].copy(), out=out) is out
    np.testing.assert_array_equal(out, one)
    np.testing.assert_allclose(solve(a.T, b), np.linalg.solve(a.T.astype(np.float64), b), rtol=2e-2, atol=1e-3)
    spd, many = definite(rng, 6, 10), rng.uniform(-1, 1, (10, 6, 2)).astype(np.float32)
    for positive_definite in (False, True):
        x = solve(spd, many, positive_definite=positive_definite)
        np.testing.assert_allclose(x, np.linalg.solve(spd.astype(np.float64), many), rtol=1e-3, atol=1e-4)
    spd[3] = 0
    for positive_definite, message in ((False, "is singular"), (True, "is not positive definite")):
        with pytest.raises(np.linalg.LinAlgError, match=f"matrix 3 of a .*{message}"):
            solve(spd, many, positive_definite=positive_definite)
        x = solve(spd, many, positive_definite=positive_definite, check=False)
        assert not np.isfinite(x[3]).all()
        assert np.isfinite(x[4]).all()


@pytest.mark.parametrize(
    ("keywords", "shapes", "message"),
    [
        ({}, [(3, 4), (3, 2), (3,)], r"source is \(3, 4\) from its origin; allowed: a square matrix"),
        ({}, [(3, 3), (4, 2), (3,)], r"source has order 3, right_hand_side is \(4, 2\)"),
        ({}, [(3, 3), (3, 2), (2,)], r"pivot_indices is \(2,\); allowed: \(3,\)"),
        ({}, [(2, 3, 3), (2, 3, 2), (3, 3)], r"source has 2 matrices, pivot_indices 3"),
        ({"number_of_right_hand_sides": 3}, [(3, 3), (3, 2), (3,)], r"right_hand_side is \(3, 2\); allowed: \(3, 3\) or more"),
    ],
)  # fmt: skip
def test_refuses_shapes(keywords: dict[str, Any], shapes: list[tuple[int, ...]], message: str) -> None:
    arrays = [np.zeros(shape, dtype) for shape, dtype in zip(shapes, (np.float32, np.float32, np.uint32), strict=True)]
    with pytest.raises(ValueError, match=f"MatrixSolveLU: .*{message}"):
        Solve(**keywords)(*arrays)


def test_refuses_the_rest() -> None:
    square, pivots = np.eye(2, dtype=np.float32), np.zeros(2, np.uint32)
    with pytest.raises(TypeError, match="pivot_indices is int32; allowed: uint32"):
        Solve()(square, square.copy(), pivots.astype(np.int32))
    with pytest.raises(ValueError, match="overlaps source"):
        Solve()(square, square.copy(), pivots, out=square)
    kernel = Solve(transpose=True, number_of_right_hand_sides=4)
    assert pickle.loads(pickle.dumps(kernel)) == kernel
    assert kernel != Solve()
