"""MatrixDecompositionCholesky: residuals against float64, one triangle alone, status, windows, batches."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.linalg.solving import ORDERS, Array, assert_residual, definite, framed, norm
from tests.support.engine import Engine

Cholesky = mps.linalg.MatrixDecompositionCholesky
BOTH = pytest.mark.parametrize("lower", [True, False], ids=["lower", "upper"])


def triangle(a: Array, lower: bool) -> Array:
    return np.tril(a) if lower else np.triu(a)


def assert_factor(factor: Array, a: Array, lower: bool) -> None:
    f = triangle(factor.astype(np.float64), lower)
    product = f @ f.swapaxes(-1, -2) if lower else f.swapaxes(-1, -2) @ f
    assert_residual(product - a, a.shape[-1], norm(a))


@BOTH
def test_matches_float64(engine: Engine, rng: np.random.Generator, lower: bool) -> None:
    for order in (*ORDERS, 300) if not engine.is_metal else ORDERS:
        a = definite(rng, order)
        wanted = np.linalg.cholesky(a.astype(np.float64))
        read = np.where(triangle(np.ones(a.shape, bool), lower), a, np.float32(np.nan))  # nothing else may be read
        factor, status = Cholesky(lower=lower)(read)
        assert status.shape == (1,)
        assert status.dtype == np.int32
        assert status[0] == 0
        assert_factor(factor, a, lower)
        assert np.array_equal(factor, triangle(factor, lower)), "the other triangle of a new result is zero"
        np.testing.assert_allclose(factor, wanted if lower else wanted.T, rtol=0, atol=3e-6 * order)


@BOTH
@pytest.mark.parametrize(("order", "matrices"), [(1, 9), (3, 8), (7, 21), (16, 5), (32, 17), (33, 4), (70, 3)])
def test_batches(engine: Engine, rng: np.random.Generator, lower: bool, order: int, matrices: int) -> None:
    a = definite(rng, order, matrices)
    factor, status = Cholesky(lower=lower)(a)
    assert status.shape == (matrices,)
    assert not status.any()
    assert_factor(factor, a, lower)
    assert np.array_equal(factor, triangle(factor, lower))


@BOTH
@pytest.mark.parametrize("order", [6, 70])
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, lower: bool, order: int) -> None:
    first, count, batch = 1, 9, 11
    a = definite(rng, order, batch)
    source, _ = framed(a, (2, 3))
    result, window = framed(np.full_like(a, 7), (1, 2))
    status = np.full(batch, 99, np.int32)
    before, untouched = result.array.copy(), source.array.copy()
    kernel = Cholesky(
        lower=lower,
        order=order,
        source_matrix_origin=(2, 3),
        result_matrix_origin=(1, 2),
        batch_start=first,
        batch_size=count,
    )
    out = (result.array, status)
    assert kernel(source.array, out=out) is out
    chosen = slice(first, first + count)
    assert_factor(window[chosen], a[chosen], lower)
    assert list(status) == [99] * first + [0] * count + [99] * (batch - first - count)
    # The other triangle, other matrices and what lies around keep their values.
    written = np.zeros(before.shape, bool)
    written[chosen, 1 : 1 + order, 2 : 2 + order] = triangle(np.ones((order, order), bool), lower)
    np.testing.assert_array_equal(np.where(written, 0, result.array), np.where(written, 0, before))
    np.testing.assert_array_equal(source.array, untouched)
    result.check()
    source.check()


@BOTH
def test_in_place(engine: Engine, rng: np.random.Generator, lower: bool) -> None:
    for order, matrices in ((5, 12), (90, 3)):
        a = definite(rng, order, matrices)
        work, status = a.copy(), np.full(matrices, 5, np.int32)
        Cholesky(lower=lower)(work, out=(work, status))
        assert_factor(work, a, lower)
        np.testing.assert_array_equal(
            triangle(work, not lower) * (1 - np.eye(order)), triangle(a, not lower) * (1 - np.eye(order))
        )
        assert not status.any()
        with pytest.raises(ValueError, match="overlaps source"):
            Cholesky(lower=lower)(work[:-1], out=(work[1:], status[1:]))
    with pytest.raises(ValueError, match="overlaps source"):
        Cholesky(order=3, source_matrix_origin=(1, 1))(work, out=(work, status))


@BOTH
def test_status_of_matrices_that_are_not_positive_definite(
    engine: Engine, rng: np.random.Generator, lower: bool
) -> None:
    for order, bad, matrices in ((1, 0, 1), (4, 2, 1), (9, 8, 12), (100, 70, 1), (100, 99, 2), (100, 0, 1)):
        a = definite(rng, order, matrices)
        good = Cholesky(lower=lower)(a)[0]
        exact = triangle(good.astype(np.float64), lower)
        for value in (0.0, -3.0, np.nan):
            work = a.copy()
            work[0, bad, bad] = value
            factor, status = Cholesky(lower=lower)(work)
            assert list(status) == [-3] + [0] * (matrices - 1)
            column = exact[0, bad, :bad] if lower else exact[0, :bad, bad]
            pivot = value - (column**2).sum()
            np.testing.assert_allclose(factor[0, bad, bad], pivot, rtol=1e-4, atol=1e-5)
            done = factor[0, :, :bad] if lower else factor[0, :bad]
            np.testing.assert_allclose(np.diag(done), np.diag(exact[0])[:bad], rtol=1e-4)
            assert_factor(factor[1:], a[1:], lower) if matrices > 1 else None
    factor, status = Cholesky(lower=lower)(np.array([[4, 2], [2, 1]], np.float32))  # a pivot of exactly 0
    assert status[0] == -3
    assert factor[0, 0] == 2
    assert factor[1, 1] == 0


def test_nothing_to_do(engine: Engine) -> None:
    factor, status = Cholesky()(np.zeros((3, 0, 0), np.float32))
    assert factor.shape == (3, 0, 0)
    assert list(status) == [0, 0, 0]
    factor, status = Cholesky()(np.zeros((0, 4, 4), np.float32))
    assert factor.shape == (0, 4, 4)
    assert status.shape == (0,)


def test_does_not_depend_on_threads(engine: Engine, rng: np.random.Generator) -> None:
    if engine.is_metal:
        pytest.skip("thread counts belong to the CPU engine")
    threads = mps.num_threads()
    large, small = definite(rng, 413), definite(rng, 19, 37)
    try:
        results = []
        for n in (1, 2, 5):
            mps.set_num_threads(n)
            results.append([Cholesky(lower=lower)(a)[0] for a in (large, small) for lower in (True, False)])
            for got, first in zip(results[-1], results[0], strict=True):
                np.testing.assert_array_equal(got, first)
    finally:
        mps.set_num_threads(threads)
    # Nor on the place of a matrix in its batch.
    np.testing.assert_array_equal(Cholesky()(small[3:20])[0], results[0][2][3:20])


def test_short_form(engine: Engine, rng: np.random.Generator) -> None:
    a = definite(rng, 12, 3)
    np.testing.assert_array_equal(mps.linalg.cholesky(a), Cholesky()(a)[0])
    np.testing.assert_array_equal(mps.linalg.cholesky(a, upper=True), Cholesky(lower=False)(a)[0])
    a[1, 4, 4] = -1
    with pytest.raises(
        np.linalg.LinAlgError, match=r"cholesky: matrix 1 of a .* is not positive definite.*check=False"
    ):
        mps.linalg.cholesky(a)
    with pytest.raises(np.linalg.LinAlgError, match=r"cholesky: a is not positive definite"):
        mps.linalg.cholesky(a[1])
    _, status = mps.linalg.cholesky(a, check=False)
    assert list(status) == [0, -3, 0]
    work, state = a[:1].copy(), np.ones(1, np.int32)
    assert mps.linalg.cholesky(work, out=(work, state)) is work
    assert state[0] == 0


@pytest.mark.parametrize(
    ("keywords", "shapes", "message"),
    [
        ({}, [(3, 4)], r"source is \(3, 4\) from its origin; allowed: a square matrix. Pass order"),
        ({"order": 4}, [(3, 4)], r"source is \(3, 4\); allowed: \(4, 4\) or more. Pass a smaller order"),
        ({}, [(3, 3), (4, 4), (1,)], r"result is \(4, 4\); allowed: \(3, 3\)\. Pass order"),
        ({"order": 3, "result_matrix_origin": (2, 0)}, [(3, 3), (4, 4), (1,)], r"result is \(2, 4\) from result_matrix_origin; allowed: \(3, 3\) or more"),
        ({}, [(2, 3, 3), (3, 3, 3), (2,)], r"source has 2 matrices, result 3; allowed: the same number"),
        ({}, [(2, 3, 3), (2, 3, 3), (3,)], r"status is \(3,\) int32; allowed: \(2,\)"),
        ({"batch_start": 3}, [(2, 3, 3)], r"batch_start is 3, batch_size is None; allowed: matrices 0 to 2"),
        ({"source_matrix_origin": (4, 0)}, [(3, 3)], r"source_matrix_origin is \(4, 0\) and source is"),
    ],
)  # fmt: skip
def test_refuses_shapes(keywords: dict[str, Any], shapes: list[tuple[int, ...]], message: str) -> None:
    arrays = [np.zeros(shape, np.float32) for shape in shapes[:2]] + [np.zeros(shape, np.int32) for shape in shapes[2:]]
    with pytest.raises(ValueError, match=f"MatrixDecompositionCholesky: .*{message}"):
        Cholesky(**keywords)(arrays[0], out=tuple(arrays[1:]) or None)


def test_refuses_the_rest() -> None:
    square = np.eye(2, dtype=np.float32)
    with pytest.raises(TypeError, match="source is float64; allowed: float32"):
        Cholesky()(square.astype(np.float64))
    with pytest.raises(TypeError, match="status is float32; allowed: int32"):
        Cholesky()(square, out=(square.copy(), np.zeros(1, np.float32)))
    with pytest.raises(TypeError, match="dtype is float16; allowed: float32"):
        Cholesky()(square, dtype="float16")
    with pytest.raises(ValueError, match="channels is 3"):
        Cholesky()(square, channels=3)
    with pytest.raises(ValueError, match="source_matrix_origin has a third number"):
        Cholesky(source_matrix_origin=(0, 0, 1))
    with pytest.raises(ValueError, match="order is -1"):
        Cholesky(order=-1)
    kernel = Cholesky(lower=False, order=4, batch_start=1)
    assert pickle.loads(pickle.dumps(kernel)) == kernel
    assert kernel != Cholesky()
