"""Factorizations, solvers, and matrix times vector: one large matrix, and batches of small ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mpskit as mps

from ...harness.case import Case, Contender, Wanted
from ...peers import lapack

Array = NDArray[Any]


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for n in (512, 1024, 2048):
        yield from _one(rng, n, threads, wanted)
    for n in (32, 8):
        yield from _batch(rng, 1000, n, threads, wanted)
    for transpose in (False, True):
        n, name = 4096, f"gemv 4096{', transposed' if transpose else ''}"
        if wanted(name):
            a, x = _array(rng, (n, n)), _array(rng, (n,))
            multiply, out = mps.linalg.MatrixVectorMultiplication(transpose=transpose), mps.empty((n,), "float32")
            op = a.T if transpose else a
            yield (
                Case(name, "linalg", lambda op=op, x=x: op.astype(np.float64) @ x, 1e-6 * n, float(a.nbytes), 2.0 * n * n)
                .ours(lambda a=a, x=x, multiply=multiply, out=out: multiply(a, x, out=out))
                .add(*lapack.gemv(op, x, threads))
            )  # fmt: skip


def _array(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    out = mps.empty(shape, "float32")
    out[...] = rng.uniform(-1, 1, shape)
    return out


def _definite(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Well-conditioned, symmetric: noise around a multiple of the identity."""
    out, n = _array(rng, shape), shape[-1]
    out[...] = (out + out.swapaxes(-1, -2)) / 2 + 2 * n**0.5 * np.eye(n, dtype=np.float32)
    return out


def _case(name: str, flops: float, moved: float, reference: Callable[[], Array], tolerance: float, ours: Callable[[], Any], peers: list[Contender | None], result: Any = np.asarray) -> Case:  # fmt: skip
    return Case(name, "linalg", reference, tolerance, moved, flops).ours(ours, result).add(*peers)


def _one(rng: np.random.Generator, n: int, threads: int, wanted: Wanted) -> Iterator[Case]:
    a, b = _definite(rng, (n, n)), _array(rng, (n, 16))
    wide = _array(rng, (n, n))
    factor = np.tril(np.linalg.cholesky(a.astype(np.float64))).astype(np.float32)
    results = {key: mps.empty((n, n), "float32") for key in ("cholesky", "lu", "triangular")}
    status, pivots, x = np.zeros(1, np.int32), np.zeros(n, np.uint32), mps.empty((n, 16), "float32")
    if wanted(name := f"cholesky {n}"):
        kernel = mps.linalg.MatrixDecompositionCholesky()
        results["cholesky"][...] = 0
        yield _case(name, n**3 / 3, 2.0 * a.nbytes, lambda: np.linalg.cholesky(a.astype(np.float64)), 1e-5 * n,
                    lambda: kernel(a, out=(results["cholesky"], status)), lapack.cholesky(a, threads), lambda r: np.asarray(r[0]))  # fmt: skip
    if wanted(name := f"lu {n}"):
        lu = mps.linalg.MatrixDecompositionLU()
        yield _case(name, 2 * n**3 / 3, 2.0 * a.nbytes, lambda: _lu_reference(wide), 1e-4 * n,
                    lambda: lu(wide, out=(results["lu"], pivots, status)), lapack.lu(wide, threads), lambda r: np.asarray(r[0]))  # fmt: skip
    if wanted(name := f"solve {n}, 16 right-hand sides"):
        yield _case(name, 2 * n**3 / 3 + 32.0 * n * n, float(a.nbytes), lambda: np.linalg.solve(a.astype(np.float64), b), 1e-4,
                    lambda: mps.linalg.solve(a, b, out=x), lapack.solve(a, b, threads))  # fmt: skip
    if wanted(name := f"solve {n}, positive definite, 16 right-hand sides"):
        yield _case(name, n**3 / 3 + 32.0 * n * n, float(a.nbytes), lambda: np.linalg.solve(a.astype(np.float64), b), 1e-4,
                    lambda: mps.linalg.solve(a, b, positive_definite=True, out=x), lapack.solve_definite(a, b, threads))  # fmt: skip
    if wanted(name := f"triangular solve {n}"):
        solve = mps.linalg.MatrixSolveTriangular()
        yield _case(name, float(n**3), 3.0 * a.nbytes, lambda: np.linalg.solve(factor.astype(np.float64), wide), 1e-4 * n,
                    lambda: solve(factor, wide, out=results["triangular"]), lapack.solve_triangular(factor, wide, threads))  # fmt: skip


def _lu_reference(a: Array) -> Array:
    import scipy.linalg

    return np.asarray(scipy.linalg.lu_factor(a.astype(np.float64))[0])


def _batch(rng: np.random.Generator, count: int, n: int, threads: int, wanted: Wanted) -> Iterator[Case]:
    a, wide, b = _definite(rng, (count, n, n)), _array(rng, (count, n, n)), _array(rng, (count, n, 1))
    result, status, pivots = (
        mps.zeros((count, n, n), "float32"),
        np.zeros(count, np.int32),
        np.zeros((count, n), np.uint32),
    )
    x = mps.empty((count, n, 1), "float32")
    if wanted(name := f"batched cholesky {count} x {n}"):
        kernel = mps.linalg.MatrixDecompositionCholesky()
        yield _case(name, count * n**3 / 3, 2.0 * a.nbytes, lambda: np.linalg.cholesky(a.astype(np.float64)), 1e-5 * n,
                    lambda: kernel(a, out=(result, status)), lapack.batched_cholesky(a, threads), lambda r: np.asarray(r[0]))  # fmt: skip
    if wanted(name := f"batched lu {count} x {n}"):
        lu, other = mps.linalg.MatrixDecompositionLU(), mps.empty((count, n, n), "float32")
        yield _case(name, count * 2 * n**3 / 3, 2.0 * a.nbytes, lambda: np.stack([_lu_reference(m) for m in wide]), 1e-3 * n,
                    lambda: lu(wide, out=(other, pivots, status)), lapack.batched_lu(wide, threads), lambda r: np.asarray(r[0]))  # fmt: skip
    if wanted(name := f"batched solve {count} x {n}"):
        yield _case(name, count * (2 * n**3 / 3 + 2.0 * n * n), float(a.nbytes), lambda: np.linalg.solve(a.astype(np.float64), b), 1e-4,
                    lambda: mps.linalg.solve(a, b, out=x), lapack.batched_solve(a, b, threads))  # fmt: skip
