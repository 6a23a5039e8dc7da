"""Memory is flat however many calls there are."""

from __future__ import annotations

import gc
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mpskit as mps

pytestmark = pytest.mark.process


def resident_bytes() -> int:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # elsewhere the peak: it may not grow either
    return peak if sys.platform == "darwin" else peak * 1024


def uses(device: mps.Device) -> dict[str, Callable[[], Any]]:
    blur = mps.image.GaussianBlur(sigma=1)
    x = np.zeros((8, 8), np.float32)
    image, out = mps.Image(x), np.zeros((8, 8), np.float32)
    strided = np.zeros((8, 16), np.float32)[:, ::2]

    def encode() -> None:
        with device.command_buffer(label="a label") as cb:
            blur.encode(cb, blur.encode(cb, x), temporary=False)

    def temporaries() -> None:
        with device.command_buffer() as cb:
            between = cb.temporary_image(width=8, height=8, channel_format="float32")
            blur.encode(cb, x, out=between)
            blur.encode(cb, between, out=out)

    source = mps.graph.ImageNode()
    weights = mps.cnn.ArrayDataSource(np.ones((2, 1, 1, 3), np.float32))
    network = mps.graph.Graph(mps.graph.SoftMaxNode(mps.graph.ConvolutionNode(source, weights=weights)))
    pixels, scores = np.zeros((2, 2, 3), np.float32), np.zeros((2, 2, 2), np.float32)

    def gate() -> mps.cnn.ArrayDataSource:
        return mps.cnn.ArrayDataSource(np.ones((2, 2), np.float32))

    layer = mps.rnn.MatrixInferenceLayer(
        mps.rnn.SingleGateDescriptor(
            input_feature_channels=2, output_feature_channels=2, input_weights=gate(), recurrent_weights=gate()
        )
    )
    sequence = np.zeros((2, 1, 2), np.float32)

    def encode_network() -> None:
        with device.command_buffer() as cb:
            network.encode(cb, pixels, out=scores)

    def refuse() -> None:
        with pytest.raises(ValueError, match="overlaps"):
            blur(x, out=x)
        with pytest.raises(TypeError, match="unknown keyword"):
            blur(x, otu=x)

    count = iter(range(10**9))

    def forget() -> None:
        completion = blur.submit(x)
        if next(count) % 50 == 0:
            completion.wait()  # else the backlog grows, which is no leak

    def callback() -> None:
        completion = blur.submit(x)
        completion.add_done_callback(lambda c: c.result())
        completion.wait()

    def discard() -> None:
        blur.encode(device.command_buffer(), x)

    return {
        "call": lambda: blur(x),
        "call of an Image": lambda: blur(image),
        "out": lambda: blur(x, out=out),
        "copied input": lambda: blur(strided),
        "submit": lambda: blur.submit(x).result(),
        "submit and forget": forget,
        "callback": callback,
        "encode": encode,
        "temporaries": temporaries,
        "matrices": lambda: mps.linalg.MatrixMultiplication()(x, x),
        "network": lambda: network(pixels),
        "encode a network": encode_network,
        "recurrent layer": lambda: layer(sequence, return_state=True),
        "discard": discard,
        "error": refuse,
        "construct": lambda: mps.image.GaussianBlur(sigma=2).replace(sigma=3),
        "data": lambda: (
            np.asarray(mps.Image(x)),
            np.from_dlpack(mps.Matrix(x, device="cpu")),
            memoryview(mps.Vector(x)),
        ),
        "empty": lambda: (mps.empty((8, 8)), mps.Image.zeros(width=8, height=8)),
        "device": lambda: mps.device(device.name).__enter__().__exit__(None, None, None),
    }


NAMES = list(uses(mps.default_device()))


def growth(use: Callable[[], Any], calls: int) -> int:
    for _ in range(calls // 5):
        use()
    mps._core._drain()
    gc.collect()
    before = resident_bytes()
    for _ in range(calls):
        use()
    mps._core._drain()
    gc.collect()
    return resident_bytes() - before


@pytest.mark.parametrize("name", NAMES)
def test_memory_is_flat(device: mps.Device, name: str) -> None:
    use = uses(device)[name]
    objects = len(gc.get_objects())
    # The allocator may take a step once; a leak takes one every time.
    grown = [growth(use, 1000) for _ in range(2)]
    assert min(grown) < 512 * 1024, grown
    gc.collect()
    assert len(gc.get_objects()) < objects + 500


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_memory_is_flat_over_100_000_calls(device: mps.Device, name: str) -> None:
    assert growth(uses(device)[name], 100_000) < 2 << 20
