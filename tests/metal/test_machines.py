"""Machines that differ from the one of all other tests: every kernel and a network still agree with the CPU engine there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

import mpskit as mps

MACHINES = {
    "discrete": {"MEMORY": "discrete"},
    "slow": {"LATENCY_US": "4000"},
    "wide rows": {"ALIGNMENT": "256"},
}

PROGRAM = """
import threading
import numpy as np
import mpskit as mps

random = np.random.default_rng(1)


def agree(name, call, tolerance=1e-5):
    with mps.device("cpu"):
        wanted = call()
    with mps.device("metal"):
        got = call()
    for g, w in zip(got, wanted, strict=True):
        worst = np.abs(np.asarray(g).astype(float) - np.asarray(w).astype(float)).max()
        assert g.dtype == w.dtype and worst <= tolerance, (name, worst)


def picture(channels, dtype=np.float32, images=()):
    x = random.random((*images, 9, 21, channels))
    return (x * 255).astype(dtype) if np.issubdtype(dtype, np.integer) else x.astype(dtype)


for channels in (1, 3, 4, 6):
    x, codes = picture(channels), picture(channels, np.uint8, (2,))
    agree("blur", lambda: [mps.image.GaussianBlur(sigma=1.5, edge_mode="clamp")(x)])
    agree("blur of codes", lambda: [mps.image.GaussianBlur(sigma=1.5)(codes)], 2)
    agree("sobel", lambda: [mps.image.Sobel()(x)])
    agree("scale", lambda: [mps.image.LanczosScale(width=13, height=17)(x)])
    agree("statistics", lambda: [mps.image.StatisticsMeanAndVariance()(x)])

a, b = random.random((7, 19)).astype(np.float32), random.random((19, 11)).astype(np.float32)
agree("product", lambda: [mps.linalg.MatrixMultiplication()(a, b)])


def chain():
    x = picture(3)
    blur, sobel = mps.image.GaussianBlur(sigma=1), mps.image.Sobel()
    with mps.default_device().command_buffer() as cb:
        y = sobel.encode(cb, blur.encode(cb, blur.encode(cb, x)), temporary=False)
    return [np.asarray(y)]


random = np.random.default_rng(2)
with mps.device("cpu"):
    wanted = chain()
random = np.random.default_rng(2)
with mps.device("metal"):
    assert np.abs(chain()[0] - wanted[0]).max() < 1e-5


def work(seed, failures):
    x = np.random.default_rng(seed).random((16, 16, 3)).astype(np.float32)
    copy = mps.image.GaussianBlur(sigma=0)
    with mps.device("metal"):
        completions = [copy.submit(x + i) for i in range(8)]
        if not all(np.array_equal(c.result(), x + i) for i, c in enumerate(completions)):
            failures.append(seed)


failures = []
threads = [threading.Thread(target=work, args=(seed, failures)) for seed in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
assert not failures
print("agrees")
"""


@pytest.mark.process
@pytest.mark.parametrize("machine", MACHINES)
def test_agrees_with_the_cpu_engine(metal: mps.Device, knob: Callable[[str, str], None], machine: str) -> None:
    knobs = {f"MPSKIT_STANDIN_{name}": value for name, value in MACHINES[machine].items()}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, **knobs}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "agrees\n", "")
