"""MatrixSolveTriangular: residuals against float64 for every side, shape and transpose."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.linalg.solving import Array, assert_residual, framed, norm
from tests.support.engine import Engine

Solve = mps.linalg.MatrixSolveTriangular
OPTIONS = [
    dict(zip(("right", "upper", "transpose", "unit"), bits, strict=True))
    for bits in itertools.product((False, True), repeat=4)
]
GRID = pytest.mark.parametrize(
    "options", OPTIONS, ids=["-".join(k for k, v in o.items() if v) or "plain" for o in OPTIONS]
)
SIZES = [(1, 1), (3, 7), (4, 1), (9, 17), (31, 2), (65, 5), (64, 40), (130, 33), (200, 1), (301, 70), (601, 35)]


def triangular(rng: np.random.Generator, shape: tuple[int, ...], options: dict[str, bool]) -> Array:
    """Triangles with NaN wherever nothing may be read."""
    a = rng.uniform(-1, 1, shape)
    n = shape[-1]
    if options["unit"]:
        a /= max(1, n)  # or solutions grow as 2**n
    index = np.arange(n)
    a[..., index, index] = np.nan if options["unit"] else rng.uniform(0.5, 1, shape[:-1]) * (1 + n / 8)
    other = np.tril(np.ones((n, n), bool), -1) if options["upper"] else np.triu(np.ones((n, n), bool), 1)
    return np.where(other, np.nan, a).astype(np.float32)


def assert_solution(x: Array, a: Array, b: Array, options: dict[str, bool], alpha: float = 1.0) -> None:
    n = a.shape[-1]
    t = np.nan_to_num(a.astype(np.float64))
    if options["unit"]:
        t = t + np.eye(n)
    t = t.swapaxes(-1, -2) if options["transpose"] else t
    x64, b64 = x.astype(np.float64), alpha * b.astype(np.float64)
    if options["right"]:
        t, x64, b64 = t.swapaxes(-1, -2), x64.swapaxes(-1, -2), b64.swapaxes(-1, -2)
    assert_residual(t @ x64 - b64, n, norm(t) * norm(x64) + norm(b64), str(options))


def right_hand_side(rng: np.random.Generator, order: int, columns: int, options: dict[str, bool], *batch: int) -> Array:
    return rng.uniform(-1, 1, (*batch, columns, order) if options["right"] else (*batch, order, columns)).astype(
        np.float32
    )


@GRID
def test_matches_float64(engine: Engine, rng: np.random.Generator, options: dict[str, bool]) -> None:
    for order, columns in SIZES:
        a, b = triangular(rng, (order, order), options), right_hand_side(rng, order, columns, options)
        x = Solve(**options, alpha=-0.5)(a, b, out=np.full_like(b, np.nan))
        assert x.shape == b.shape
        assert x.dtype == np.float32
        assert_solution(x, a, b, options, -0.5)


@GRID
def test_batches(engine: Engine, rng: np.random.Generator, options: dict[str, bool]) -> None:
    for order, columns, matrices in ((1, 1, 9), (6, 3, 19), (32, 33, 8), (17, 70, 5), (40, 3, 3)):
        a, b = (
            triangular(rng, (matrices, order, order), options),
            right_hand_side(rng, order, columns, options, matrices),
        )
        assert_solution(Solve(**options, alpha=2)(a, b), a, b, options, 2)


@GRID
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, options: dict[str, bool]) -> None:
    first, count, batch, columns = 1, 9, 11, 6
    for order in (7, 67):
        a, b = triangular(rng, (batch, order, order), options), right_hand_side(rng, order, columns, options, batch)
        source, _ = framed(a, (2, 3))
        right, _ = framed(b, (1, 2))
        result, window = framed(np.full_like(b, 7), (3, 1))
        before = result.array.copy()
        kernel = Solve(
            **options, order=order, number_of_right_hand_sides=columns, primary_source_matrix_origin=(2, 3),
            secondary_source_matrix_origin=(1, 2), result_matrix_origin=(3, 1), batch_start=first, batch_size=count,
        )  # fmt: skip
        kernel(source.array, right.array, out=result.array)
        chosen = slice(first, first + count)
        assert_solution(window[chosen], a[chosen], b[chosen], options)
        window[chosen] = 7
        np.testing.assert_array_equal(result.array, before)
        result.check()


def test_zero_on_the_diagonal(engine: Engine) -> None:
    for count in (1, 9):
        a = np.tile(np.array([[1, 0], [2, 0]], np.float32), (count, 1, 1))
        b = np.tile(np.array([[1, 1], [3, 2]], np.float32), (count, 1, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            x = Solve()(a, b)
        assert np.all(x[:, 0] == 1)
        assert np.all(np.isposinf(x[:, 1, 0]))
        assert np.all(np.isnan(x[:, 1, 1]))


def test_diagonals_whose_inverses_are_no_floats(engine: Engine, rng: np.random.Generator) -> None:
    n = 40
    scale = np.where(np.arange(n) % 2, 2.0**127, 2.0**-140).astype(np.float32)
    a = np.tril(rng.uniform(-1e-3, 1e-3, (n, n)), -1) * scale[:, None] + np.diag(scale)
    b = (rng.uniform(0.5, 1, (n, 50)) * scale[:, None]).astype(np.float32)
    x = Solve()(a.astype(np.float32), b)
    want = np.linalg.solve(a.astype(np.float32).astype(np.float64), b.astype(np.float64))
    np.testing.assert_allclose(x, want, rtol=2e-2)  # elements of a few bits below 2**-126


def test_alpha_zero_reads_nothing(engine: Engine) -> None:
    for batch in ((), (9,)):
        a, b = np.full((*batch, 5, 5), np.nan, np.float32), np.full((*batch, 5, 3), np.inf, np.float32)
        np.testing.assert_array_equal(Solve(alpha=0)(a, b, out=np.full_like(b, np.nan)), np.zeros_like(b))


def test_nothing_to_do(engine: Engine) -> None:
    assert Solve()(np.zeros((2, 0, 0), np.float32), np.zeros((2, 0, 3), np.float32)).shape == (2, 0, 3)
    assert Solve(right=True)(np.eye(3, dtype=np.float32), np.zeros((0, 3), np.float32)).shape == (0, 3)
    assert Solve()(np.zeros((0, 3, 3), np.float32), np.zeros((0, 3, 2), np.float32)).shape == (0, 3, 2)


@pytest.mark.parametrize("right", [False, True])
def test_does_not_depend_on_threads(engine: Engine, rng: np.random.Generator, right: bool) -> None:
    if engine.is_metal:
        pytest.skip("thread counts belong to the CPU engine")
    threads = mps.num_threads()
    options = {"right": right, "upper": True, "transpose": False, "unit": False}
    cases = [
        (triangular(rng, (n, n), options), right_hand_side(rng, n, m, options))
        for n, m in ((260, 300), (260, 1), (520, 641))
    ]
    try:
        results: list[Any] = []
        for n in (1, 2, 5):
            mps.set_num_threads(n)
            results.append([Solve(**options)(a, b) for a, b in cases])
            for got, first in zip(results[-1], results[0], strict=True):
                np.testing.assert_array_equal(got, first)
    finally:
        mps.set_num_threads(threads)


@pytest.mark.parametrize(
    ("keywords", "shapes", "message"),
    [
        ({}, [(3, 4), (3, 2)], r"source is \(3, 4\) from its origin; allowed: a square matrix"),
        ({}, [(3, 3), (4, 2)], r"source has order 3, right_hand_side is \(4, 2\).*rows of right_hand_side must equal"),
        ({"right": True}, [(3, 3), (3, 2)], r"columns of right_hand_side must equal the order.*\(right-hand sides, order\)"),
        ({"order": 4}, [(3, 3), (4, 2)], r"source is \(3, 3\); allowed: \(4, 4\) or more"),
        ({"number_of_right_hand_sides": 3}, [(3, 3), (3, 2)], r"right_hand_side is \(3, 2\); allowed: \(3, 3\) or more"),
        ({}, [(3, 3), (3, 2), (3, 4)], r"solution is \(3, 4\); allowed: \(3, 2\)\. Pass order and number_of_right_hand_sides"),
        ({}, [(2, 3, 3), (3, 3, 2)], r"source has 2 matrices, right_hand_side 3"),
        ({"batch_start": 3}, [(2, 3, 3), (2, 3, 1)], r"batch_start is 3"),
        ({"secondary_source_matrix_origin": (0, 5)}, [(3, 3), (3, 1)], r"secondary_source_matrix_origin is \(0, 5\)"),
    ],
)  # fmt: skip
def test_refuses_shapes(keywords: dict[str, Any], shapes: list[tuple[int, ...]], message: str) -> None:
    arrays = [np.zeros(shape, np.float32) for shape in shapes]
    with pytest.raises(ValueError, match=f"MatrixSolveTriangular: .*{message}"):
        Solve(**keywords)(*arrays[:2], out=arrays[2] if len(arrays) > 2 else None)


def test_refuses_the_rest() -> None:
    square = np.eye(2, dtype=np.float32)
    with pytest.raises(TypeError, match="right_hand_side is float16; allowed: float32"):
        Solve()(square, square.astype(np.float16))
    with pytest.raises(ValueError, match="overlaps right_hand_side"):
        Solve()(square.copy(), square, out=square)
    with pytest.raises(ValueError, match="alpha is inf"):
        Solve(alpha=float("inf"))
    with pytest.raises(ValueError, match="primary_source_matrix_origin has a third number"):
        Solve(primary_source_matrix_origin=(0, 0, 1))
    kernel = Solve(upper=True, alpha=0.25, order=4)
    assert pickle.loads(pickle.dumps(kernel)) == kernel
    assert kernel != Solve()
