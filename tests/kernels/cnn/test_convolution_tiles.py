"""mps.cnn.Convolution of sizes that go by tiles where there is AMX: many outputs, many terms, enough pixels."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.cnn.test_convolution import check, filters, pixels
from tests.support.engine import Engine


@pytest.fixture(autouse=True)
def cpu_alone(engine: Engine) -> None:
    if engine.is_metal:
        pytest.skip("tiles belong to the CPU engine")


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
@pytest.mark.parametrize("kernel", [1, 3])
def test_wide_layers_match_float64(engine: Engine, rng: np.random.Generator, dtype: str, kernel: int) -> None:
    x, w = pixels(rng, (2, 9, 11, 70), dtype), filters(rng, 200, kernel, kernel, 70)
    layer = mps.cnn.Convolution(w)
    threads, results = mps.num_threads(), []
    try:
        for n in (1, 2, 3):
            mps.set_num_threads(n)
            results.append(layer(x))
    finally:
        mps.set_num_threads(threads)
    check(results[0], x, w, None, engine)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
