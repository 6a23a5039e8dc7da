"""MatrixNeuron against float64."""

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

from .layers import NEURON_IDS, NEURONS, neuron

Kernel = mps.linalg.MatrixNeuron
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float16"])


@DTYPES
@pytest.mark.parametrize(("kind", "numbers"), NEURONS, ids=NEURON_IDS)
def test_matches_float64(
    engine: Engine, rng: np.random.Generator, dtype: str, kind: str, numbers: dict[str, float]
) -> None:
    kernel = Kernel(mps.cnn.NeuronDescriptor(kind, **numbers), alpha=-1.25)
    for rows, columns in ((1, 1), (2, 9), (3, 33), (2, 70)):
        x, bias = rng.uniform(-3, 3, (rows, columns)).astype(dtype), rng.uniform(-1, 1, columns).astype("float32")
        u = -1.25 * x.astype(np.float64) + bias
        assert_close(kernel(x, bias), neuron(u, kind, **numbers), *tolerance_of(kernel, dtype, engine))
        assert_close(
            kernel(x), neuron(-1.25 * x.astype(np.float64), kind, **numbers), *tolerance_of(kernel, dtype, engine)
        )


@DTYPES
def test_slopes_and_biases_of_a_padded_batch(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    batch, rows, columns, first, count = 4, 3, 21, 1, 2
    slopes = rng.uniform(-1, 1, columns).astype(np.float32)
    kernel = Kernel(
        mps.cnn.NeuronDescriptor("prelu", data=slopes), alpha=0.5, source_number_of_feature_vectors=rows, source_input_feature_channels=columns,
        source_matrix_origin=(2, 3), result_matrix_origin=(1, 2), batch_start=first, batch_size=count,
    )  # fmt: skip
    for bias in (rng.uniform(-1, 1, columns).astype(dtype), rng.uniform(-1, 1, (batch, columns + 3)).astype(dtype)):
        source, out = (
            Placed(rng, batch, (rows, columns), (2, 3), dtype),
            Placed(rng, batch, (rows, columns), (1, 2), dtype),
        )
        kernel(source.array, bias=bias, out=out.array)
        added = bias.astype(np.float64)[..., :columns]
        u = 0.5 * source.window(first, count).astype(np.float64) + (
            added if bias.ndim == 1 else added[first : first + count, None]
        )
        assert_close(out.window(first, count), neuron(u, "prelu", data=slopes), *tolerance_of(kernel, dtype, engine))
        out.check(first, count)
    fresh = kernel(source.array)
    assert fresh.shape == (batch, rows + 1, columns + 2)
    fresh[first : first + count, 1:, 2:] = 0
    assert not fresh.any()


def test_alpha_takes_the_precision_of_the_result(engine: Engine) -> None:
    x = np.ones((1, 1), np.float16)
    assert Kernel(alpha=1e6)(x)[0, 0] == 65504
    assert Kernel(alpha=1 + 2**-12)(x)[0, 0] == 1
    assert Kernel(alpha=1 + 2**-12)(x.astype(np.float32))[0, 0] == 1 + 2**-12


def test_nan_and_no_elements(engine: Engine) -> None:
    x = np.full((3, 9), np.nan, np.float32)
    for kind in ("none", "relu", "sigmoid", "gelu", "tanh"):
        assert np.isnan(Kernel(kind)(x)).all()
    assert Kernel("relu")(np.zeros((0, 4), np.float32)).shape == (0, 4)
    assert Kernel("relu")(np.zeros((2, 4, 0), np.float32)).shape == (2, 4, 0)


@pytest.mark.parametrize(
    ("keywords", "arguments", "message"),
    [
        ({}, [(3, 4), (5,)], r"bias has 5 elements; allowed: 4, one for each column"),
        ({"source_input_feature_channels": 3}, [(3, 4), (2,)], r"bias has 2 elements; allowed: at least 3"),
        ({}, [(3, 3, 4), (2, 4)], r"bias has 2 vectors; allowed: one, or 3"),
        ({"source_number_of_feature_vectors": 4}, [(3, 4)], r"source_number_of_feature_vectors is 4, source has 3"),
        (
            {"neuron": mps.cnn.NeuronDescriptor("prelu", data=np.ones(3, np.float32))},
            [(3, 4)],
            r"the neuron has 3 slopes; allowed: 4",
        ),
    ],
)
def test_refuses_shapes(keywords: dict[str, Any], arguments: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=f"MatrixNeuron: .*{message}"):
        Kernel(**keywords)(*[np.zeros(shape, np.float32) for shape in arguments])


def test_refuses_dtypes_and_parameters() -> None:
    x = np.zeros((2, 2), np.float32)
    with pytest.raises(TypeError, match="bias is float64; allowed: float16, float32"):
        Kernel()(x, np.zeros(2))
    with pytest.raises(TypeError, match="source is float32, out is float16"):
        Kernel()(x, out=np.zeros((2, 2), np.float16))
    with pytest.raises(ValueError, match="alpha is nan"):
        Kernel(alpha=float("nan"))
    with pytest.raises(ValueError, match="result_matrix_origin has a third number"):
        Kernel(result_matrix_origin=(0, 0, 2))


def test_is_a_value() -> None:
    kernel = Kernel(mps.cnn.NeuronDescriptor("elu", a=2), alpha=3)
    assert pickle.loads(pickle.dumps(kernel)) == kernel != Kernel("elu")
    assert Kernel("relu").neuron == mps.cnn.NeuronDescriptor("relu")
