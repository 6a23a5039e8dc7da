"""Fork, exit and import: what only a process of its own shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap

import pytest

import mpskit as mps

pytestmark = pytest.mark.process

PRELUDE = """
import os, sys, threading, time
import numpy as np
import mpskit as mps

DEVICE = mps.device(sys.argv[1])
DEVICE.__enter__()
blur = mps.image.GaussianBlur(sigma=1)
x = np.random.default_rng(0).random((16, 16), dtype=np.float32)
multiply, a = mps.linalg.MatrixMultiplication(), mps.zeros((384, 384))

def busy(seconds):
    begin = time.perf_counter()
    with DEVICE.command_buffer() as cb:
        for _ in range(4):
            multiply.encode(cb, a, a)
    each = cb.completion.device_seconds / 4
    cb = DEVICE.command_buffer()
    for _ in range(int(seconds / each) + 1):
        multiply.encode(cb, a, a)
    return cb.commit()
"""


def run(program: str, device: mps.Device, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore::DeprecationWarning",
            *options,
            "-c",
            PRELUDE + textwrap.dedent(program),
            device.name,
        ],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def expect(done: subprocess.CompletedProcess[str], output: str) -> None:
    assert (done.returncode, done.stdout.strip(), done.stderr.strip()) == (0, output, "")


CHILD = """
def child(function):
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            function()
            code = 0
        finally:
            sys.stdout.flush()
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, status
"""


def test_a_fork_can_use_the_cpu_engine(device: mps.Device) -> None:
    program = """
    y = blur(x)
    blur.submit(x).wait()
    done = []
    blur.submit(x).add_done_callback(done.append)
    def work():
        with mps.device("cpu"):
            assert np.allclose(blur(x), y, atol=1e-2)
            assert np.allclose(blur.submit(x).result(), y, atol=1e-2)
            with mps.device("cpu").command_buffer() as cb:
                z = blur.encode(cb, x, temporary=False)
            ended = threading.Event()
            blur.submit(x).add_done_callback(lambda c: ended.set())
            assert ended.wait(10)
            big = np.ones((300, 300), np.float32)
            blur(big)
            print("child")
    for _ in range(3):
        child(work)
    assert np.array_equal(blur(x), y)
    print("parent")
    """
    expect(run(CHILD + textwrap.dedent(program), device), "child\nchild\nchild\nparent")


def test_metal_does_not_survive_a_fork(device: mps.Device) -> None:
    if device.name == "cpu":
        pytest.skip("needs a Metal device")
    program = """
    blur(x)
    def work():
        for use in (lambda: blur(x), lambda: blur.submit(x).wait(), lambda: blur(x[:8])):
            try:
                use()
                print("worked")
            except mps.DeviceError as error:
                assert "fork" in str(error), error
        print("child")
    child(work)
    print("parent")
    """
    expect(run(CHILD + textwrap.dedent(program), device), "child\nparent")


def test_a_fork_with_work_in_flight(device: mps.Device) -> None:
    program = """
    running = busy(0.4)
    waiting = blur.submit(x)
    def work():
        for completion in (running, waiting):
            try:
                completion.wait(5)
                print("waited")
            except mps.DeviceError as error:
                assert "the work is the parent's" in str(error), error
        with mps.device("cpu"):
            assert blur(x).shape == x.shape
        print("child")
    child(work)
    running.wait()
    assert np.array_equal(waiting.result(), blur(x))
    print("parent")
    """
    expect(run(CHILD + textwrap.dedent(program), device), "child\nparent")


def test_multiprocessing(device: mps.Device) -> None:
    program = """
    import multiprocessing
    def work(i):
        with mps.device("cpu"):
            return float(blur(x + i).mean())
    blur(x)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert len(pool.map(work, range(8))) == 8
    print("done")
    """
    expect(run(program, device), "done")


def test_exit_with_work_in_flight(device: mps.Device) -> None:
    program = """
    out = mps.zeros((16, 16))
    running = busy(0.3)
    last = blur.submit(x, out=out)
    last.add_done_callback(lambda c: (sys.stdout.write(f"callback {out.any()}\\n"), sys.stdout.flush()))
    print("end", flush=True)
    """
    expect(run(program, device), "end\ncallback True")


@pytest.mark.parametrize(
    "how",
    [
        "sys.exit(3)",
        "raise SystemExit(3)",
        "os._exit(3)",
        "threading.Thread(target=time.sleep, args=(0.1,)).start(); sys.exit(3)",
    ],
)
def test_exit_in_many_ways(device: mps.Device, how: str) -> None:
    done = run(f"running = busy(0.2); blur.submit(x).add_done_callback(lambda c: None)\n{how}", device)
    assert (done.returncode, done.stderr) == (3, "")


def test_exit_while_daemon_threads_call(device: mps.Device) -> None:
    program = """
    def work():
        with DEVICE:
            while True:
                blur.submit(x).result()
                blur(x)
    for _ in range(3):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.2)
    print("end", flush=True)
    """
    for _ in range(3):
        expect(run(program, device), "end")


def test_an_error_at_exit_is_quiet(device: mps.Device) -> None:
    program = """
    import atexit
    image = mps.Image(x)
    seen = np.asarray(image)
    atexit.register(lambda: print(blur(seen).shape, flush=True))
    """
    expect(run(program, device), "(16, 16)")


def test_import_loads_little() -> None:
    """What makes an import slow; the time itself is in benchmarks/overhead.py."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import numpy, mpskit"], capture_output=True, text=True, check=True
    )
    loaded = set(re.findall(r"^import time:.*\|\s*(\S+)$", done.stderr, re.MULTILINE))
    assert "mpskit" in loaded
    assert (
        not {"PIL", "asyncio", "concurrent.futures", "torch", "mpskit.pipeline", "mpskit.io", "mpskit._await"} & loaded
    )


def test_import_makes_no_thread_and_no_device() -> None:
    program = "import mpskit, threading, os; print(threading.active_count(), len(os.listdir('/proc/self/task')) if os.path.exists('/proc/self/task') else 1)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.stdout.split() == ["1", "1"]
