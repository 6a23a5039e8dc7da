"""Zero copies, proven by address; who keeps the bytes alive, and when they are let go."""

from __future__ import annotations

import array
import ctypes
import gc
import mmap
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mpskit as mps


class Array(np.ndarray):
    """An array that a weak reference can watch."""


def watched(shape: tuple[int, ...], dtype: str = "float32") -> Any:
    return np.zeros(shape, dtype).view(Array)


def address(x: Any) -> int:
    return int(np.asarray(x).ctypes.data)


def let_go(gone: Callable[[], object], seconds: float = 5.0) -> bool:
    """True once the object is gone; the last holder may be work that just ended on another thread."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        gc.collect()
        if gone() is None:
            return True
        time.sleep(0.005)
    return False


def test_foreign_arrays_are_shared_on_the_cpu(picture: np.ndarray) -> None:
    image = mps.Image(picture, device="cpu")
    assert image.is_shared
    assert address(image) == picture.ctypes.data
    assert address(memoryview(image)) == picture.ctypes.data
    np.asarray(image)[0, 0, 0] = 5
    assert picture[0, 0, 0] == 5
    picture[1, 1, 1] = 6
    assert np.asarray(image)[1, 1, 1] == 6


def test_arrays_of_ours_are_shared_by_every_device(device: mps.Device) -> None:
    x = mps.zeros((64, 64, 4))
    for other in mps.devices():
        image = mps.Image(x, copy=False, device=other)
        assert image.is_shared
        assert address(image) == x.ctypes.data
    inside = mps.Image(x[3:9, 5:20], copy=False)
    assert address(inside) == x[3:9, 5:20].ctypes.data


def test_a_misaligned_array_says_why() -> None:
    raw = np.zeros(4 * 4 * 4 + 1, np.uint8)
    x = raw[1:].view(np.float32).reshape(4, 4)
    image = mps.Image(x, device="cpu")
    assert not image.is_shared
    with pytest.raises(ValueError, match="cannot be used without a copy: its elements are not aligned"):
        mps.Image(x, copy=False, device="cpu")


@pytest.mark.parametrize(
    ("name", "view", "shared"),
    [
        ("crop", lambda x: x[2:7, 1:9], True),
        ("every other row", lambda x: x[::2], True),
        ("one row", lambda x: x[3:4], True),
        ("rows backwards", lambda x: x[::-1], False),
        ("columns backwards", lambda x: x[:, ::-1], False),
        ("every other column", lambda x: x[:, ::2], False),
        ("two of three channels", lambda x: x[:, :, :2], False),
        ("transposed", lambda x: x.swapaxes(0, 1), False),
        ("broadcast", lambda x: np.broadcast_to(x[:1], x.shape), False),
        ("Fortran order", np.asfortranarray, False),
        ("one column", lambda x: x[:, 4:5], True),
    ],
    ids=lambda p: p if isinstance(p, str) else "",
)
def test_views(device: mps.Device, picture: np.ndarray, name: str, view: Callable[[Any], Any], shared: bool) -> None:
    x = mps.empty(picture.shape)
    x[...] = picture
    v = view(x)
    image = mps.Image(v)
    assert image.is_shared == shared
    assert np.array_equal(image, v)
    assert (address(image) == v.ctypes.data) == shared
    if shared:
        assert np.asarray(image).strides[0] == v.strides[0] or v.shape[0] == 1
    else:
        with pytest.raises(ValueError, match="cannot be used without a copy: its rows"):
            mps.Image(v, copy=False)
    y = mps.image.GaussianBlur(sigma=1)(v)
    assert np.array_equal(y, mps.image.GaussianBlur(sigma=1)(np.ascontiguousarray(v)))


def test_out_is_written_in_place(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    wanted = blur(picture)
    whole = np.full((13, 17, 3), 7, np.float32)
    view = whole[2:11, 3:14]
    assert blur(picture, out=view) is view
    assert np.array_equal(view, wanted)
    whole[2:11, 3:14] = 7
    assert (whole == 7).all()
    image = mps.Image.empty(width=11, height=9, feature_channels=3, channel_format="float32")
    assert blur(picture, out=image) is image
    assert np.array_equal(image, wanted)
    with pytest.raises(ValueError, match="out cannot be written in place: its rows are not contiguous"):
        blur(picture, out=np.zeros((9, 11, 6), np.float32)[:, :, ::2])
    with pytest.raises(ValueError, match="out cannot be written in place: its rows run backwards"):
        blur(picture, out=np.zeros((9, 11, 3), np.float32)[::-1])
    with pytest.raises(ValueError, match="overlaps"):
        blur(picture, out=picture)
    with pytest.raises(ValueError, match="out and dtype or channels are both given"):
        blur(picture, out=view, dtype="float32")
    with pytest.raises(TypeError, match="out is a list"):
        blur(picture, out=[1])


def test_read_only_is_honoured(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    picture.flags.writeable = False
    image = mps.Image(picture, device="cpu")
    assert image.is_shared
    assert not image.is_writable
    assert not np.asarray(image).flags.writeable
    assert memoryview(image).readonly
    assert blur(image).shape == picture.shape
    for out in (picture, image):
        with pytest.raises(ValueError, match="out is read-only"):
            blur(np.zeros_like(picture), out=out)
    ours = mps.zeros(picture.shape)
    ours.flags.writeable = False
    assert not mps.Image(ours).is_writable  # its storage could be written: the array may not
    with pytest.raises(ValueError, match="out is read-only"):
        blur(picture, out=mps.Image(ours))
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(mps.Image(ours))[0, 0] = 1
    assert mps.Image(picture, copy=True).is_writable


def test_buffers(device: mps.Device, tmp_path: Path) -> None:
    numbers = array.array("f", range(6))
    vector = mps.Vector(numbers, device="cpu")
    assert vector.is_shared
    assert address(vector) == numbers.buffer_info()[0]
    data = bytearray(12)
    view = memoryview(data).cast("B", (3, 4))
    image = mps.Image(view, device="cpu")
    np.asarray(image)[2, 3] = 9
    assert data[11] == 9
    with pytest.raises(BufferError):
        data.extend(b"x")  # the view that we hold forbids it
    del image, view
    gc.collect()
    data.extend(b"x")
    assert not mps.Image(memoryview(bytes(12)).cast("B", (3, 4)), device="cpu").is_writable
    block = (ctypes.c_float * 6)()
    assert address(mps.Vector(block, device="cpu")) == ctypes.addressof(block)

    (tmp_path / "raw").write_bytes(bytes(range(48)))
    with (tmp_path / "raw").open("r+b") as file:
        mapped = mmap.mmap(file.fileno(), 48)
    matrix = mps.Matrix(np.frombuffer(mapped, np.uint8).reshape(6, 8), device="cpu")
    assert matrix.is_shared
    assert np.asarray(matrix)[5, 7] == 47
    with pytest.raises(BufferError):
        mapped.close()
    del matrix
    gc.collect()
    mapped.close()


def test_things_with_an_array(device: mps.Device) -> None:
    class Wrapped:
        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return np.ones((2, 3), np.float32)

    assert np.array_equal(mps.Matrix(Wrapped()), np.ones((2, 3)))
    assert not mps.Matrix(Wrapped()).is_shared
    with pytest.raises(ValueError, match="has no buffer, only __array__"):
        mps.Matrix(Wrapped(), copy=False)


def test_what_was_made_keeps_the_bytes(device: mps.Device) -> None:
    image = mps.Image(watched((4, 4)), device="cpu")
    seen = np.asarray(image)
    del image
    gc.collect()
    seen[...] = 3
    assert (seen == 3).all()
    part = np.asarray(mps.Image.zeros(width=256, height=256))[10:20, 10:20]
    gc.collect()
    np.asarray(mps.Image.empty(width=256, height=256))[...] = 9  # would land there, were the block free
    assert not part.any()


@pytest.mark.parametrize(
    "hold",
    [
        mps.Image,
        lambda x: np.asarray(mps.Image(x)),
        lambda x: memoryview(mps.Image(x)),
        lambda x: np.asarray(mps.Image(x))[1:],
    ],
)
def test_the_last_holder_frees(hold: Callable[[Any], Any]) -> None:
    with mps.device("cpu"):
        foreign = watched((4, 4))
        gone = weakref.ref(foreign)
        held = hold(foreign)
        del foreign
        gc.collect()
        assert gone() is not None
        del held
        gc.collect()
        assert gone() is None


def test_a_call_keeps_nothing(device: mps.Device, blur: Any) -> None:
    x, out = watched((8, 8)), watched((8, 8))
    gone_x, gone_out = weakref.ref(x), weakref.ref(out)
    y = blur(x, out=out)
    assert y is out
    del x
    assert let_go(gone_x, 1.0)
    del out, y
    assert let_go(gone_out, 1.0)


def test_work_in_flight_keeps_the_bytes(device: mps.Device, blur: Any, slow: Any) -> None:
    before = slow(0.3)
    before.commit()
    x, out = watched((8, 8)), watched((8, 8))
    x[...] = 2
    gone_x, gone_out = weakref.ref(x), weakref.ref(out)
    completion = blur.submit(x, out=out)
    del x, out
    gc.collect()
    assert not completion.done()
    assert gone_x() is not None
    assert gone_out() is not None
    completion.wait()
    assert let_go(gone_x)
    assert np.allclose(completion.result(), 2, rtol=1e-5)
    del completion
    assert let_go(gone_out)


def test_nobody_waits_and_all_is_freed(device: mps.Device, blur: Any, slow: Any) -> None:
    slow(0.2).commit()
    x, out = watched((8, 8)), watched((8, 8))
    gone = [weakref.ref(x), weakref.ref(out)]
    blur.submit(x, out=out)
    del x, out
    assert all(let_go(g) for g in gone)


def test_a_command_buffer_lets_go(device: mps.Device, blur: Any) -> None:
    for end in ("commit", "discard", "drop"):
        x = watched((8, 8))
        gone = weakref.ref(x)
        buffer = device.command_buffer()
        blur.encode(buffer, x)
        del x
        gc.collect()
        assert gone() is not None
        if end == "commit":
            buffer.commit().wait()
        elif end == "discard":
            buffer.discard()
        else:
            del buffer
        assert let_go(gone), end


def test_memory_of_ours_goes_back_to_the_pool(device: mps.Device) -> None:
    first = mps.Image.empty(width=123, height=457)
    where = address(first)
    del first
    gc.collect()
    assert address(mps.Image.empty(width=123, height=457)) == where
