"""MatrixNeuronGradient against the chain rule in float64."""

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

from .layers import NEURON_IDS, NEURONS, derivative

Kernel = mps.linalg.MatrixNeuronGradient
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float16"])


def assert_gradients(
    got: tuple[Array, Array], dy: Array, x: Array, bias: Array | float, engine: Engine, kind: str, alpha: float, **numbers: Any
) -> None:  # fmt: skip
    dy64, x64 = dy.astype(np.float64), x.astype(np.float64)
    slope = derivative(alpha * x64 + bias, kind, **numbers)
    g = dy64 * slope
    steepest = 2 * max(1.0, *(abs(float(v)) for v in numbers.values() if np.ndim(v) == 0), 1.0) ** 2
    scale = steepest * np.maximum(np.abs(dy64) * np.maximum(np.abs(slope), 1), 1e-3)
    absolute, relative = tolerance_of(Kernel(), got[0].dtype, engine)
    assert_close(got[0], alpha * g, absolute, relative, scale=np.maximum(abs(alpha), 1) * scale)
    assert got[1].dtype == np.float32
    assert_close(got[1], g.sum(-2), *tolerance_of(Kernel(), "float32", engine), scale=scale.sum(-2))


@pytest.mark.parametrize(("kind", "numbers"), NEURONS, ids=NEURON_IDS)
def test_matches_float64(engine: Engine, rng: np.random.Generator, kind: str, numbers: dict[str, float]) -> None:
    kernel = Kernel(mps.cnn.NeuronDescriptor(kind, **numbers), alpha=-1.25)
    for rows, columns in ((1, 1), (3, 70), (70, 5)):
        dy, x = (
            rng.uniform(-2, 2, (rows, columns)).astype(np.float32),
            rng.uniform(-2, 2, (rows, columns)).astype(np.float32),
        )
        bias = rng.uniform(-1, 1, columns).astype(np.float32)
        assert_gradients(kernel(dy, x, bias), dy, x, bias.astype(np.float64), engine, kind, -1.25, **numbers)
        assert_gradients(kernel(dy, x), dy, x, 0.0, engine, kind, -1.25, **numbers)


@DTYPES
def test_slopes_and_biases_of_a_padded_batch(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    batch, rows, columns, first, count = 3, 4, 21, 1, 2
    slopes = rng.uniform(-1, 1, columns).astype(np.float32)
    kernel = Kernel(
        mps.cnn.NeuronDescriptor("prelu", data=slopes), alpha=0.5, source_number_of_feature_vectors=rows, source_input_feature_channels=columns,
        primary_source_matrix_origin=(2, 3), secondary_source_matrix_origin=(0, 1), result_matrix_origin=(1, 2), batch_start=first, batch_size=count,
    )  # fmt: skip
    dy, x = Placed(rng, batch, (rows, columns), (2, 3), dtype), Placed(rng, batch, (rows, columns), (0, 1), dtype)
    out = Placed(rng, batch, (rows, columns), (1, 2), dtype)
    bias, sums = rng.uniform(-1, 1, (batch, columns)).astype(dtype), np.full((batch, columns), 7, np.float32)
    kernel(dy.array, x.array, bias, out=(out.array, sums))
    some = slice(first, first + count)
    assert_gradients((out.window(first, count), sums[some]), dy.window(first, count), x.window(first, count), bias[some, None].astype(np.float64),
                     engine, "prelu", 0.5, data=slopes)  # fmt: skip
    out.check(first, count)
    assert (sums[0] == 7).all()


def test_no_rows(engine: Engine) -> None:
    x = np.zeros((0, 4), np.float32)
    if Kernel().supports(x, x):
        got = Kernel()(x, x)
        assert got[0].shape == (0, 4)
        np.testing.assert_array_equal(got[1], np.zeros(4))
    else:
        with pytest.raises(mps.UnsupportedError, match=r'source has no rows.*device="cpu"'):
            Kernel()(x, x)


@pytest.mark.parametrize(
    ("shapes", "out", "message"),
    [
        (
            [(3, 4), (3, 5)],
            None,
            r"gradient is \(3, 4\) and source is \(3, 5\) from their origins; allowed: the same shape",
        ),
        ([(3, 4), (3, 4), (3,)], None, r"bias has 3 elements; allowed: 4"),
        ([(2, 3, 4), (3, 4)], None, r"gradient has 2 matrices, source 1"),
        ([(2, 3, 4), (2, 3, 4)], [(2, 3, 4), (1, 4)], r"bias_gradient has 1 vectors; allowed: 2"),
        ([(3, 4), (3, 4)], [(3, 4), (5,)], r"bias_gradient has 5 elements; allowed: 4"),
    ],
)
def test_refuses_shapes(shapes: list[tuple[int, ...]], out: list[tuple[int, ...]] | None, message: str) -> None:
    given = None if out is None else tuple(np.zeros(shape, np.float32) for shape in out)
    with pytest.raises(ValueError, match=f"MatrixNeuronGradient: .*{message}"):
        Kernel()(*[np.zeros(shape, np.float32) for shape in shapes], out=given)


def test_is_a_value() -> None:
    kernel = Kernel("gelu", alpha=3)
    assert pickle.loads(pickle.dumps(kernel)) == kernel != Kernel("gelu")
    with pytest.raises(TypeError, match="gradient is float32, source is float16; allowed: equal dtypes"):
        Kernel()(np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float16))
