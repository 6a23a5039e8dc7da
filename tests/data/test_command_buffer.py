from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

import mpskit as mps


def test_many_kernels_one_commit(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    with device.command_buffer(label="three") as cb:
        assert cb.label == "three"
        assert cb.device == device
        a = blur.encode(cb, picture)
        b = blur.encode(cb, a)
        c = blur.encode(cb, b, temporary=False)
        d = blur.encode(cb, a, temporary=False)
    assert np.array_equal(c, blur(blur(blur(picture))))
    assert np.array_equal(d, blur(blur(picture)))
    assert cb.completion.done()
    assert cb.completion.result() is None


def test_nothing_runs_before_commit(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    out = np.full_like(picture, -1)
    cb = device.command_buffer()
    assert blur.encode(cb, picture, out=out) is out
    time.sleep(0.05)
    assert (out == -1).all()
    assert cb.completion is None
    completion = cb.commit()
    assert completion is cb.completion
    cb.wait()
    assert np.array_equal(out, blur(picture))


def test_an_empty_one(device: mps.Device) -> None:
    with device.command_buffer() as cb:
        pass
    assert cb.completion.done()
    assert cb.completion.exception() is None


def test_the_kinds_of_results(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    image = mps.Image(picture)
    with device.command_buffer() as cb:
        assert type(blur.encode(cb, picture)) is mps.TemporaryImage
        assert type(blur.encode(cb, image)) is mps.TemporaryImage
        assert isinstance(blur.encode(cb, image), mps.Image)
        assert type(blur.encode(cb, picture, temporary=False)) is np.ndarray
        assert type(blur.encode(cb, image, temporary=False)) is mps.Image
        out = mps.Image(np.zeros_like(picture))
        assert blur.encode(cb, blur.encode(cb, image), out=out) is out
    assert np.array_equal(out, blur(blur(picture)))


def test_temporaries(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    with device.command_buffer() as cb:
        t = blur.encode(cb, picture)
        assert t.is_temporary
        assert t.shape == picture.shape
        assert t.dtype == np.float32
        assert repr(t).startswith("TemporaryImage(width=11, height=9, feature_channels=3")
        for look in (
            lambda: np.asarray(t),
            lambda: t.__array__(),
            lambda: t.__dlpack__(),
            lambda: mps.Image(t),
            lambda: t.save("x.png"),
            lambda: t.__reduce__(),
        ):
            with pytest.raises(ValueError, match="temporary of a command buffer"):
                look()
        with pytest.raises((BufferError, ValueError)):
            memoryview(t)
        assert t._repr_png_() is None
        with pytest.raises(ValueError, match=r"used outside its command buffer.*encode\(command_buffer"):
            blur(t)
        with pytest.raises(ValueError, match="used outside its command buffer"):
            blur.submit(picture, out=t)
        other = device.command_buffer()
        with pytest.raises(ValueError, match="belongs to another command buffer"):
            blur.encode(other, t)
    with pytest.raises(ValueError, match="encode after commit"):
        blur.encode(cb, t)
    with pytest.raises(ValueError, match="belongs to another command buffer"):
        blur.encode(device.command_buffer(), t)


def test_temporaries_by_hand(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    out = np.empty_like(picture)
    with device.command_buffer() as cb:
        t = cb.temporary_image(width=11, height=9, feature_channels=3, channel_format="float32")
        assert type(t) is mps.TemporaryImage
        with pytest.raises(ValueError, match="read before any work wrote it"):
            blur.encode(cb, t, out=out)
        assert blur.encode(cb, picture, out=t) is t
        blur.encode(cb, t, out=out)
        m = cb.temporary_matrix(rows=2, columns=3, matrices=4, dtype="float16")
        assert (type(m), m.shape) == (mps.TemporaryMatrix, (4, 2, 3))
        v = cb.temporary_vector(length=5)
        assert (type(v), v.shape) == (mps.TemporaryVector, (5,))
    assert np.array_equal(out, blur(blur(picture)))
    with pytest.raises(ValueError, match="temporary after commit"):
        cb.temporary_vector(length=5)
    with pytest.raises(ValueError, match=r"CommandBuffer\.temporary_vector: length is -5"):
        device.command_buffer().temporary_vector(length=-5)


def test_what_a_kernel_leaves_alone_is_zero(device: mps.Device, picture: np.ndarray) -> None:
    part = mps.image.GaussianBlur(sigma=1, clip_rect=(2, 3, 4, 5))
    wanted = part(picture)
    assert not wanted[:3].any()
    copy_ = mps.image.GaussianBlur(sigma=0)
    with device.command_buffer() as cb:
        t = part.encode(cb, picture)
        y = copy_.encode(cb, t, temporary=False)
        undefined = cb.temporary_image(width=11, height=9, feature_channels=3, channel_format="float32")
        with pytest.raises(ValueError, match="keeps a part of out: write all of it first"):
            part.encode(cb, picture, out=undefined)
        copy_.encode(cb, picture, out=undefined)
        part.encode(cb, picture, out=undefined)
    assert np.array_equal(np.asarray(y), wanted)


def test_misuse(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    cb = device.command_buffer()
    with pytest.raises(ValueError, match="wait before commit; allowed: after it"):
        cb.wait()
    cb.commit()
    with pytest.raises(ValueError, match="commit after commit; allowed: before it, once"):
        cb.commit()
    with pytest.raises(ValueError, match="encode after commit"):
        blur.encode(cb, picture)
    cb.wait()
    cb.wait()
    cb.discard()  # too late: nothing happens
    assert cb.completion.done()
    with pytest.raises(TypeError):
        blur.encode(picture, cb)
    with pytest.raises(TypeError, match="temporary is 1"):
        blur.encode(device.command_buffer(), picture, temporary=1)
    with pytest.raises(TypeError, match=r"temporary is given; allowed: in encode\(\) only"):
        blur(picture, temporary=True)
    for other in mps.devices():
        if other != device:
            with pytest.raises(ValueError, match=f"device is '{other.name}', the command buffer is of '{device.name}'"):
                blur.encode(device.command_buffer(), picture, device=other)
    with pytest.raises(TypeError):
        mps.CommandBuffer()


def test_a_block_that_raises_runs_nothing(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    out = np.full_like(picture, -1)
    cb = device.command_buffer()

    def block() -> None:
        with cb:
            blur.encode(cb, picture, out=out)
            raise KeyError("mine")

    with pytest.raises(KeyError):
        block()
    assert repr(cb) == f"<mps.CommandBuffer on {device.name}, discarded>"
    time.sleep(0.02)
    assert (out == -1).all()
    for use in (cb.commit, lambda: blur.encode(cb, picture), lambda: cb.temporary_vector(length=1)):
        with pytest.raises(ValueError, match="after it was discarded"):
            use()
    with device.command_buffer() as cb:  # discarded by hand: the block ends in peace
        blur.encode(cb, picture, out=out)
        cb.discard()
    assert (out == -1).all()


def test_a_refused_encode_leaves_it_usable(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    with device.command_buffer() as cb:
        t = blur.encode(cb, picture)
        with pytest.raises(TypeError, match="float64"):
            blur.encode(cb, picture.astype(np.float64))
        with pytest.raises(ValueError, match="overlaps"):
            blur.encode(cb, t, out=t)
        y = blur.encode(cb, t, temporary=False)
    assert np.array_equal(y, blur(blur(picture)))


def test_commit_inside_the_block(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    with device.command_buffer() as cb:
        y = blur.encode(cb, picture, temporary=False)
        cb.commit()
    assert np.array_equal(y, blur(picture))


@pytest.mark.threads
def test_encoding_from_many_threads(device: mps.Device, rng: np.random.Generator, blur: Any) -> None:
    pictures = rng.random((8, 12, 9, 7), dtype=np.float32)
    cb = device.command_buffer()
    results: list[Any] = [None] * len(pictures)
    barrier = threading.Barrier(len(pictures))

    def work(i: int) -> None:
        barrier.wait()
        for _ in range(20):
            t = blur.encode(cb, pictures[i])
            results[i] = blur.encode(cb, t, temporary=False)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(pictures))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    cb.commit().wait()
    for x, y in zip(pictures, results, strict=True):
        assert np.array_equal(y, blur(blur(x)))


@pytest.mark.threads
def test_one_thread_commits_while_others_encode(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    for _ in range(20):
        cb = device.command_buffer()
        errors: list[Exception] = []

        def work(cb: mps.CommandBuffer = cb, errors: list[Exception] = errors) -> None:
            try:
                for _ in range(50):
                    blur.encode(cb, picture)
            except ValueError as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads:
            t.start()
        cb.commit().wait()
        for t in threads:
            t.join()
        assert all("after commit" in str(e) for e in errors)


def test_queues_keep_the_order(device: mps.Device, blur: Any, slow: Any) -> None:
    shared = np.zeros((16, 16), np.float32)
    slow(0.1).commit()
    copy_ = mps.image.GaussianBlur(sigma=0)
    steps = [np.full((16, 16), i, np.float32) for i in range(20)]
    done = [copy_.submit(step, out=shared) for step in steps]
    done[-1].wait()
    assert (shared == 19).all()
    assert all(c.done() for c in done)
