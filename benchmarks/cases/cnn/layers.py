"""Network layers, images channels last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mpskit as mps

from ...harness.case import Case, Wanted
from ...peers import torch_
from ...peers.onnx_runtime import contenders

# name, batch, height, width, channels in, channels out, kernel, stride, groups
CONVOLUTIONS = (
    ("3x3 64 to 64, 56x56, batch 8", 8, 56, 56, 64, 64, 3, 1, 1),
    ("3x3 128 to 128, 28x28, batch 1", 1, 28, 28, 128, 128, 3, 1, 1),
    ("1x1 256 to 64, 56x56, batch 1", 1, 56, 56, 256, 64, 1, 1, 1),
    ("7x7/2 3 to 64, 224x224, batch 1", 1, 224, 224, 3, 64, 7, 2, 1),
    ("depthwise 3x3, 128 channels, 56x56", 1, 56, 56, 128, 128, 3, 1, 128),
)


def _array(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    out = mps.empty(shape, "float32")
    out[...] = rng.uniform(-1, 1, shape)
    return out


def _nhwc(y: Any) -> NDArray[Any]:
    return np.asarray(y).transpose(0, 2, 3, 1)


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    yield from _convolutions(threads, wanted)
    yield from _poolings(threads, wanted)
    yield from _softmaxes(threads, wanted)


def _convolutions(threads: int, wanted: Wanted) -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for text, n, h, w, ci, co, k, s, groups in CONVOLUTIONS:
        name = f"convolution {text}"
        if not wanted(name):
            continue
        x, weights, bias = _array(rng, n, h, w, ci), _array(rng, co, k, k, ci // groups), _array(rng, co)
        weights /= np.sqrt(k * k * ci / groups)
        pad = k // 2
        layer = mps.cnn.Convolution(
            weights=weights,
            bias=bias,
            stride=s,
            groups=groups,
            neuron=mps.cnn.NeuronDescriptor("relu"),
            padding=((pad, pad), (pad, pad)),
        )
        oh, ow = (h + 2 * pad - k) // s + 1, (w + 2 * pad - k) // s + 1
        out = mps.empty((n, oh, ow, co), "float32")
        case = Case(
            name,
            "cnn",
            lambda a=(x, weights, bias, s, pad, groups): _convolution(*a),
            1e-4,
            float(x.nbytes + weights.nbytes + out.nbytes),
            2.0 * out.size * k * k * ci / groups,
        )
        case.ours(lambda layer=layer, x=x, out=out: layer(x, out=out)).add(
            torch_.convolution(x, weights, bias, s, pad, groups, threads),
            *contenders(
                "Conv",
                {"x": np.ascontiguousarray(x.transpose(0, 3, 1, 2))},
                {"w": weights.transpose(0, 3, 1, 2), "b": bias},
                _nhwc,
                threads,
                relu=True,
                kernel_shape=[k, k],
                strides=[s, s],
                pads=[pad] * 4,
                group=groups,
            ),
        )
        yield case


def _poolings(threads: int, wanted: Wanted) -> Iterator[Case]:
    name = "max pooling 3x3/2, 112x112x64"
    if not wanted(name):
        return
    x = _array(np.random.default_rng(0), 1, 112, 112, 64)
    pool = mps.cnn.PoolingMax(kernel_width=3, kernel_height=3, stride=2, edge_mode="clamp", padding=((1, 1), (1, 1)))
    out = mps.empty((1, 56, 56, 64), "float32")
    case = Case(name, "cnn", lambda: _max_pool(x), 0.0, float(x.nbytes + out.nbytes))
    case.ours(lambda: pool(x, out=out)).add(
        torch_.max_pool(x, 3, 2, 1, threads),
        *contenders(
            "MaxPool",
            {"x": np.ascontiguousarray(x.transpose(0, 3, 1, 2))},
            {},
            _nhwc,
            threads,
            kernel_shape=[3, 3],
            strides=[2, 2],
            pads=[1] * 4,
        ),
    )
    yield case


def _softmaxes(threads: int, wanted: Wanted) -> Iterator[Case]:
    for batch in (64, 4096):
        name = f"softmax {batch} x 1000"
        if not wanted(name):
            continue
        rows = _array(np.random.default_rng(0), batch, 1, 1, 1000)
        out = mps.empty(rows.shape, "float32")
        softmax = mps.cnn.SoftMax()
        flat = rows.reshape(batch, 1000)
        case = Case(name, "cnn", lambda rows=rows: _softmax(rows.astype(np.float64)), 1e-6, 2.0 * rows.nbytes)
        case.ours(lambda softmax=softmax, rows=rows, out=out: softmax(rows, out=out)).add(
            torch_.softmax(flat, threads), *contenders("Softmax", {"x": flat}, {}, np.asarray, threads, axis=1)
        )
        yield case


def _convolution(x: Any, w: Any, b: Any, stride: int, pad: int, groups: int) -> NDArray[np.float64]:
    n, h, width, _ = x.shape
    o, k, _, per = w.shape
    p = np.pad(x.astype(np.float64), ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    oh, ow = (h + 2 * pad - k) // stride + 1, (width + 2 * pad - k) // stride + 1
    y = np.zeros((n, oh, ow, o)) + b
    for i in range(k):
        for j in range(k):
            window = p[:, i : i + oh * stride : stride, j : j + ow * stride : stride].reshape(n, oh, ow, groups, per)
            y += np.einsum(
                "nhwgi,goi->nhwgo",
                window,
                w[:, i, j].reshape(groups, o // groups, per).astype(np.float64),
                optimize=True,
            ).reshape(n, oh, ow, o)
    return np.maximum(y, 0)


def _max_pool(x: Any) -> NDArray[np.float64]:
    p = np.pad(x.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    n = (x.shape[1] + 2 - 3) // 2 + 1
    return np.max([p[:, i : i + 2 * n : 2, j : j + 2 * n : 2][:, :n, :n] for i in range(3) for j in range(3)], axis=0)


def _softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)
