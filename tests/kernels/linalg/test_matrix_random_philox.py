"""MatrixRandomPhilox: words and uniform numbers bit for bit, normal ones within the tolerance."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.matrices import Placed

from .random_reference import normal, philox, uniform

Kernel = mps.linalg.MatrixRandomPhilox
Distribution = mps.linalg.MatrixRandomDistributionDescriptor
Array = NDArray[Any]


def fill(kernel: Any, shape: tuple[int, ...], dtype: str = "uint32") -> Array:
    out = np.full(shape, 7, dtype)
    assert kernel(out=out) is out
    return out


def test_the_published_words(engine: Engine) -> None:
    # Key and counter zero: the known answer of the publication.
    np.testing.assert_array_equal(fill(Kernel(), (1, 4)), [[0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]])


@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**53 - 1])
def test_words(engine: Engine, seed: int) -> None:
    for shape in ((1, 1), (1, 5), (3, 7), (1, 64), (2, 3, 33), (1, 40000)):
        wanted = philox(seed, 0, int(np.prod(shape))).reshape(shape)
        np.testing.assert_array_equal(fill(Kernel(seed=seed), shape), wanted)


@pytest.mark.parametrize("offset", [1, 3, 4, 131, 2**34 - 6, 2**45 + 2])
def test_offsets(engine: Engine, offset: int) -> None:
    for count in (1, 2, 3, 70):
        np.testing.assert_array_equal(fill(Kernel(seed=5, offset=offset), (1, count))[0], philox(5, offset, count))


@pytest.mark.parametrize(("least", "most"), [(None, None), (-1.0, 1.0), (3.0, 3.0000007), (-1e30, 2e-3), (0.1, 1e6)])
def test_uniform(engine: Engine, least: float | None, most: float | None) -> None:
    got = fill(Kernel(seed=9, distribution=Distribution("uniform", minimum=least, maximum=most)), (3, 5001), "float32")
    lo, hi = np.float32(least if least is not None else 0), np.float32(most if most is not None else 1)
    np.testing.assert_array_equal(got, uniform(philox(9, 0, got.size), lo, hi).reshape(got.shape))
    assert got.min() >= lo
    assert got.max() < hi


@pytest.mark.parametrize(
    ("mean", "deviation", "least", "most"),
    [
        (0, 1, None, None),
        (5, 0.25, None, None),
        (0, 1, -1, 2),
        (0, 1, 1, None),
        (2, 3, None, -6),
        (0, 1, 2.5, 3),
        (0, 1, -4, -3),
    ],
)
def test_normal(engine: Engine, mean: float, deviation: float, least: float | None, most: float | None) -> None:
    kernel = Kernel(
        seed=3,
        distribution=Distribution("normal", mean=mean, standard_deviation=deviation, minimum=least, maximum=most),
    )
    got = fill(kernel, (7, 3001), "float32")
    wanted = normal(
        philox(3, 0, got.size), mean, deviation, -np.inf if least is None else least, np.inf if most is None else most
    )
    absolute, relative = tolerance_of(kernel, "float32", engine)
    # Where a limit lies in the tail, the part of the distribution before it is rounded too.
    scale = relative * (abs(mean) + 8 * deviation)
    assert_close(got, wanted.reshape(got.shape), absolute + scale, relative)
    if least is not None:
        assert got.min() >= least
    if most is not None:
        assert got.max() <= most
    if least is None and most is None:
        assert abs(got.mean() - mean) < 0.03 * deviation
        assert abs(got.std() - deviation) < 0.03 * deviation


def test_padded_rows_and_batches(engine: Engine, rng: np.random.Generator) -> None:
    for rows, columns in ((3, 7), (2, 300)):
        out = Placed(rng, 4, (rows, columns), (0, 0), "uint32")
        view = out.array[:, :rows, :columns]
        Kernel(seed=2, offset=3, batch_start=1, batch_size=2)(out=view)
        np.testing.assert_array_equal(out.window(1, 2), philox(2, 3, 2 * rows * columns).reshape(2, rows, columns))
        out.check(1, 2)
    assert fill(Kernel(), (0, 3)).shape == (0, 3)


def test_engines_agree(engine: Engine) -> None:
    if not engine.is_metal:
        pytest.skip("compares a Metal device with the CPU engine")
    for distribution in ("default", "uniform", "normal"):
        dtype = "uint32" if distribution == "default" else "float32"
        kernel = Kernel(seed=11, distribution=distribution)
        here, there = np.empty((5, 1001), dtype), np.empty((5, 1001), dtype)
        kernel(out=here)
        kernel(out=there, device="cpu")
        if distribution == "normal":
            assert_close(here, there, 0, 1e-6)
        else:
            np.testing.assert_array_equal(here, there)


def test_same_call_same_numbers_and_streams_go_on(engine: Engine) -> None:
    kernel = Kernel(seed=7, distribution="uniform")
    a, b = fill(kernel, (4, 5), "float32"), fill(kernel, (4, 5), "float32")
    np.testing.assert_array_equal(a, b)
    stream = mps.linalg.RandomStream(kernel)
    parts = [stream((2, 3)), stream(5), stream(out=np.empty((2, 2, 2), np.float32)), stream((1, 1))]
    assert [p.shape for p in parts] == [(2, 3), (5,), (2, 2, 2), (1, 1)]
    np.testing.assert_array_equal(np.concatenate([p.ravel() for p in parts]), uniform(philox(7, 0, 20)))
    assert stream.kernel == kernel.replace(offset=20)
    for other in (pickle.loads(pickle.dumps(stream)), copy.copy(stream)):
        np.testing.assert_array_equal(other(4), uniform(philox(7, 20, 4)))
    np.testing.assert_array_equal(stream(4), uniform(philox(7, 20, 4)))
    matrix = mps.Matrix.empty(rows=2, columns=3, dtype="float32")
    assert stream(out=matrix) is matrix
    np.testing.assert_array_equal(np.asarray(matrix), uniform(philox(7, 24, 6)).reshape(2, 3))
    with pytest.raises(TypeError, match="shape and out are both given or both missing"):
        stream()


def test_threads_share_a_stream(engine: Engine) -> None:
    stream = mps.linalg.RandomStream(Kernel(seed=1))
    parts: list[Array] = []

    def draw() -> None:
        for _ in range(8):
            with mps.device(engine.device):
                parts.append(stream((1, 6)))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drawn = np.sort(np.concatenate([p.ravel() for p in parts]))
    np.testing.assert_array_equal(drawn, np.sort(philox(1, 0, 4 * 8 * 6)))


def test_refuses(engine: Engine) -> None:
    out = np.zeros((2, 2), np.uint32)
    with pytest.raises(ValueError, match=r"out is missing.*RandomStream"):
        Kernel()()
    with pytest.raises(TypeError, match="out is uint32 and the distribution is 'uniform'; allowed: float32"):
        Kernel(distribution="uniform")(out=out)
    with pytest.raises(TypeError, match="out is float32 and the distribution is 'default'; allowed: uint32"):
        Kernel()(out=np.zeros((2, 2), np.float32))
    with pytest.raises(ValueError, match="batch_start is 3"):
        Kernel(batch_start=3)(out=np.zeros((2, 2, 2), np.uint32))
    for keywords, message in (
        ({"seed": -1}, "seed is -1"),
        ({"offset": -1}, "offset is -1"),
        ({"distribution": "gamma"}, "'gamma'"),
    ):
        with pytest.raises(ValueError, match=message):
            Kernel(**keywords)
    for keywords, message in (
        ({"distribution_type": "uniform", "minimum": 2}, "minimum is 2.0, maximum is 1.0"),
        ({"distribution_type": "uniform", "minimum": -3e38, "maximum": 3e38}, "no farther off than float32 counts"),
        ({"distribution_type": "uniform", "mean": 1}, "mean is 1.0; allowed: none, 'uniform' has no mean"),
        ({"minimum": 1}, "minimum is 1.0; allowed: none, 'default' has no minimum"),
        ({"distribution_type": "normal", "standard_deviation": 0}, "standard_deviation is 0"),
        ({"distribution_type": "normal", "minimum": 5}, "at least 2..-16 of it"),
        ({"distribution_type": "normal", "minimum": 1, "maximum": 0}, "at least 2..-16 of it"),
    ):
        with pytest.raises(ValueError, match=message):
            Distribution(**keywords)


def test_is_a_value() -> None:
    kernel = Kernel(seed=4, distribution=Distribution("normal", mean=1), offset=8)
    assert pickle.loads(pickle.dumps(kernel)) == kernel != Kernel(seed=4)
    assert hash(kernel) == hash(kernel.replace(offset=8))
    assert Kernel(distribution="uniform").distribution == Distribution("uniform")
