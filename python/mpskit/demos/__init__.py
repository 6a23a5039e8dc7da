"""`mpskit demo`: work of every family on pictures drawn by code, and a contact sheet to look at."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .. import _core, cnn, graph, image, io, linalg, rnn
from . import sheet
from .drawing import PICTURES, draw

__all__ = ["run", "write_pictures"]

CELL_WIDTH, CELL_HEIGHT = 480, 270
Picture = NDArray[np.uint8]


def write_pictures(folder: str | os.PathLike[str], count: int = 10) -> list[Path]:
    """Draw `count` JPEG pictures of 1920 x 1080 into a folder; existing ones stay."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    names = list(PICTURES)

    def write(i: int) -> Path:
        path = target / f"{names[i % len(names)]}_{i // len(names)}.jpg"
        if not path.exists():
            io.save(path, draw(names[i % len(names)], seed=i // len(names)))
        return path

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(write, range(count)))


def run(
    out: str | os.PathLike[str],
    device: str | None = None,
    pictures: str | os.PathLike[str] | None = None,
    *,
    quick: bool = False,
    force: bool = False,
) -> int:
    """Run the demo; returns the exit code of the command.

    Parameters
    ----------
    out : str or path
        The contact sheet; the suffix chooses the format.
    device : str, optional
        Where to run; the default device when omitted.
    pictures : str or path, optional
        A folder for ten of the drawn pictures as JPEG files, to try `mpskit run` on.
    quick : bool
        A sixteenth of the pixels, and less of the rest: for a slow device. The speeds say little then.
    force : bool
        Replace the contact sheet when it exists.
    """
    io.require_pillow()
    where = _core.device(device) if device is not None else _core.default_device()
    sheet.refuse_target("demo", out, force)
    if pictures is not None:
        print(f"{len(write_pictures(pictures))} pictures in {Path(pictures)}")
    print(f"device: {where}: {where.description}")
    height, width = (CELL_HEIGHT, CELL_WIDTH) if quick else (4 * CELL_HEIGHT, 4 * CELL_WIDTH)
    scenes = {name: draw(name, height, width) for name in ("spheres", "skyline", "zone_plate")}
    with where:
        cells = [*_images(scenes), *_networks(scenes)]
        _matrices(128 if quick else 1024)
        _sequences(*((8, 4, 32) if quick else (64, 16, 256)))
        pixels = _sheet(cells)
    io.save(out, pixels, force=force)
    print(f"contact sheet: {Path(out)}")
    return 0


def _timed(what: str, work: Callable[[], Any], rate: Callable[[float], str] = lambda seconds: "") -> Any:
    """Run twice, print the second time: the first one prepares plans and touches fresh memory."""
    work()
    begin = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - begin
    print(f"  {what:<58}{seconds * 1e3:9.2f} ms  {rate(seconds)}")
    return result


def _megapixels(picture: NDArray[Any]) -> Callable[[float], str]:
    return lambda seconds: f"{picture.shape[0] * picture.shape[1] / seconds / 1e6:8.0f} Mpixel/s"


def _images(scenes: dict[str, Picture]) -> list[tuple[str, Picture]]:
    scene, city, rings = scenes["spheres"], scenes["skyline"], scenes["zone_plate"]
    height, width, _ = scene.shape
    # A quarter of the size: what takes every fourth pixel sees rings that are not there.
    quarter = image.LanczosScale(width=width // 4, height=height // 4)
    size = f"{width}x{height} RGB"
    blurred = _timed(f"GaussianBlur(sigma=8), {size}", lambda: image.GaussianBlur(sigma=8)(scene), _megapixels(scene))
    edges = _timed(f"Sobel(), {size} to gray", lambda: image.Sobel()(city, channels=1), _megapixels(city))
    small = _timed(f"LanczosScale({width // 4}x{height // 4}), {size}", lambda: quarter(rings), _megapixels(rings))
    statistics = _timed(
        f"StatisticsMeanAndVariance(), {size}", lambda: image.StatisticsMeanAndVariance()(scene), _megapixels(scene)
    )
    mean, variance = np.asarray(statistics).reshape(2, -1)
    print(f"    spheres: mean {np.round(mean, 3)}, variance {np.round(variance, 4)}")
    return [
        ("spheres, drawn", scene),
        ("GaussianBlur(sigma=8)", blurred),
        ("skyline, drawn", city),
        ("Sobel(), to gray", edges),
        ("zone plate, every fourth pixel of every fourth row", rings[::4, ::4]),
        (f"zone plate, LanczosScale(width={width // 4}, height={height // 4})", small),
    ]


def _matrices(n: int) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((n, n), dtype=np.float32) for _ in range(2))
    c = _timed(
        f"MatrixMultiplication(), {n}x{n} float32",
        lambda: linalg.MatrixMultiplication()(a, b),
        lambda s: f"{2 * n**3 / s / 1e9:8.0f} GFLOP/s",
    )
    error = float(np.abs(c - a.astype(np.float64) @ b).max())
    print(f"    largest error against float64: {error:.1e}")


def _networks(scenes: dict[str, Picture]) -> list[tuple[str, Picture]]:
    """A convolution network without training: oriented edge filters, rectified, pooled; softmax tells the strongest orientation."""
    orientations = 8
    angles = np.arange(orientations) * np.pi / orientations
    y, x = np.mgrid[-3:4, -3:4] / 2.0
    filters = np.stack([np.exp(-(x**2 + y**2) / 2) * np.sin(3 * (x * np.cos(t) + y * np.sin(t))) for t in angles])
    weights = np.repeat((filters / np.abs(filters).sum((1, 2), keepdims=True))[..., None], 3, axis=-1)
    source = graph.ImageNode()
    convolution = graph.ConvolutionNode(
        source, weights=cnn.ArrayDataSource(20 * weights.astype(np.float32), neuron=cnn.NeuronDescriptor("relu"))
    )
    pooled = graph.PoolingMaxNode(convolution.result_image, filter_size=4, stride=4)
    network = graph.Graph(graph.SoftMaxNode(pooled.result_image).result_image)

    def coloured(scores: Any) -> Picture:
        p = np.asarray(scores, np.float32)
        hue = p.argmax(-1)[..., None] / orientations * 2 * np.pi + np.array([0, 2, 4]) * np.pi / 3
        confidence = (p.max(-1) - 1 / orientations) / (1 - 1 / orientations)
        colours = (0.5 + 0.5 * np.cos(hue)) * np.minimum(2 * confidence, 1)[..., None]
        return np.asarray(np.rint(255 * colours), np.uint8)

    rings, city = scenes["zone_plate"], scenes["skyline"]
    height, width, _ = rings.shape
    what = f"graph: 7x7 convolution, ReLU, pooling, softmax, {width}x{height}"
    scores = _timed(what, lambda: network(rings), _megapixels(rings))
    return [
        ("graph: strongest of 8 orientations, zone plate", coloured(scores)),
        ("graph: strongest of 8 orientations, skyline", coloured(network(city))),
    ]


def _sequences(steps: int, batch: int, features: int) -> None:
    rng = np.random.default_rng(1)

    def gate(neuron: Literal["tanh", "sigmoid"]) -> dict[str, Any]:
        weights = rng.standard_normal((features, features), dtype=np.float32) / features**0.5
        recurrent = rng.standard_normal((features, features), dtype=np.float32) / features**0.5
        return {
            "input": cnn.ArrayDataSource(
                weights, bias=np.zeros(features, np.float32), neuron=cnn.NeuronDescriptor(neuron)
            ),
            "recurrent": cnn.ArrayDataSource(recurrent),
        }

    gates = {name: gate("tanh" if name == "cell" else "sigmoid") for name in ("input", "forget", "cell", "output")}
    descriptor = rnn.LSTMDescriptor(
        input_feature_channels=features,
        output_feature_channels=features,
        **{
            f"{name}_gate_{kind}_weights": source for name, sources in gates.items() for kind, source in sources.items()
        },
    )
    layer = rnn.MatrixInferenceLayer(descriptor)
    x = rng.standard_normal((steps, batch, features), dtype=np.float32)
    _timed(
        f"LSTM, {steps} steps, batch {batch}, {features} features",
        lambda: layer(x),
        lambda s: f"{steps * batch / s:8.0f} steps/s",
    )


def _sheet(cells: list[tuple[str, Picture]]) -> Picture:
    shrink = image.LanczosScale(width=CELL_WIDTH, height=CELL_HEIGHT)

    def small(picture: Picture) -> Picture:
        fits = picture.shape[:2] == (CELL_HEIGHT, CELL_WIDTH)
        return sheet.fitted(picture if fits else shrink(picture), CELL_WIDTH, CELL_HEIGHT)

    return sheet.contact_sheet([sheet.Cell(caption, [small(picture)]) for caption, picture in cells], columns=2)
