"""What the tests of data, devices and waiting share. They run on every device, with whatever instruction set is best."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import mpskit as mps


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "device" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--device")
        names = [d.name for d in mps.devices() if wanted is None or d.name.startswith(wanted)]
        metafunc.parametrize("device", names, indirect=True)


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Iterator[mps.Device]:
    """One device of this machine, made current."""
    with mps.device(request.param) as chosen:
        yield chosen


@pytest.fixture
def blur() -> Any:
    return mps.image.GaussianBlur(sigma=1.5)


@pytest.fixture
def picture(rng: np.random.Generator) -> np.ndarray:
    return rng.random((9, 11, 3), dtype=np.float32)


@pytest.fixture
def slow(device: mps.Device) -> Callable[[float], mps.CommandBuffer]:
    """A command buffer, not committed, that keeps the device busy for about so many seconds."""
    multiply = mps.linalg.MatrixMultiplication()
    a = mps.zeros((384, 384))
    outs = [mps.empty((384, 384)) for _ in range(2)]
    multiply(a, a, out=outs[0])

    def measured() -> float:
        with device.command_buffer() as cb:
            for i in range(4):
                multiply.encode(cb, a, a, out=outs[i % 2])
        return cb.completion.device_seconds / 4

    each = min(measured() for _ in range(5))  # the others may have waited for a core

    def make(seconds: float) -> mps.CommandBuffer:
        buffer = device.command_buffer(label="slow")
        for i in range(math.ceil(seconds / each)):
            multiply.encode(buffer, a, a, out=outs[i % 2])
        return buffer

    return make
