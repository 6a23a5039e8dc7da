"""MatrixLogSoftMax against float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.linalg import soft_max
from tests.support.engine import Engine

MatrixLogSoftMax = mps.linalg.MatrixLogSoftMax
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float16"])


def reference(x: Array) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):
        moved = x.astype(np.float64) - x.max(-1, keepdims=True)
        return np.asarray(moved - np.log(np.exp(moved).sum(-1, keepdims=True)))


@DTYPES
@pytest.mark.parametrize("scale", [1.0, 12.0])
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str, scale: float) -> None:
    soft_max.matches_float64(engine, rng, MatrixLogSoftMax, reference, dtype, scale)


@DTYPES
@pytest.mark.parametrize("columns", [5, 70])
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str, columns: int) -> None:
    soft_max.windows_of_padded_batches(engine, rng, MatrixLogSoftMax, reference, dtype, columns)


@DTYPES
def test_large_and_special_values(engine: Engine, dtype: str) -> None:
    soft_max.large_and_special_values(engine, MatrixLogSoftMax, reference, dtype)


def test_rows_far_apart(engine: Engine, rng: np.random.Generator) -> None:
    soft_max.rows_far_apart(engine, rng, MatrixLogSoftMax, reference)


def test_more_than_caches_hold(engine: Engine, rng: np.random.Generator) -> None:
    soft_max.more_than_caches_hold(engine, rng, MatrixLogSoftMax, reference)


def test_every_row_of_a_column_and_no_elements(engine: Engine) -> None:
    soft_max.every_row_of_a_column_and_no_elements(MatrixLogSoftMax, 0)


def test_encodes_with_temporaries(engine: Engine, rng: np.random.Generator) -> None:
    soft_max.encodes_with_temporaries(engine, rng, MatrixLogSoftMax, reference)


@pytest.mark.parametrize(("keywords", "shapes", "message"), soft_max.REFUSED)
def test_refuses_shapes(keywords: dict[str, Any], shapes: list[tuple[int, ...]], message: str) -> None:
    soft_max.refuses_shapes(MatrixLogSoftMax, "MatrixLogSoftMax", keywords, shapes, message)


def test_refuses_dtypes_and_parameters() -> None:
    soft_max.refuses_dtypes_and_parameters(MatrixLogSoftMax)


def test_is_a_value() -> None:
    soft_max.is_a_value(MatrixLogSoftMax, "MatrixLogSoftMax")
