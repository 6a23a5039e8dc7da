"""Kernels on the rows of matrices, layers and random numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mpskit as mps

from ...harness.case import Case, Contender, Wanted
from ...peers import torch_
from ...peers.onnx_runtime import contenders

Array = NDArray[Any]


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for rows, columns in ((1, 32000), (64, 32000)):
        name = f"top 16 of {rows} x {columns}"
        if wanted(name):
            yield _top_k(name, _matrix(rng, (rows, columns)), threads)
    for rows, columns in ((4096, 1000), (64, 1000)):
        for kind in ("softmax", "log softmax"):
            name = f"{kind} {rows} x {columns}"
            if wanted(name):
                yield _soft_max(name, kind, _matrix(rng, (rows, columns)), threads)
    if wanted("sum of 4 matrices 1024 x 1024"):
        yield _sum([_matrix(rng, (1024, 1024)) for _ in range(4)])
    for rows, inputs, outputs in ((64, 1024, 1024), (1, 4096, 1000)):
        name = f"fully connected {rows} x {inputs} to {outputs}, relu"
        if wanted(name):
            yield _fully_connected(name, _matrix(rng, (rows, inputs)), _matrix(rng, (inputs, outputs)), rng, threads)
    for distribution in ("default", "uniform", "normal"):
        name = f"philox {distribution} 4M"
        if wanted(name):
            yield _random(name, distribution)


def _matrix(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    out: Array = mps.empty(shape, "float32")
    out[...] = rng.uniform(-1, 1, shape)
    return out


def _top_k(name: str, x: Array, threads: int) -> Case:
    kernel = mps.linalg.MatrixFindTopK(16)
    indices, values = mps.empty((len(x), 16), "uint32"), mps.empty((len(x), 16), "float32")

    def ours() -> Array:
        kernel(x, out=(indices, values))
        return values

    def numpy() -> Array:
        at = np.argpartition(x, -16, axis=1)[:, -16:]
        return -np.sort(-np.take_along_axis(x, at, 1), axis=1)

    case = Case(name, "linalg", lambda: -np.sort(-x.astype(np.float64), axis=1)[:, :16], 0.0, float(x.nbytes)).ours(
        ours
    )
    return case.add(Contender("numpy", np.__version__, numpy), torch_.top_k(x, 16, threads))


def _soft_max(name: str, kind: str, x: Array, threads: int) -> Case:
    kernel = mps.linalg.MatrixSoftMax() if kind == "softmax" else mps.linalg.MatrixLogSoftMax()
    out = mps.empty(x.shape, "float32")

    def exact() -> Array:
        e = np.exp(x.astype(np.float64))
        p = e / e.sum(1, keepdims=True)
        return p if kind == "softmax" else np.asarray(np.log(p))

    case = Case(name, "linalg", exact, 1e-5, float(2 * x.nbytes)).ours(lambda: kernel(x, out=out))
    operator = "Softmax" if kind == "softmax" else "LogSoftmax"
    return case.add(
        torch_.softmax(x, threads, is_log=kind == "log softmax"),
        *contenders(operator, {"x": x}, {}, np.asarray, threads, axis=-1),
    )


def _sum(sources: list[Array]) -> Case:
    kernel, out = mps.linalg.MatrixSum(len(sources)), mps.empty(sources[0].shape, "float32")
    scratch = np.empty_like(sources[0])

    def numpy() -> Array:
        np.add(sources[0], sources[1], out=scratch)
        for s in sources[2:]:
            np.add(scratch, s, out=scratch)
        return scratch

    bytes_moved = float((len(sources) + 1) * out.nbytes)
    case = Case(
        "sum of 4 matrices 1024 x 1024", "linalg", lambda: sum(s.astype(np.float64) for s in sources), 1e-5, bytes_moved
    )
    return case.ours(lambda: kernel(*sources, out=out)).add(Contender("numpy", np.__version__, numpy))


def _fully_connected(name: str, x: Array, w: Array, rng: np.random.Generator, threads: int) -> Case:
    bias = _matrix(rng, (w.shape[1],))
    kernel, out = mps.linalg.MatrixFullyConnected("relu"), mps.empty((len(x), w.shape[1]), "float32")

    def exact() -> Array:
        return np.maximum(x.astype(np.float64) @ w.astype(np.float64) + bias, 0)

    case = Case(name, "linalg", exact, 1e-6 * len(w), float(x.nbytes + w.nbytes + out.nbytes), 2.0 * len(x) * w.size)
    return case.ours(lambda: kernel(x, w, bias, out=out)).add(torch_.linear_relu(x, w, bias, threads))


def _random(name: str, distribution: str) -> Case:
    count = 1 << 22
    out = mps.empty((1, count), "uint32" if distribution == "default" else "float32")
    kernel = mps.linalg.MatrixRandomPhilox(seed=1, distribution=distribution)
    generator = np.random.Generator(np.random.SFC64(1))
    scratch = np.empty(count, np.float32)
    draws = {
        "default": lambda: generator.bit_generator.random_raw(count // 2),
        "uniform": lambda: generator.random(out=scratch, dtype=np.float32),
        "normal": lambda: generator.standard_normal(out=scratch, dtype=np.float32),
    }
    # Of the definition's numbers a prefix of the sorted ones says little: their mean and spread do, and tests hold every bit.
    moments = {"default": (0.5, 1 / 12**0.5), "uniform": (0.5, 1 / 12**0.5), "normal": (0.0, 1.0)}[distribution]

    def summary(drawn: Array) -> Array:
        x = drawn.astype(np.float64) * (
            2.0**-32 if drawn.dtype == np.uint32 else 2.0**-64 if drawn.dtype == np.uint64 else 1.0
        )
        return np.array([x.mean(), x.std()])

    case = Case(name, "linalg", lambda: np.array(moments), 2e-3, float(out.nbytes))
    case.ours(lambda: kernel(out=out), summary)
    return case.add(Contender("numpy SFC64", np.__version__, draws[distribution], summary, note="another generator"))
