"""MatrixBatchNormalizationGradient against the chain rule in float64."""

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

from .layers import derivative, neuron

Kernel = mps.linalg.MatrixBatchNormalizationGradient
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float16"])


def assert_gradients(
    got: tuple[Array, Array, Array], dy: Array, x: Array, mean: Array, variance: Array, engine: Engine, gamma: Array, beta: Array, epsilon: float, kind: str, **numbers: float
) -> None:  # fmt: skip
    dy64, x64, gamma, beta = (
        dy.astype(np.float64),
        x.astype(np.float64),
        gamma.astype(np.float64),
        beta.astype(np.float64),
    )
    s = 1 / np.sqrt(variance.astype(np.float64) + epsilon)
    normal = (x64 - mean) * s
    g = dy64 * derivative(normal * gamma + beta, kind, **numbers)
    for_gamma, for_beta, rows = (g * normal).sum(-2, keepdims=True), g.sum(-2, keepdims=True), x.shape[-2]
    exact = gamma * s * (g - for_beta / rows - normal * for_gamma / rows)
    bulk = 4 * (np.abs(dy64) + 0.1) * (1 + np.abs(normal))
    scale = np.abs(gamma) * s * (bulk + np.abs(bulk).mean(-2, keepdims=True) * (1 + np.abs(normal)))
    assert_close(got[0], exact, *tolerance_of(Kernel(), got[0].dtype, engine), scale=scale)
    for result, wanted in ((got[1], for_gamma), (got[2], for_beta)):
        assert result.dtype == np.float32
        assert_close(result, wanted[..., 0, :], *tolerance_of(Kernel(), "float32", engine), scale=bulk.sum(-2))


@DTYPES
@pytest.mark.parametrize(
    ("kind", "numbers"), [("none", {}), ("tanh", {"a": 1.5, "b": 0.5}), ("softplus", {"a": 1, "b": 1})]
)
def test_matches_float64(
    engine: Engine, rng: np.random.Generator, dtype: str, kind: str, numbers: dict[str, float]
) -> None:
    kernel = Kernel(epsilon=0.25, neuron=mps.cnn.NeuronDescriptor(kind, **numbers))
    for rows, columns in ((1, 1), (5, 33), (3, 70), (40, 9)):
        dy, x = rng.uniform(-2, 2, (rows, columns)).astype(dtype), rng.uniform(-2, 2, (rows, columns)).astype(dtype)
        mean, variance, gamma, beta = (rng.uniform(0.5, 2, columns).astype(np.float32) for _ in range(4))
        given = dy, x, mean, variance
        one, zero = np.ones(columns), np.zeros(columns)
        assert_gradients(kernel(*given, gamma, beta), *given, engine, gamma, beta, 0.25, kind, **numbers)
        assert_gradients(kernel(*given), *given, engine, one, zero, 0.25, kind, **numbers)
        assert_gradients(kernel(*given, beta=beta), *given, engine, one, beta, 0.25, kind, **numbers)


def test_is_the_slope_of_the_layer(engine: Engine, rng: np.random.Generator) -> None:
    """Against differences of the definition, with the statistics of the source: what is being differentiated."""
    x, dy, gamma = rng.uniform(-1, 1, (6, 3)), rng.uniform(-1, 1, (6, 3)), rng.uniform(0.5, 2, 3)

    def loss(at: Array) -> float:
        normal = (at - at.mean(0)) / np.sqrt(at.var(0) + 0.1)
        return float((dy * neuron(normal * gamma, "tanh", a=1, b=1)).sum())

    wanted = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = 1e-5
        wanted[i] = (loss(x + step) - loss(x - step)) / 2e-5
    kernel = Kernel(epsilon=0.1, neuron=mps.cnn.NeuronDescriptor("tanh", a=1, b=1))
    got, _, _ = kernel(*(a.astype(np.float32) for a in (dy, x, x.mean(0), x.var(0), gamma)))
    assert_close(got, wanted, 1e-5)


@DTYPES
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    batch, rows, columns, first, count = 3, 6, 21, 1, 2
    some = slice(first, first + count)
    dy, x = Placed(rng, batch, (rows, columns), (2, 3), dtype), Placed(rng, batch, (rows, columns), (0, 1), dtype)
    out = Placed(rng, batch, (rows, columns), (1, 2), dtype)
    kernel = Kernel(
        epsilon=0.5, source_number_of_feature_vectors=rows, source_input_feature_channels=columns, primary_source_matrix_origin=(2, 3),
        secondary_source_matrix_origin=(0, 1), result_matrix_origin=(1, 2), batch_start=first, batch_size=count,
    )  # fmt: skip
    mean, variance, gamma = rng.uniform(0.5, 2, (3, batch, columns)).astype(np.float32)
    sums = np.full((2, batch, columns), 7, np.float32)
    kernel(dy.array, x.array, mean, variance, gamma, out=(out.array, sums[0], sums[1]))
    got = out.window(first, count), sums[0, some], sums[1, some]
    assert_gradients(got, dy.window(first, count), x.window(first, count), mean[some, None], variance[some, None], engine, gamma[some, None],
                     np.zeros(columns), 0.5, "none")  # fmt: skip
    out.check(first, count)
    assert (sums[:, 0] == 7).all()


def test_no_rows(engine: Engine) -> None:
    x, one = np.zeros((0, 4), np.float32), np.ones(4, np.float32)
    if Kernel().supports(x, x, one, one):
        got = Kernel()(x, x, one, one)
        assert got[0].shape == (0, 4)
        np.testing.assert_array_equal(got[1], np.zeros(4))
    else:
        with pytest.raises(mps.UnsupportedError, match="source has no rows"):
            Kernel()(x, x, one, one)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(3, 4), (3, 5), (4,), (4,)], r"gradient is \(3, 4\) and source is \(3, 5\)"),
        ([(3, 4), (3, 4), (5,), (4,)], r"mean has 5 elements; allowed: 4"),
        ([(3, 4), (3, 4), (4,), (3,)], r"variance has 3 elements"),
        ([(3, 4), (3, 4), (4,), (4,), (2,)], r"gamma has 2 elements"),
    ],
)
def test_refuses_shapes(shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=f"MatrixBatchNormalizationGradient: .*{message}"):
        Kernel()(*[np.zeros(shape, np.float32) for shape in shapes])


def test_is_a_value() -> None:
    kernel = Kernel(epsilon=1e-3, neuron="sigmoid")
    assert pickle.loads(pickle.dumps(kernel)) == kernel != Kernel()
