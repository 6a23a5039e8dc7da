"""Matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mpskit as mps

from ...harness.case import Case, Wanted
from ...peers import blas, torch_
from ...peers.onnx_runtime import contenders


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for dtype, sizes in (("float32", (256, 512, 1024, 2048)), ("float16", (512, 1024, 2048))):
        for n in sizes:
            name = f"{'sgemm' if dtype == 'float32' else 'float16 gemm, float32 result'} {n}"
            if not wanted(name):
                continue
            a, b = _matrix(rng, (n, n), dtype), _matrix(rng, (n, n), dtype)
            case = _product(name, a, b, 2.0 * n**3).add(
                torch_.matmul(a, b, threads), blas.numpy_matmul(a, b), blas.mkl_matmul(a, b, threads)
            )
            if dtype == "float32" and n <= 1024:
                case.add(*contenders("MatMul", {"a": a}, {"b": b}, np.asarray, threads))
            yield case
    for n in (512, 1024, 2048):
        name = f"reduced precision gemm {n}"
        if wanted(name):
            # Numbers that bfloat16 holds: what is left of a difference is the sums'.
            a, b = _matrix(rng, (n, n)), _matrix(rng, (n, n))
            for factor in (a, b):
                factor.view(np.uint32)[...] &= 0xFFFF0000
            x, y = ((factor.view(np.uint32) >> 16).astype(np.uint16) for factor in (a, b))
            yield _product(name, a, b, 2.0 * n**3, options="allow_reduced_precision").add(
                blas.mkl_matmul(x, y, threads), torch_.matmul_bfloat16(x, y, threads)
            )
    for n in (512, 1024):
        name = f"int8 gemm, exact {n}"
        if wanted(name):
            a, b = _matrix(rng, (n, n), "int8"), _matrix(rng, (n, n), "int8")
            case = _product(name, a, b, 2.0 * n**3).add(
                torch_.contender("_int_mm", threads, lambda torch, x, y: lambda: torch._int_mm(x, y), a, b)
            )
            yield case.add(*contenders("MatMulInteger", {"a": a}, {"b": b}, np.asarray, threads, dtype=np.int32))
    for count, n in ((1000, 64), (1000, 16)):
        name = f"batched sgemm {count} x {n}"
        if wanted(name):
            a, b = _matrix(rng, (count, n, n)), _matrix(rng, (count, n, n))
            yield _product(name, a, b, 2.0 * count * n**3).add(blas.numpy_matmul(a, b), torch_.matmul(a, b, threads))


def _matrix(rng: np.random.Generator, shape: tuple[int, ...], dtype: str = "float32") -> NDArray[Any]:
    out = mps.empty(shape, dtype)
    out[...] = rng.integers(-128, 128, shape) if dtype == "int8" else rng.uniform(-1, 1, shape)
    return out


def _product(name: str, a: NDArray[Any], b: NDArray[Any], flops: float, **options: Any) -> Case:
    multiply = mps.linalg.MatrixMultiplication(**options)
    # A float32 is three bfloat16, of whose products with another's three six count; a float16 is two.
    tile_products = 1 if options else {"float32": 6, "float16": 4, "int8": 0.5}[str(a.dtype)]
    out = mps.empty((*a.shape[:-1], b.shape[-1]), "float32")
    return Case(
        name,
        "linalg",
        lambda: a.astype(np.float64) @ b.astype(np.float64),
        1e-6 * a.shape[-1],
        float(a.nbytes + b.nbytes + out.nbytes),
        flops,
        tile_products,
    ).ours(lambda: multiply(a, b, out=out))
