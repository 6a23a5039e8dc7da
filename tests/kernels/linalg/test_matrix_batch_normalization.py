"""MatrixBatchNormalization against float64."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.matrices import Placed

from .layers import neuron

Kernel: Any = mps.linalg.MatrixBatchNormalization
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float16"])


def assert_layer(
    got: Array, x: Array, mean: Array, variance: Array, engine: Engine, gamma: Array | float = 1.0, beta: Array | float = 0.0, epsilon: float = 0.0, kind: str = "none"
) -> None:  # fmt: skip
    x64, mean, variance = x.astype(np.float64), mean.astype(np.float64), variance.astype(np.float64)
    factor = gamma / np.sqrt(variance + epsilon)
    exact = neuron((x64 - mean) * factor + beta, kind)
    scale = (np.abs(x64) + np.abs(mean)) * np.abs(factor) + np.abs(beta) + 1e-2
    assert_close(got, exact, *tolerance_of(Kernel(), got.dtype, engine), scale=scale)


@DTYPES
@pytest.mark.parametrize("kind", ["none", "tanh"])
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str, kind: str) -> None:
    options: dict[str, float] = {"a": 1, "b": 1} if kind == "tanh" else {}
    kernel = Kernel(epsilon=0.25, neuron=mps.cnn.NeuronDescriptor(kind, **options))
    for rows, columns in ((1, 1), (5, 33), (3, 70), (40, 9)):
        x = rng.uniform(-2, 2, (rows, columns)).astype(dtype)
        mean, variance, gamma, beta = (rng.uniform(0.5, 2, columns).astype(dtype) for _ in range(4))
        wide = {"gamma": gamma.astype(np.float64), "beta": beta.astype(np.float64)}
        got = kernel(x, mean, variance, gamma, beta)
        exact_kind = {"epsilon": 0.25}
        if kind == "tanh":
            x64 = (x.astype(np.float64) - mean) / np.sqrt(variance.astype(np.float64) + 0.25)
            assert_close(
                got, np.tanh(x64 * wide["gamma"] + wide["beta"]), *tolerance_of(kernel, dtype, engine), scale=8.0
            )
            continue
        assert_layer(got, x, mean, variance, engine, **wide, **exact_kind)
        assert_layer(kernel(x, mean, variance), x, mean, variance, engine, **exact_kind)
        assert_layer(kernel(x, mean, variance, gamma), x, mean, variance, engine, gamma=wide["gamma"], **exact_kind)
        assert_layer(kernel(x, mean, variance, beta=beta), x, mean, variance, engine, beta=wide["beta"], **exact_kind)
        assert_layer(kernel(x, mean, variance, None, beta), x, mean, variance, engine, beta=wide["beta"], **exact_kind)


@DTYPES
def test_computes_statistics(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    kernel = Kernel(compute_statistics=True, epsilon=1e-3)
    for rows, columns in ((2, 1), (5, 33), (100, 9), (33, 70)):
        x = (rng.uniform(-2, 2, (rows, columns)) + 3).astype(dtype)
        beta = rng.uniform(-1, 1, columns).astype(np.float32)
        out, mean, variance = kernel(x, beta=beta)
        x64 = x.astype(np.float64)
        assert mean.dtype == variance.dtype == np.float32
        assert_close(mean, x64.mean(0), 1e-6, 1e-6)
        assert_close(variance, x64.var(0), 2e-6, 2e-6)
        assert_layer(out, x, x64.mean(0), x64.var(0), engine, beta=beta.astype(np.float64), epsilon=1e-3)


@DTYPES
@pytest.mark.parametrize("computes", [False, True])
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str, computes: bool) -> None:
    batch, rows, columns, first, count = 3, 6, 21, 1, 2
    some = slice(first, first + count)
    source, out = Placed(rng, batch, (rows, columns), (2, 3), dtype), Placed(rng, batch, (rows, columns), (1, 2), dtype)
    kernel = Kernel(
        compute_statistics=computes, epsilon=0.5, source_number_of_feature_vectors=rows, source_input_feature_channels=columns,
        source_matrix_origin=(2, 3), result_matrix_origin=(1, 2), batch_start=first, batch_size=count,
    )  # fmt: skip
    gamma = rng.uniform(0.5, 2, (batch, columns)).astype(np.float32)
    if computes:
        mean, variance = np.full((2, batch, columns), 7, np.float32)
        kernel(source.array, gamma, out=(out.array, mean, variance))
        x = source.window(first, count).astype(np.float64)
        assert_close(mean[some], x.mean(1), 1e-6, 1e-6)
        assert_close(variance[some], x.var(1), 2e-6, 2e-6)
        assert (mean[0] == 7).all()
        assert (variance[0] == 7).all()
    else:
        mean, variance = rng.uniform(0.5, 2, (2, batch, columns)).astype(np.float32)
        kernel(source.array, mean, variance, gamma, out=out.array)
    assert_layer(
        out.window(first, count),
        source.window(first, count),
        mean[some, None],
        variance[some, None],
        engine,
        gamma=gamma[some, None].astype(np.float64),
        epsilon=0.5,
    )
    out.check(first, count)


def test_no_rows(engine: Engine) -> None:
    one = np.ones(3, np.float32)
    assert Kernel()(np.zeros((0, 3), np.float32), one, one).shape == (0, 3)
    with pytest.raises(ValueError, match="source has no rows; allowed: one or more with compute_statistics"):
        Kernel(compute_statistics=True)(np.zeros((0, 3), np.float32))


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(3, 4), (5,), (4,)], r"mean has 5 elements; allowed: 4"),
        ([(3, 4), (4,), (3,)], r"variance has 3 elements"),
        ([(3, 4), (4,), (4,), (2,)], r"gamma has 2 elements"),
        ([(3, 4), (4,), (4,), (4,), (5,)], r"beta has 5 elements"),
        ([(3, 3, 4), (2, 4), (4,)], r"mean has 2 vectors; allowed: one, or 3"),
    ],
)
def test_refuses_shapes(shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=f"MatrixBatchNormalization: .*{message}"):
        Kernel()(*[np.zeros(shape, np.float32) for shape in shapes])


def test_refuses_parameters_and_inputs() -> None:
    with pytest.raises(ValueError, match=r"epsilon is -1; allowed: 0 <= epsilon"):
        Kernel(epsilon=-1)
    with pytest.raises(ValueError, match="neuron is 'prelu'"):
        Kernel(neuron=mps.cnn.NeuronDescriptor("prelu", data=np.ones(3, np.float32)))
    with pytest.raises(
        TypeError, match=r"1 input given; allowed: source, mean, variance, gamma .optional., beta .optional."
    ):
        Kernel()(np.zeros((2, 2), np.float32))


def test_is_a_value() -> None:
    kernel = Kernel(compute_statistics=True, epsilon=1e-3)
    assert pickle.loads(pickle.dumps(kernel)) == kernel != Kernel()
    assert np.float32(Kernel().epsilon) == np.finfo(np.float32).tiny
