from __future__ import annotations

import asyncio
import copy
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import mpskit as mps


def test_what_is_there() -> None:
    devices = mps.devices()
    assert devices
    assert all(isinstance(d, mps.Device) for d in devices)
    assert devices[-1].name == "cpu"
    assert len({d.name for d in devices}) == len(devices)
    assert mps.default_device() == mps.device(os.environ.get("MPSKIT_DEVICE") or devices[0].name)


def test_properties(device: mps.Device) -> None:
    assert isinstance(device.description, str)
    assert device.description
    assert device.memory_bytes > 2**28
    assert device.max_buffer_bytes > 2**24
    assert isinstance(device.has_unified_memory, bool)
    assert isinstance(device.is_low_power, bool)
    assert isinstance(device.features, tuple)
    assert all(isinstance(f, str) for f in device.features)
    if device.name == "cpu":
        assert set(mps._core._isas()) == set(device.features)


def test_a_device_is_a_value(device: mps.Device) -> None:
    same = mps.device(device.name)
    assert same == device
    assert hash(same) == hash(device)
    assert device != device.name
    assert repr(device) == f"mps.device('{device.name}')"
    assert str(device) == device.name
    assert mps.device(device) == device
    assert {device: 1}[same] == 1
    assert pickle.loads(pickle.dumps(device)) == device
    assert copy.deepcopy(device) == device
    with pytest.raises(AttributeError):
        device.name = "mine"
    with pytest.raises(TypeError):
        mps.Device()


def test_absent() -> None:
    there = ", ".join(f"'{d.name}'" for d in mps.devices())
    with pytest.raises(ValueError, match=f"device: there is no 'cuda'; allowed here: {there}"):
        mps.device("cuda")
    with pytest.raises(TypeError, match=r"device is 3 \(int\)"):
        mps.device(3)
    with pytest.raises(ValueError, match="no 'cuda'"):
        mps.image.GaussianBlur()(np.zeros((2, 2), np.float32), device="cuda")


def test_blocks_nest(device: mps.Device) -> None:
    first = mps.default_device()
    for other in mps.devices():
        with other as chosen:
            assert chosen is other
            assert mps.default_device() == other
            with device, device:
                assert mps.default_device() == device
            assert mps.default_device() == other
            assert mps.Image.zeros(width=1, height=1).device == other
    assert mps.default_device() == first
    with pytest.raises(KeyError), device:
        raise KeyError
    assert mps.default_device() == first


def test_out_of_order() -> None:
    a, b = mps.device("cpu"), mps.device("cpu")
    a.__enter__()
    b.__enter__()
    with pytest.raises(ValueError, match="left out of order"):
        a.__exit__(None, None, None)
    b.__exit__(None, None, None)
    a.__exit__(None, None, None)
    with pytest.raises(ValueError, match="left out of order"):
        a.__exit__(None, None, None)


def test_each_thread_has_its_own() -> None:
    standard = mps.default_device()
    seen = []
    for other in mps.devices():
        with other:
            thread = threading.Thread(target=lambda: seen.append(mps.default_device()))
            thread.start()
            thread.join()
    assert seen == [standard] * len(mps.devices())


def test_each_task_has_its_own() -> None:
    order = mps.devices()

    async def work(device: mps.Device, other: mps.Device) -> None:
        with device:
            for _ in range(5):
                await asyncio.sleep(0)
                assert mps.default_device() == device
                with other:
                    await asyncio.sleep(0)
                    assert mps.default_device() == other
            assert await asyncio.to_thread(mps.default_device) == device

    async def main() -> None:
        await asyncio.gather(*(work(d, order[(i + 1) % len(order)]) for i, d in enumerate(order * 3)))

    asyncio.run(main())


def test_device_of_a_call(device: mps.Device, picture: np.ndarray) -> None:
    blur = mps.image.GaussianBlur()
    assert blur(mps.Image(picture, device=device)).device == device
    for other in mps.devices():
        assert blur(mps.Image(picture, device=device), device=other).device == other
        assert blur(mps.Image(picture, device=device), device=other.name).device == other
        with other:
            assert blur(mps.Image(picture, device=device)).device == device  # the image decides
            assert blur.submit(mps.Image(picture, device=device)).result().device == device


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "wanted"), [("cpu", "cpu"), ("", None), ("gpu9", "ValueError: device: there is no 'gpu9'; allowed here:")]
)
def test_environment(name: str, wanted: str | None) -> None:
    program = """
import mpskit as mps
try:
    print(mps.default_device())
except ValueError as error:
    print("ValueError:", error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "MPSKIT_DEVICE": name},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(wanted or mps.devices()[0].name), done.stdout + done.stderr


def test_threads_and_instruction_sets() -> None:
    before = mps.num_threads()
    try:
        mps.set_num_threads(1)
        assert mps.num_threads() == 1
        for bad, error in [(0, ValueError), (5000, ValueError), (1.5, TypeError), ("2", TypeError)]:
            with pytest.raises(error, match="set_num_threads: n is"):
                mps.set_num_threads(bad)  # type: ignore[arg-type]
        assert mps.num_threads() == 1
    finally:
        mps.set_num_threads(before)
    assert mps._core._active_isa() in mps._core._isas()
    with pytest.raises(ValueError, match="avx1024"):
        mps._core._force_isa("avx1024")
