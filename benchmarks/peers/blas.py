"""NumPy with the BLAS it was built with (OpenBLAS in its wheels), and Intel's MKL through ctypes."""

from __future__ import annotations

import ctypes
import importlib.metadata
from typing import Any

import numpy as np

from ..harness.case import Contender


def numpy_matmul(a: Any, b: Any) -> Contender | None:
    if a.dtype != np.float32:
        return None
    out = np.empty((*a.shape[:-1], b.shape[-1]), a.dtype)
    return Contender("numpy-OpenBLAS", np.__version__, lambda: np.matmul(a, b, out=out))


_mkl: Any = None


def load_mkl(threads: int) -> Any:
    global _mkl
    if _mkl is None:
        try:
            files = importlib.metadata.files("mkl") or []
            path = next(f.locate() for f in files if "libmkl_rt" in f.name)
            _mkl = ctypes.CDLL(str(path))
        except (importlib.metadata.PackageNotFoundError, StopIteration, OSError):
            _mkl = False
    if _mkl:
        _mkl.MKL_Set_Num_Threads(threads)
    return _mkl


# MKL's products by what the factors are; float16 and bfloat16 (as uint16) give float32.
_mkl_products = {"float32": "cblas_sgemm", "float16": "cblas_gemm_f16f16f32", "uint16": "cblas_gemm_bf16bf16f32"}


def mkl_matmul(a: Any, b: Any, threads: int) -> Contender | None:
    mkl = load_mkl(threads)
    product = getattr(mkl, _mkl_products[str(a.dtype)], None) if mkl else None
    if product is None or a.ndim != 2:
        return None
    (m, k), n = a.shape, b.shape[1]
    out = np.empty((m, n), np.float32)
    pa, pb, pc = (ctypes.c_void_p(x.ctypes.data) for x in (a, b, out))
    one, zero = ctypes.c_float(1), ctypes.c_float(0)

    def work() -> Any:
        product(101, 111, 111, m, n, k, one, pa, k, pb, n, zero, pc, n)
        return out

    return Contender("MKL", importlib.metadata.version("mkl"), work)
