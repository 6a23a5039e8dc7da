"""MatrixRandomMTGP32: bit for bit on the CPU engine; on Metal, whose stream Apple does not state, what it promises."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import mpskit as mps
from tests.support.compare import assert_close
from tests.support.engine import Engine
from tests.support.matrices import Placed

from .random_reference import mtgp32, normal, uniform

Kernel = mps.linalg.MatrixRandomMTGP32
Distribution = mps.linalg.MatrixRandomDistributionDescriptor


def test_words(engine: Engine) -> None:
    for seed, offset, shape in (
        (0, 0, (1, 1)),
        (1, 0, (3, 7)),
        (2**33, 5, (1, 600)),
        (4, 300, (2, 2, 33)),
        (4, 256, (1, 9)),
    ):
        out = np.zeros(shape, np.uint32)
        Kernel(seed=seed, offset=offset)(out=out)
        if engine.is_metal:
            longer = np.zeros((1, offset + out.size), np.uint32)
            Kernel(seed=seed)(out=longer)
            np.testing.assert_array_equal(out.ravel(), longer[0, offset:])  # one sequence
        else:
            np.testing.assert_array_equal(out.ravel(), mtgp32(seed, offset, out.size))


@pytest.mark.parametrize("options", [{}, {"minimum": -2, "maximum": 3}])
def test_uniform(engine: Engine, options: dict[str, float]) -> None:
    out = np.zeros((3, 4001), np.float32)
    Kernel(seed=6, distribution=Distribution("uniform", **options))(out=out)
    least, most = options.get("minimum", 0), options.get("maximum", 1)
    assert out.min() >= least
    assert out.max() < most
    assert abs(out.mean() - (least + most) / 2) < 0.02 * (most - least)
    assert abs(out.var() - (most - least) ** 2 / 12) < 0.02 * (most - least) ** 2
    if not engine.is_metal:
        np.testing.assert_array_equal(out.ravel(), uniform(mtgp32(6, 0, out.size), least, most))


@pytest.mark.parametrize("options", [{}, {"mean": 2, "standard_deviation": 3}, {"minimum": -1, "maximum": 2}])
def test_normal(engine: Engine, options: dict[str, float]) -> None:
    out = np.zeros((3, 4001), np.float32)
    Kernel(seed=6, distribution=Distribution("normal", **options))(out=out)
    mean, deviation = options.get("mean", 0), options.get("standard_deviation", 1)
    exact = normal(
        mtgp32(6, 0, out.size), mean, deviation, options.get("minimum", -np.inf), options.get("maximum", np.inf)
    )
    assert abs(out.mean() - exact.mean()) < 0.06 * deviation
    assert abs(out.std() - exact.std()) < 0.06 * deviation
    assert out.min() >= options.get("minimum", -np.inf)
    assert out.max() <= options.get("maximum", np.inf)
    if not engine.is_metal:
        assert_close(out.ravel(), exact, 1e-6 * deviation * 8, 1e-6)


def test_padded_batches_and_streams(engine: Engine, rng: np.random.Generator) -> None:
    out = Placed(rng, 4, (3, 7), (0, 0), "uint32")
    Kernel(seed=2, batch_start=1, batch_size=2)(out=out.array[:, :3, :7])
    out.check(1, 2)
    whole = np.zeros((1, 42), np.uint32)
    Kernel(seed=2)(out=whole)
    np.testing.assert_array_equal(out.window(1, 2).ravel(), whole[0])
    stream = mps.linalg.RandomStream(Kernel(seed=2))
    np.testing.assert_array_equal(np.concatenate([stream(30), stream((3, 4)).ravel()]), whole[0])
    empty = np.zeros((0, 3), np.uint32)
    assert Kernel()(out=empty) is empty


def test_far_offsets(engine: Engine) -> None:
    if engine.is_metal:
        a, b = np.zeros((1, 8), np.uint32), np.zeros((1, 8), np.uint32)
        Kernel(seed=1, offset=2**22 + 1)(out=a)
        Kernel(seed=1, offset=2**22 + 1)(out=b)
        np.testing.assert_array_equal(a, b)
    with pytest.raises(
        ValueError, match="offset is 4294967297; allowed: 0 to 4294967296 elements, all of which are computed"
    ):
        Kernel(offset=2**32 + 1)


def test_is_a_value() -> None:
    kernel = Kernel(seed=4, distribution="uniform", offset=8)
    assert pickle.loads(pickle.dumps(kernel)) == kernel != Kernel(seed=4)
