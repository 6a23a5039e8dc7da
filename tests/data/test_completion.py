from __future__ import annotations

import asyncio
import gc
import itertools
import os
import signal
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

import mpskit as mps


def test_submit_and_result(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    completion = blur.submit(picture)
    result = completion.result()
    assert np.array_equal(result, blur(picture))
    assert completion.result() is result
    assert completion.done()
    assert completion.exception() is None
    assert completion.wait() is None
    assert 0 <= completion.device_seconds < 60
    assert repr(completion) == "<mps.Completion done>"
    assert isinstance(blur.submit(mps.Image(picture)).result(), mps.Image)
    out = np.zeros_like(picture)
    assert blur.submit(picture, out=out).result() is out


def test_while_it_runs(device: mps.Device, slow: Any) -> None:
    completion = slow(0.4).commit()
    assert not completion.done()
    assert completion.device_seconds is None
    assert repr(completion) == "<mps.Completion pending>"
    begin = time.perf_counter()
    for method in (completion.wait, completion.result, completion.exception):
        with pytest.raises(TimeoutError, match=r"not done after 0\.02 s; it goes on"):
            method(timeout=0.02)
    assert time.perf_counter() - begin < 0.3
    with pytest.raises(TimeoutError):
        completion.wait(0)
    completion.wait(timeout=60)
    assert completion.device_seconds > 0.1


@pytest.mark.parametrize(("timeout", "error"), [(-1, ValueError), ("1", TypeError), (float("nan"), ValueError)])
def test_bad_timeouts(picture: np.ndarray, blur: Any, timeout: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="Completion: timeout is"):
        blur.submit(picture).wait(timeout)


def test_there_is_no_cancelling(picture: np.ndarray, blur: Any) -> None:
    assert not hasattr(blur.submit(picture), "cancel")
    with pytest.raises(TypeError):
        mps.Completion()
    assert mps.Completion[int].__origin__ is mps.Completion


def test_callbacks_run_in_order(device: mps.Device, slow: Any) -> None:
    completion = slow(0.1).commit()
    seen: list[Any] = []
    ended = threading.Event()
    for i in range(5):
        completion.add_done_callback(lambda c, i=i: seen.append((i, c is completion, c.done())))
    completion.add_done_callback(lambda _: ended.set())
    assert not seen
    assert ended.wait(30)
    assert seen == [(i, True, True) for i in range(5)]
    completion.add_done_callback(lambda _: seen.append(threading.current_thread()))
    assert seen[-1] is threading.current_thread()  # done, and nobody before it: at once


def test_a_callback_may_call_kernels(device: mps.Device, picture: np.ndarray, blur: Any, slow: Any) -> None:
    results: list[Any] = []
    ended = threading.Event()

    def again(completion: mps.Completion[Any]) -> None:
        with device:
            results.append(blur(completion.result()))
            results.append(blur.submit(picture).result())
        ended.set()

    slow(0.1).commit()
    blur.submit(picture).add_done_callback(again)
    for _ in range(10):
        blur.submit(picture)
    assert ended.wait(30)
    assert np.array_equal(results[0], blur(blur(picture)))
    assert np.array_equal(results[1], blur(picture))


def test_what_callbacks_raise(device: mps.Device, picture: np.ndarray, blur: Any, slow: Any, monkeypatch: Any) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    ended = threading.Event()

    def bad(_: Any) -> None:
        raise KeyError("mine")

    completion = slow(0.05).commit()
    completion.add_done_callback(bad)
    completion.add_done_callback(lambda _: ended.set())
    assert ended.wait(30)
    assert [type(t.exc_value) for t in told] == [KeyError]
    assert told[0].object is bad
    completion.add_done_callback(bad)
    assert len(told) == 2
    with pytest.raises(TypeError, match="the callback is 3; allowed: a function"):
        completion.add_done_callback(3)
    told.clear()
    gc.collect()


def test_callbacks_are_let_go(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    import weakref

    class Callback:
        def __call__(self, _: Any) -> None:
            pass

    callback = Callback()
    gone = weakref.ref(callback)
    completion = blur.submit(picture)
    completion.add_done_callback(callback)
    del callback
    completion.wait()
    end = time.monotonic() + 5
    while gone() is not None and time.monotonic() < end:
        time.sleep(0.005)
    assert gone() is None


def test_await(device: mps.Device, rng: np.random.Generator, blur: Any, slow: Any) -> None:
    pictures = rng.random((6, 9, 7), dtype=np.float32)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.005)

    async def main() -> list[Any]:
        ticker = asyncio.create_task(tick())
        slow(0.3).commit()
        results = await asyncio.gather(*(blur.submit(x) for x in pictures))
        ticker.cancel()
        done = blur.submit(pictures[0])
        done.wait()
        assert np.array_equal(await done, results[0])
        return results

    for x, y in zip(pictures, asyncio.run(main()), strict=True):
        assert np.array_equal(y, blur(x))
    assert ticks > 5  # the loop went on meanwhile


def test_a_cancelled_task_leaves_the_work_running(
    device: mps.Device, picture: np.ndarray, blur: Any, slow: Any
) -> None:
    out = np.zeros_like(picture)

    async def main() -> None:
        slow(0.2).commit()
        completion = blur.submit(picture, out=out)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.ensure_future(_of(completion)), 0.01)
        completion.wait()

    async def _of(completion: mps.Completion[Any]) -> Any:
        return await completion

    asyncio.run(main())
    assert np.array_equal(out, blur(picture))


def test_a_loop_that_closed_is_left_alone(device: mps.Device, slow: Any) -> None:
    completion = slow(0.2).commit()

    async def main() -> None:
        task = asyncio.ensure_future(_wait())
        await asyncio.sleep(0.01)
        task.cancel()

    async def _wait() -> None:
        await completion

    asyncio.run(main())
    completion.wait()
    time.sleep(0.05)  # an error in the callback would reach sys.unraisablehook, which fails the test


def test_work_that_fails(device: mps.Device, picture: np.ndarray, blur: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to learn of a failure gives it; what was submitted behind it runs."""
    multiply = mps.linalg.MatrixMultiplication()
    side = 2**20 if device.name == "cpu" else 4
    column, row = np.zeros((side, 1), np.float32), np.zeros((1, side), np.float32)
    failure = (MemoryError, mps.DeviceError)  # a temporary of 4 TiB on the CPU
    codes = itertools.count(1)

    def fail() -> None:  # Metal refuses such a size before it is submitted
        if device.description.startswith("Stand-in"):
            monkeypatch.setenv("MPSKIT_STANDIN_FAIL_COMMIT", f"1:{next(codes)}")
        elif device.name != "cpu":
            pytest.skip("needs a device that fails on demand")

    def commit() -> Any:
        cb = device.command_buffer(label="too large")
        multiply.encode(cb, column, row)
        fail()
        return cb.commit()

    completion = commit()
    behind = blur.submit(picture)
    for look in (completion.wait, completion.result):
        for _ in range(2):
            with pytest.raises(failure):
                look()
    assert isinstance(completion.exception(), failure)
    assert completion.done()
    assert repr(completion) == "<mps.Completion failed>"
    told: list[Any] = []
    completion.add_done_callback(lambda c: told.append(c.exception()))
    assert isinstance(told[0], failure)

    async def main() -> None:
        with pytest.raises(failure):
            await commit()

    asyncio.run(main())

    def block() -> None:
        with device.command_buffer() as cb:
            multiply.encode(cb, column, row)
            fail()

    with pytest.raises(failure):
        block()
    assert np.array_equal(behind.result(), blur(picture))


@pytest.mark.threads
def test_waits_let_other_threads_run(device: mps.Device, slow: Any) -> None:
    completion = slow(0.3).commit()
    turns = 0

    def work() -> None:
        nonlocal turns
        while not completion.done():
            turns += 1
            time.sleep(0.002)

    thread = threading.Thread(target=work)
    thread.start()
    completion.wait()
    thread.join()
    assert turns > 10


def test_ctrl_c_gets_through(device: mps.Device, slow: Any) -> None:
    completion = slow(1.5).commit()
    timer = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT))
    begin = time.perf_counter()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        completion.wait()
    assert time.perf_counter() - begin < 1.0
    assert not completion.done()
    completion.wait()  # the work went on


@pytest.mark.threads
def test_many_threads_wait_for_one(device: mps.Device, slow: Any) -> None:
    completion = slow(0.2).commit()
    seen: list[bool] = []
    threads = [threading.Thread(target=lambda: (completion.wait(), seen.append(completion.done()))) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert seen == [True] * 8


@pytest.mark.threads
def test_many_threads_call_one_kernel(device: mps.Device, rng: np.random.Generator, blur: Any) -> None:
    shapes = [(8 + i % 3, 9, 3) for i in range(6)]
    pictures = [rng.random(s, dtype=np.float32) for s in shapes]
    wanted = [blur(x) for x in pictures]
    wrong: list[int] = []

    def work(i: int) -> None:
        with device:
            wrong.extend(
                i
                for _ in range(60)
                for y in (blur(pictures[i]), blur.submit(pictures[i]).result())
                if not np.array_equal(y, wanted[i])
            )

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(pictures))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
