"""Matrix products."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import mpskit as mps

from ..harness.case import Case
from ..peers import blas, torch_
from ..peers.onnx_runtime import contenders


def cases(threads: int) -> Iterator[Case]:
    rng = np.random.default_rng(0)
    multiply = mps.linalg.MatrixMultiplication()
    for dtype, sizes in (("float32", (256, 512, 1024, 2048)), ("float16", (512, 1024))):
        for n in sizes:
            a, b = mps.empty((n, n), dtype), mps.empty((n, n), dtype)
            a[...], b[...] = rng.uniform(-1, 1, (n, n)), rng.uniform(-1, 1, (n, n))
            out = mps.empty((n, n), "float32")
            case = Case(
                f"{'sgemm' if dtype == 'float32' else 'float16 gemm, float32 result'} {n}",
                "linalg",
                lambda a=a, b=b: a.astype(np.float64) @ b.astype(np.float64),
                1e-6 * n,
                2.0 * a.nbytes + out.nbytes,
                2.0 * n**3,
            )
            case.ours(lambda a=a, b=b, out=out: multiply(a, b, out=out)).add(torch_.matmul(a, b, threads))
            case.add(blas.numpy_matmul(a, b)).add(blas.mkl_matmul(a, b, threads))
            if dtype == "float32" and n <= 1024:
                case.contenders += contenders("MatMul", {"a": a}, {"b": b}, np.asarray, threads)
            yield case
    for count, n in ((1000, 64), (1000, 16)):
        a, b, out = (mps.empty((count, n, n), "float32") for _ in range(3))
        a[...], b[...] = rng.uniform(-1, 1, a.shape), rng.uniform(-1, 1, a.shape)
        yield (
            Case(
                f"batched sgemm {count} x {n}",
                "linalg",
                lambda a=a, b=b: a.astype(np.float64) @ b.astype(np.float64),
                1e-6 * n,
                3.0 * a.nbytes,
                2.0 * count * n**3,
            )
            .ours(lambda a=a, b=b, out=out: multiply(a, b, out=out))
            .add(blas.numpy_matmul(a, b))
            .add(torch_.matmul(a, b, threads))
        )
