"""Chains of kernels: order, errors, several at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import mpskit as mps
from mpskit import io
from mpskit.pipeline import Failure, parse
from tests.support.engine import Engine

CHAIN = "gaussian_blur(sigma=1.5) | gaussian_blur(sigma=0.5)"


def by_hand(x: np.ndarray) -> np.ndarray:
    return mps.image.GaussianBlur(sigma=0.5)(mps.image.GaussianBlur(sigma=1.5)(x))


def pictures(rng: np.random.Generator, count: int) -> list[np.ndarray]:
    return [rng.integers(0, 256, (30 + i, 40, 3), dtype=np.uint8) for i in range(count)]


def test_text_and_kernels_are_the_same() -> None:
    assert parse(CHAIN) == [mps.image.GaussianBlur(sigma=1.5), mps.image.GaussianBlur(sigma=0.5)]
    assert parse("sobel") == parse(" sobel() ") == parse("Sobel()") == [mps.image.Sobel()]
    for kernel in (mps.image.GaussianBlur(sigma=2, edge_mode="zero"), mps.image.LanczosScale(width=299, height=299)):
        assert parse(repr(kernel)) == [kernel], "a kernel prints as it is written"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "gausian_blur(sigma=2)",
            "there is no kernel 'gausian_blur'; allowed: .*gaussian_blur.*Did you mean 'gaussian_blur'",
        ),
        ("blur", "there is no kernel 'blur'; allowed"),
        ("statistics_mean_and_variance | Gauss()", "Did you mean 'gaussian_blur'"),
        (
            "gaussian_blur(2)",
            "'gaussian_blur\\(2\\)' is not a kernel; allowed: name\\(key=value\\), with keywords only\\. Write gaussian_blur\\(sigma=2\\)\\.",
        ),
        ("gaussian_blur(sigma=x)", "sigma=x is not a literal; allowed: numbers"),
        ("gaussian_blur(sigma={[]: 1})", "is not a literal"),
        ("gaussian_blur(**{})", r"holds \*\*"),
        ("gaussian_blur(sigma=2) +", "is not a chain of kernels"),
        ("gaussian_blur(sigma=2) |", "is not a chain of kernels"),
        ("", "is not a chain of kernels"),
        ("a\0b", "is not a chain of kernels"),
        ("(" * 1000, "is not a chain of kernels"),
        ("3 | 4", "'3' is not a kernel"),
        ("gaussian_blur(sigma=-2)", "GaussianBlur: sigma is -2"),
    ],
)
def test_bad_text(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_a_wrong_parameter_names_the_right_ones() -> None:
    with pytest.raises(TypeError, match=r"GaussianBlur: .*sigam.*sigma"):
        parse("gaussian_blur(sigam=2)")


def test_pipeline_refuses() -> None:
    with pytest.raises(TypeError, match="3 is a int; allowed: kernels such as"):
        mps.Pipeline([3])
    with pytest.raises(ValueError, match="threads is 0; allowed: an integer, 1 <= threads <= 1024"):
        mps.Pipeline([], threads=0)
    with pytest.raises(ValueError, match="there is no 'vulkan'"):
        mps.Pipeline([], device="vulkan")


def test_it_prints_as_it_is_written() -> None:
    pipeline = mps.Pipeline("gaussian_blur(sigma=2)", device="cpu", threads=3)
    assert repr(pipeline) == "Pipeline([GaussianBlur(sigma=2.0)], device='cpu', threads=3)"


def test_one_picture(engine: Engine, rng: np.random.Generator, tmp_path: Path) -> None:
    x = pictures(rng, 1)[0]
    pipeline = mps.Pipeline(CHAIN, device=engine.device)
    result = pipeline(x)
    assert isinstance(result, np.ndarray)
    assert np.array_equal(result, by_hand(x))
    image = pipeline(mps.Image(x))
    assert isinstance(image, mps.Image)
    assert np.array_equal(np.asarray(image), result)
    assert mps.Pipeline([])(x) is x
    io.save(tmp_path / "x.png", x)
    assert np.array_equal(pipeline(tmp_path / "x.png"), result)


@pytest.mark.threads
@pytest.mark.parametrize(("in_flight", "threads"), [(1, 2), (3, None), (16, 2), (4, 1)])
def test_map_keeps_the_order(
    engine: Engine, rng: np.random.Generator, tmp_path: Path, in_flight: int, threads: int | None
) -> None:
    items: list[object] = list(pictures(rng, 9))
    wanted = [by_hand(x) for x in items]  # type: ignore[arg-type]
    io.save(tmp_path / "x.png", items[4])  # type: ignore[arg-type]
    items[4] = tmp_path / "x.png"
    results = mps.Pipeline(CHAIN, device=engine.device, threads=threads).map(items, in_flight=in_flight)
    for x, y in zip(wanted, results, strict=True):
        assert np.array_equal(x, y)
    assert list(results) == [], "an iterator that ended stays so"


@pytest.mark.parametrize("in_flight", [1, 2, 5])
def test_map_reads_no_further_ahead(in_flight: int) -> None:
    taken: list[int] = []

    def items() -> Iterator[np.ndarray]:
        for i in range(10):
            taken.append(i)
            yield np.zeros((8, 8), np.uint8)

    with mps.Pipeline("gaussian_blur(sigma=1)").map(items(), in_flight=in_flight) as results:
        assert taken == []
        next(results)
        assert len(taken) == in_flight
    assert list(results) == []


def test_map_reports_a_bad_item_and_goes_on(rng: np.random.Generator) -> None:
    items: list[object] = [*pictures(rng, 2), 3, *pictures(rng, 2)]
    results = list(mps.Pipeline(CHAIN).map(items, on_error="return"))
    assert [isinstance(r, Failure) for r in results] == [False, False, True, False, False]
    assert results[2].index == 2
    assert results[2].item == 3
    assert isinstance(results[2].error, TypeError)
    with pytest.raises(TypeError, match="GaussianBlur: image is a int"):
        list(mps.Pipeline(CHAIN).map(items))


@pytest.mark.parametrize("on_error", ["raise", "return"])
def test_an_error_of_the_items_comes_in_its_place(rng: np.random.Generator, on_error: str) -> None:
    def items() -> Iterator[np.ndarray]:
        yield from pictures(rng, 3)
        raise LookupError("the camera went away")

    results = mps.Pipeline(CHAIN).map(items(), in_flight=8, on_error=on_error)  # type: ignore[arg-type]
    for _ in range(3):
        assert next(results).shape[2] == 3
    with pytest.raises(LookupError, match="the camera went away"):
        next(results)
    with pytest.raises(StopIteration):
        next(results)


@pytest.mark.parametrize(
    "arguments", [{"in_flight": 0}, {"in_flight": 1.5}, {"in_flight": True}, {"on_error": "ignore"}]
)
def test_map_refuses(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(arguments))} is {next(iter(arguments.values()))!r}; allowed"):
        mps.Pipeline(CHAIN).map([], **arguments)  # type: ignore[arg-type]


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
