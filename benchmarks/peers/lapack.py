"""LAPACK as users reach it: NumPy, SciPy (OpenBLAS in their wheels), PyTorch (MKL), and Intel's MKL through ctypes."""

from __future__ import annotations

import ctypes
import importlib.metadata
from collections.abc import Callable
from typing import Any

import numpy as np

from ..harness.case import Contender
from . import torch_
from .blas import load_mkl

ROW_MAJOR, LOWER = 101, b"L"
Result = Callable[[Any], Any]


def _scipy(work: Callable[[Any], Any], result: Result = np.asarray, note: str = "") -> Contender | None:
    try:
        import scipy
        import scipy.linalg
    except ImportError:
        return None
    return Contender("SciPy-OpenBLAS", scipy.__version__, lambda: work(scipy.linalg), result, note=note)


def _numpy(work: Callable[[], Any], result: Result = np.asarray) -> Contender:
    return Contender("numpy-OpenBLAS", np.__version__, work, result)


def _pointer(a: Any) -> Any:
    return a.ctypes.data_as(ctypes.POINTER(ctypes.c_float))


def _mkl(threads: int, work: Callable[[Any], Any], result: Result = np.asarray) -> Contender | None:
    mkl = load_mkl(threads)
    return Contender("MKL", importlib.metadata.version("mkl"), lambda: work(mkl), result) if mkl else None


def cholesky(a: Any, threads: int) -> list[Contender | None]:
    out, n = np.array(a), a.shape[0]

    def mkl(library: Any) -> Any:
        out[...] = a
        library.LAPACKE_spotrf(ROW_MAJOR, ctypes.c_char(LOWER), n, _pointer(out), n)
        return out

    # Column-major and in place, as LAPACK has it: the copy is the caller's, as ours is.
    turned = np.asfortranarray(a)

    def scipy_(linalg: Any) -> Any:
        return linalg.lapack.spotrf(turned, lower=1, clean=0)[0]

    return [
        _scipy(scipy_, np.tril),
        _mkl(threads, mkl, np.tril),
        _numpy(lambda: np.linalg.cholesky(a)),
        torch_.contender("cholesky", threads, lambda torch, x: lambda: torch.linalg.cholesky(x), a),
    ]


def lu(a: Any, threads: int) -> list[Contender | None]:
    out, n, pivots = np.array(a), a.shape[0], np.zeros(a.shape[0], np.int64)
    turned = np.asfortranarray(a)

    def mkl(library: Any) -> Any:
        out[...] = a
        library.LAPACKE_sgetrf(ROW_MAJOR, n, n, _pointer(out), n, pivots.ctypes.data_as(ctypes.c_void_p))
        return out

    return [
        _scipy(lambda linalg: linalg.lapack.sgetrf(turned)[0]),
        _mkl(threads, mkl),
        torch_.contender("lu_factor", threads, lambda torch, x: lambda: torch.linalg.lu_factor(x)[0], a),
    ]


def solve(a: Any, b: Any, threads: int) -> list[Contender | None]:
    return [
        _scipy(lambda linalg: linalg.solve(a, b, check_finite=False)),
        _numpy(lambda: np.linalg.solve(a, b)),
        torch_.contender("solve", threads, lambda torch, x, y: lambda: torch.linalg.solve(x, y), a, b),
    ]


def solve_definite(a: Any, b: Any, threads: int) -> list[Contender | None]:
    return [
        _scipy(
            lambda linalg: linalg.cho_solve(linalg.cho_factor(a, lower=True, check_finite=False), b, check_finite=False)
        ),
        torch_.contender(
            "cholesky_solve",
            threads,
            lambda torch, x, y: lambda: torch.cholesky_solve(y, torch.linalg.cholesky(x)),
            a,
            b,
        ),
    ]


def solve_triangular(a: Any, b: Any, threads: int) -> list[Contender | None]:
    out, n, m = np.array(b), a.shape[0], b.shape[1]

    def mkl(library: Any) -> Any:
        out[...] = b
        library.cblas_strsm(101, 141, 122, 111, 131, n, m, ctypes.c_float(1), _pointer(a), n, _pointer(out), m)
        return out

    return [
        _scipy(lambda linalg: linalg.solve_triangular(a, b, lower=True, check_finite=False)),
        _mkl(threads, mkl),
        torch_.contender(
            "solve_triangular",
            threads,
            lambda torch, x, y: lambda: torch.linalg.solve_triangular(x, y, upper=False),
            a,
            b,
        ),
    ]


def gemv(a: Any, x: Any, threads: int) -> list[Contender | None]:
    out = np.empty(a.shape[0], np.float32)
    return [
        _numpy(lambda: np.matmul(a, x, out=out)),
        torch_.contender("matmul", threads, lambda torch, m, v: lambda: m @ v, a, x),
    ]


def batched_cholesky(a: Any, threads: int) -> list[Contender | None]:
    return [
        _numpy(lambda: np.linalg.cholesky(a)),
        torch_.contender("cholesky", threads, lambda torch, x: lambda: torch.linalg.cholesky(x), a),
    ]


def batched_lu(a: Any, threads: int) -> list[Contender | None]:
    def scipy_(linalg: Any) -> Any:
        return np.stack([linalg.lapack.sgetrf(m)[0] for m in a])

    return [
        _scipy(scipy_, note="one call a matrix"),
        torch_.contender("lu_factor", threads, lambda torch, x: lambda: torch.linalg.lu_factor(x)[0], a),
    ]


def batched_solve(a: Any, b: Any, threads: int) -> list[Contender | None]:
    return [
        _numpy(lambda: np.linalg.solve(a, b)),
        torch_.contender("solve", threads, lambda torch, x, y: lambda: torch.linalg.solve(x, y), a, b),
    ]
