"""A device that fails: the error reaches its own completion, and the next work runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

import mpskit as mps

Knob = Callable[[str, str], None]


def test_a_command_buffer_fails(metal: mps.Device, knob: Knob) -> None:
    blur = mps.image.GaussianBlur(sigma=1)
    x = np.ones((8, 8, 3), np.float32)
    blur(x)
    knob("FAIL_COMMIT", "1:8")
    with pytest.raises(mps.DeviceError, match=r"GaussianBlur: Stand-in GPU failed: .*MTLCommandBufferErrorDomain 8"):
        blur(x)
    assert np.allclose(blur(x), 1)
    knob("FAIL_COMMIT", "2")
    completions = [blur.submit(x) for _ in range(4)]
    for i, completion in enumerate(completions):
        if i == 1:
            with pytest.raises(mps.DeviceError, match="failed"):
                completion.result()
        else:
            assert np.allclose(completion.result(), 1)
    knob("FAIL_COMMIT", "1:2")
    buffer = metal.command_buffer(label="my work")
    blur.encode(buffer, x)
    with pytest.raises(mps.DeviceError, match="my work: Stand-in GPU failed"):
        buffer.commit().result()


@pytest.mark.parametrize("call", range(1, 8))
def test_memory_runs_out(metal: mps.Device, knob: Knob, call: int) -> None:
    """Whatever cannot be made: an error in words, or a second try, and the next call works."""
    x = np.ones((8, 8, 3), np.float32)
    shape = (11 + call, 9, 5)
    knob("FAIL_ALLOCATION", f"{call}+")
    try:
        y = mps.image.GaussianBlur(sigma=1)(np.ones(shape, np.float32))
    except mps.DeviceError as error:
        assert "Stand-in GPU" in str(error)  # noqa: PT017
        assert "Free arrays" in str(error) or "device=" in str(error)  # noqa: PT017
    else:
        assert np.allclose(y, 1)
    knob("FAIL_ALLOCATION", "")
    assert np.allclose(mps.image.GaussianBlur(sigma=1)(np.ones(shape, np.float32)), 1)
    assert np.allclose(mps.image.GaussianBlur(sigma=1)(x), 1)


def test_a_color_space_or_conversion_is_missing(metal: mps.Device, knob: Knob) -> None:
    """Without one MPS would leave the colours as they are, and say nothing."""
    x = np.full((4, 4, 3), 0.5, np.float32)
    kernel = mps.image.Conversion(source_color_space="srgb", destination_color_space="linear_display_p3")
    for call, missing in enumerate(
        ("colour space srgb", "colour space linear_display_p3", "conversion from srgb to linear_display_p3"), 1
    ):
        knob("FAIL_COLOR", str(call))
        with pytest.raises(mps.DeviceError, match=rf'Conversion: CoreGraphics made no {missing}. Pass device="cpu"'):
            kernel(x)
    knob("FAIL_COLOR", "")
    assert np.allclose(kernel(x), ((0.5 + 0.055) / 1.055) ** 2.4)


def run(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.process
def test_several_devices(metal: mps.Device, knob: Knob) -> None:
    program = """
import numpy as np, mpskit as mps
print(*mps.devices())
x = mps.zeros((16, 16, 3))
x[4, 5] = 1
for device in mps.devices():
    with device:
        image = mps.Image(x)
        print(image.__dlpack_device__(), float(np.asarray(mps.image.GaussianBlur(sigma=0)(image)).sum()))
"""
    assert run(program, MPSKIT_STANDIN_DEVICES="3").splitlines() == [
        "metal metal:1 metal:2 cpu",
        "(8, 0) 3.0",
        "(8, 1) 3.0",
        "(8, 2) 3.0",
        "(1, 0) 3.0",
    ]


@pytest.mark.process
def test_no_device(metal: mps.Device, knob: Knob) -> None:
    assert run("import mpskit; print(*mpskit.devices())", MPSKIT_STANDIN_DEVICES="0") == "cpu\n"


@pytest.mark.process
def test_large_arrays(metal: mps.Device, knob: Knob) -> None:
    program = """
import numpy as np, mpskit as mps
x = mps.zeros((300, 300, 4))
copy = mps.image.GaussianBlur(sigma=0)
with mps.device("metal"):
    print(copy.why_not(x))
    try:
        copy(x[:10])
    except mps.DeviceError as error:
        print(error)
    print(copy(np.array(x[:10])).shape)
"""
    first, second, third = run(program, MPSKIT_STANDIN_MAX_BUFFER="1048576").splitlines()
    assert "1440000 bytes; allowed: 1048576 bytes in a Metal buffer" in first
    assert "bytes lie in one array; allowed: 1048576 bytes" in second
    assert third == "(10, 300, 4)"


@pytest.mark.process
@pytest.mark.parametrize(
    "memory", [{"MPSKIT_STANDIN_MEMORY": "discrete"}, {"MPSKIT_STANDIN_ALIGNMENT": "256"}], ids=["discrete", "256"]
)
def test_other_machines(metal: mps.Device, knob: Knob, memory: dict[str, str]) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--device",
            "metal",
            "tests/metal/test_transfer.py",
        ],
        env={**os.environ, **memory},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
