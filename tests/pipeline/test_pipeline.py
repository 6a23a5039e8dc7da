"""Chains of kernels: order, errors, files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import mpskit as mps
from mpskit import io
from mpskit.pipeline import Failure, parse
from tests.support.engine import Engine

CHAIN = "gaussian_blur(sigma=1.5) | lanczos_scale(width=20, height=10)"


def by_hand(x: np.ndarray) -> np.ndarray:
    return mps.image.LanczosScale(width=20, height=10)(mps.image.GaussianBlur(sigma=1.5)(x))


def pictures(rng: np.random.Generator, count: int) -> list[np.ndarray]:
    return [rng.integers(0, 256, (30 + i, 40, 3), dtype=np.uint8) for i in range(count)]


def test_text_and_kernels_are_the_same() -> None:
    assert parse(CHAIN) == [mps.image.GaussianBlur(sigma=1.5), mps.image.LanczosScale(width=20, height=10)]
    assert parse("sobel") == parse(" sobel() ") == [mps.image.Sobel()]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gausian_blur(sigma=2)", "there is no kernel 'gausian_blur'.*Did you mean 'gaussian_blur'"),
        ("gaussian_blur(2)", "with keywords only"),
        ("gaussian_blur(sigma=x)", "sigma=x is not a literal"),
        ("gaussian_blur(**{})", r"holds \*\*"),
        ("gaussian_blur(sigma=2) +", "is not a chain of kernels"),
        ("__import__('os').system('true')", "is not a kernel"),
        ("gaussian_blur(sigma=-1)", "sigma is -1"),
    ],
)
def test_bad_text(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_one_picture(engine: Engine, rng: np.random.Generator) -> None:
    x = pictures(rng, 1)[0]
    result = mps.Pipeline(CHAIN, device=engine.device)(x)
    assert isinstance(result, np.ndarray)
    assert np.array_equal(result, by_hand(x))
    image = mps.Pipeline(CHAIN, device=engine.device)(mps.Image(x))
    assert isinstance(image, mps.Image)
    assert np.array_equal(np.asarray(image), result)


@pytest.mark.threads
@pytest.mark.parametrize("in_flight", [1, 3, 16])
def test_map_keeps_the_order(engine: Engine, rng: np.random.Generator, in_flight: int) -> None:
    items = pictures(rng, 9)
    results = list(mps.Pipeline(CHAIN, device=engine.device).map(items, in_flight=in_flight))
    assert len(results) == len(items)
    for x, y in zip(items, results, strict=True):
        assert np.array_equal(y, by_hand(x))


def test_map_reads_no_further_ahead() -> None:
    taken: list[int] = []

    def items() -> object:
        for i in range(10):
            taken.append(i)
            yield np.zeros((8, 8), np.uint8)

    results = mps.Pipeline("gaussian_blur(sigma=1)").map(items(), in_flight=2)  # type: ignore[arg-type]
    next(results)
    assert len(taken) <= 3
    results.close()  # type: ignore[attr-defined]


def test_map_reports_a_bad_item_and_goes_on(rng: np.random.Generator) -> None:
    items: list[object] = [*pictures(rng, 2), "no picture", *pictures(rng, 2)]
    results = list(mps.Pipeline(CHAIN).map(items, on_error="return"))
    assert [isinstance(r, Failure) for r in results] == [False, False, True, False, False]
    assert results[2].index == 2
    assert isinstance(results[2].error, TypeError)
    with pytest.raises(TypeError, match="GaussianBlur: image is a str"):
        list(mps.Pipeline(CHAIN).map(items))


@pytest.mark.parametrize("arguments", [{"in_flight": 0}, {"in_flight": 1.5}, {"on_error": "ignore"}])
def test_map_refuses(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        mps.Pipeline(CHAIN).map([], **arguments)  # type: ignore[arg-type]


def test_run(engine: Engine, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    seen: list[int] = []
    summary = mps.Pipeline("gaussian_blur(sigma=2)", device=engine.device).run(
        [photos], out, progress=lambda s: seen.append(s.done)
    )
    assert summary.done == 6
    assert seen == [1, 2, 3, 4, 5, 6]
    assert not summary.failed
    written = sorted(str(p.relative_to(out)) for p in out.rglob("*.*"))
    assert written == ["alpha.png", "colour.jpg", "deep/float.tif", "deep/picture.webp", "deep/sixteen.png", "gray.jpg"]
    source = io.load(photos / "deep" / "sixteen.png").array
    assert np.array_equal(io.load(out / "deep" / "sixteen.png").array, mps.image.GaussianBlur(sigma=2)(source))


def test_run_reports_broken_files(photos: Path, tmp_path: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    summary = mps.Pipeline("sobel").run([photos], tmp_path / "out")
    assert summary.done == 6
    assert [Path(name).name for name, _ in summary.failed] == ["broken.jpg"]
    with pytest.raises(ValueError, match=r"broken\.jpg cannot be decoded"):
        mps.Pipeline("sobel").run([photos], tmp_path / "strict", strict=True)


def test_run_overwrites_nothing(photos: Path, tmp_path: Path) -> None:
    pipeline = mps.Pipeline("sobel")
    pipeline.run([photos / "gray.jpg"], tmp_path / "out")
    with pytest.raises(FileExistsError, match="nothing is overwritten"):
        pipeline.run([photos / "gray.jpg"], tmp_path / "out")
    assert pipeline.run([photos / "gray.jpg"], tmp_path / "out", force=True).done == 1
    with pytest.raises(ValueError, match="would both become"):
        pipeline.run([photos / "gray.jpg", photos / "gray.jpg"], tmp_path / "twice")
    with pytest.raises(ValueError, match="would be replaced by its own result"):
        pipeline.run([photos / "gray.jpg"], photos, force=True)


def command(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mpskit", *arguments], capture_output=True, text=True, timeout=120, **options
    )  # type: ignore[call-overload]


@pytest.mark.process
def test_command_run(photos: Path, tmp_path: Path) -> None:
    done = command("run", CHAIN, str(photos), "--out", str(tmp_path / "a"), "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["images"] == 6
    assert summary["failed"] == []
    assert summary["images_per_second"] > 0

    (photos / "broken.png").write_bytes(b"nothing")
    done = command("run", "sobel", str(photos), "--out", str(tmp_path / "b"))
    assert done.returncode == 1
    assert "broken.png" in done.stderr
    assert "1 skipped" in done.stdout
    done = command("run", "sobell", str(photos), "--out", str(tmp_path / "c"))
    assert done.returncode == 2
    assert "Did you mean 'sobel'?" in done.stderr
    done = command("run", "sobel", str(photos), "--out", str(tmp_path / "d"), "--device", "vulkan")
    assert done.returncode == 2
    assert "there is no 'vulkan'" in done.stderr


@pytest.mark.process
def test_ctrl_c_leaves_no_half_written_file(tmp_path: Path, rng: np.random.Generator) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for i in range(60):
        io.save(photos / f"{i:02}.png", rng.integers(0, 256, (400, 600, 3), dtype=np.uint8))
    process = subprocess.Popen(
        [sys.executable, "-m", "mpskit", "run", "gaussian_blur(sigma=20)", str(photos), "--out", str(out), "--quiet"],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (out.exists() and any(out.iterdir())):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    written = list(out.iterdir())
    assert 0 < len(written) < 60, "it was stopped too late or too early to tell"
    assert all(p.suffix == ".png" and not p.name.startswith(".") for p in written)
    for path in written:
        assert io.load(path).array.shape == (400, 600, 3)


@pytest.mark.process
def test_command_info() -> None:
    done = command("info")
    assert done.returncode == 0, done.stderr
    assert "cpu: " in done.stdout
    facts = json.loads(command("info", "--json").stdout)
    assert facts["devices"]
    assert facts["isa"] in facts["isas"]
    for name in ("metal",):
        assert name in facts["missing"] or name in [d["name"] for d in facts["devices"]]


@pytest.mark.process
def test_command_demo(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    done = command("demo", "--out", str(sheet), "--pictures", str(tmp_path / "photos"))
    assert done.returncode == 0, done.stderr
    picture = io.load(sheet).array
    assert picture.ndim == 3
    assert picture.std() > 20
    assert len(list((tmp_path / "photos").glob("*.jpg"))) == 10
    for word in ("GaussianBlur", "MatrixMultiplication", "graph", "LSTM"):
        assert word in done.stdout


@pytest.mark.soak
def test_memory_is_flat_over_many_pictures(rng: np.random.Generator) -> None:
    pipeline = mps.Pipeline(CHAIN)
    items = pictures(rng, 8)

    def pages() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1])

    if not Path("/proc/self/statm").exists():
        pytest.skip("needs /proc to read the resident size")
    for x in items * 50:
        pipeline(x)
    before = pages()
    for x in items * 1000:
        pipeline(x)
    assert (pages() - before) * os.sysconf("SC_PAGESIZE") < 2 << 20


@pytest.mark.threads
def test_many_pipelines_at_once(rng: np.random.Generator) -> None:
    x = pictures(rng, 1)[0]
    wanted = by_hand(x)
    same: list[bool] = []

    def work() -> None:
        same.extend(np.array_equal(y, wanted) for y in mps.Pipeline(CHAIN, threads=2).map([x] * 6))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(same) == 18
    assert all(same)
