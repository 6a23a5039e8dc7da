"""MatrixFullyConnected against float64, within the bound that its descriptor states."""

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

Kernel = mps.linalg.MatrixFullyConnected
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float16"])


def assert_layer(
    got: Array, x: Array, w: Array, bias: Array | None, engine: Engine, kind: str = "none", alpha: float = 1.0, steepest: float = 1.0, **numbers: float
) -> None:  # fmt: skip
    x64, w64 = x.astype(np.float64), w.astype(np.float64)
    added = 0.0 if bias is None else bias.astype(np.float64)
    terms = abs(alpha) * (np.abs(x64) @ np.abs(w64)) + np.abs(added)
    exact = neuron(alpha * (x64 @ w64) + added, kind, **numbers)
    absolute, relative = tolerance_of(Kernel(), got.dtype, engine)
    per_term, _ = tolerance_of(Kernel(), "float32", engine)
    scale = per_term * (x.shape[-1] + 2) * steepest * terms
    if got.dtype == np.float16:
        scale = scale + absolute
    assert_close(got, exact, 1.0, relative, scale=scale)


@DTYPES
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for rows, inputs, outputs in ((1, 1, 1), (1, 40, 70), (7, 3, 17), (33, 19, 15), (5, 513, 33)):
        x, w = rng.uniform(-2, 2, (rows, inputs)).astype(dtype), rng.uniform(-2, 2, (inputs, outputs)).astype(dtype)
        bias = rng.uniform(-2, 2, outputs).astype(dtype)
        assert_layer(Kernel()(x, w, bias), x, w, bias, engine)
        assert_layer(Kernel(alpha=-0.5)(x, w), x, w, None, engine, alpha=-0.5)


@pytest.mark.parametrize(("kind", "numbers"), NEURONS, ids=NEURON_IDS)
def test_neurons(engine: Engine, rng: np.random.Generator, kind: str, numbers: dict[str, float]) -> None:
    x, w = rng.uniform(-1, 1, (6, 4)).astype(np.float32), rng.uniform(-1, 1, (4, 37)).astype(np.float32)
    bias = rng.uniform(-1, 1, 37).astype(np.float32)
    steepest = 4 * max(1.0, *(abs(v) for v in numbers.values()), 0.0)
    layer = Kernel(mps.cnn.NeuronDescriptor(kind, **numbers), alpha=0.5)
    assert_layer(layer(x, w, bias), x, w, bias, engine, kind, 0.5, steepest, **numbers)


@DTYPES
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    batch, rows, inputs, outputs, first, count = 4, 5, 9, 21, 1, 2
    x, w = Placed(rng, batch, (rows, inputs), (2, 3), dtype), Placed(rng, batch, (inputs, outputs), (1, 4), dtype)
    bias = rng.uniform(-1, 1, (batch, outputs + 1)).astype(dtype)
    kernel = Kernel(
        source_number_of_feature_vectors=rows, source_input_feature_channels=inputs, source_output_feature_channels=outputs,
        primary_source_matrix_origin=(2, 3), secondary_source_matrix_origin=(1, 4), result_matrix_origin=(3, 1), batch_start=first, batch_size=count,
    )  # fmt: skip
    out = Placed(rng, batch, (rows, outputs), (3, 1), dtype)
    kernel(x.array, w.array, bias, out=out.array)
    added = bias[first : first + count, None, :outputs]
    assert_layer(out.window(first, count), x.window(first, count), w.window(first, count), added, engine)
    out.check(first, count)
    assert kernel(x.array, w.array).shape == (batch, rows + 3, outputs + 1)


@DTYPES
def test_one_row(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    # Strips of columns, parts of the inputs, and what is left of a register.
    for inputs, outputs in ((3, 64), (1030, 67), (11, 4100)):
        x, w = Placed(rng, 2, (1, inputs), (2, 3), dtype), Placed(rng, 2, (inputs, outputs), (1, 4), dtype)
        bias = rng.uniform(-1, 1, (2, outputs)).astype(dtype)
        kernel = Kernel(
            "absolute", alpha=-0.5, source_number_of_feature_vectors=1, source_input_feature_channels=inputs,
            source_output_feature_channels=outputs, primary_source_matrix_origin=(2, 3), secondary_source_matrix_origin=(1, 4),
            result_matrix_origin=(3, 1),
        )  # fmt: skip
        out = Placed(rng, 2, (1, outputs), (3, 1), dtype)
        kernel(x.array, w.array, bias, out=out.array)
        assert_layer(out.window(0, 2), x.window(0, 2), w.window(0, 2), bias[:, None], engine, "absolute", -0.5)
        out.check(0, 2)
    nan = np.full((1, 5), np.nan, dtype), np.full((5, 70), np.nan, dtype)
    if not engine.is_metal:  # what MPS makes of 0 * NaN is not documented
        np.testing.assert_array_equal(Kernel(alpha=0)(*nan, np.arange(70, dtype=dtype)), [np.arange(70)])


def test_no_elements(engine: Engine) -> None:
    assert Kernel()(np.zeros((0, 4), np.float32), np.zeros((4, 3), np.float32)).shape == (0, 3)
    assert Kernel()(np.zeros((2, 4), np.float32), np.zeros((4, 0), np.float32)).shape == (2, 0)
    empty = np.zeros((2, 0), np.float32), np.zeros((0, 3), np.float32), np.array([1, 2, 3], np.float32)
    if Kernel().supports(*empty):
        np.testing.assert_array_equal(Kernel()(*empty), [[1, 2, 3]] * 2)
    else:
        with pytest.raises(mps.UnsupportedError, match=r'source has no columns.*device="cpu"'):
            Kernel()(*empty)


@pytest.mark.parametrize(
    ("keywords", "shapes", "message"),
    [
        ({}, [(3, 4), (5, 4)], r"columns of source must equal rows of weights. Pass the transpose of weights"),
        ({}, [(3, 4), (5, 6)], r"source is \(3, 4\) and weights is \(5, 6\).*Pass source_input_feature_channels"),
        ({"source_input_feature_channels": 5}, [(3, 4), (5, 6)], r"source_input_feature_channels is 5, source has 4"),
        ({"source_input_feature_channels": 4}, [(3, 4), (2, 6)], r"source_input_feature_channels is 4, weights has 2"),
        (
            {"source_output_feature_channels": 7},
            [(3, 4), (4, 6)],
            r"source_output_feature_channels is 7, weights has 6",
        ),
        ({}, [(3, 4), (4, 6), (5,)], r"bias has 5 elements; allowed: 6"),
        ({}, [(2, 3, 4), (4, 6)], r"source has 2 matrices, weights 1; allowed: the same number, nothing is broadcast"),
    ],
)
def test_refuses_shapes(keywords: dict[str, Any], shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=f"MatrixFullyConnected: .*{message}"):
        Kernel(**keywords)(*[np.zeros(shape, np.float32) for shape in shapes])


def test_refuses_dtypes_and_parameters() -> None:
    with pytest.raises(TypeError, match="source is float32, weights is float16; allowed: equal dtypes"):
        Kernel()(np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float16))
    with pytest.raises(ValueError, match="neuron is 'prelu'; allowed: one without slopes"):
        Kernel(mps.cnn.NeuronDescriptor("prelu", data=np.ones(3, np.float32)))
    with pytest.raises(ValueError, match="secondary_source_matrix_origin has a third number"):
        Kernel(secondary_source_matrix_origin=(0, 0, 1))


def test_is_a_value() -> None:
    kernel = Kernel("sigmoid", alpha=2, source_output_feature_channels=3)
    assert pickle.loads(pickle.dumps(kernel)) == kernel != Kernel("sigmoid")
