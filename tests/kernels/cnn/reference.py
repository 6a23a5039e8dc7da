"""Windows, convolution, pooling, softmax and neurons in float64, written from the definitions. Images are [n, y, x, c]; pairs are
(vertical, horizontal)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Pair = tuple[int, int]
REMAINDERS = {"top_left": (1, 1), "top_right": (1, 0), "bottom_left": (0, 1), "bottom_right": (0, 0)}


def fetch(x: Array, rows: Array, columns: Array, edge_mode: str) -> Array:
    """x at these rows and columns, zeros or the nearest pixel beyond the border."""
    height, width = x.shape[1:3]
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))[None, :]
    near = x[:, np.clip(rows, 0, height - 1)[:, None], np.clip(columns, 0, width - 1)[None, :]]
    return near if edge_mode == "clamp" else np.where(inside[None, :, :, None], near, 0.0)


def extent(taps: int, dilation: int = 1) -> int:
    return (taps - 1) * dilation + 1


def axis(source: int, window: int, stride: int, style: str, remainder: int) -> tuple[int, int]:
    """Size of the result and centre of its first window, for a padding policy."""
    surplus = {"valid": -1, "same": 0, "full": 1}[style] * (window - 1)
    size = math.ceil((source + surplus) / stride)
    extra = (size - 1) * stride + window - source
    return size, window // 2 - int((extra + remainder) / 2)  # int() rounds toward zero, as C does


def placement(hw: Pair, window: Pair, stride: Pair, padding: Any, remainder: str = "top_left") -> tuple[Pair, Pair]:
    """((rows, columns) of the result, (y, x) of the centre of its first window)."""
    if isinstance(padding, str):
        found = [axis(hw[a], window[a], stride[a], padding, REMAINDERS[remainder][a]) for a in range(2)]
    else:
        pads = [
            (p, p) if isinstance(p, int) else p for p in ((padding, padding) if isinstance(padding, int) else padding)
        ]
        found = [((hw[a] + sum(pads[a]) - window[a]) // stride[a] + 1, window[a] // 2 - pads[a][0]) for a in range(2)]
    return (found[0][0], found[1][0]), (found[0][1], found[1][1])


def taps_of(x: Array, size: Pair, centre: Pair, taps: Pair, stride: Pair, dilation: Pair, edge_mode: str) -> Any:
    """(tap row, tap column, the pixels under it for every result)."""
    first = [centre[a] - extent(taps[a], dilation[a]) // 2 for a in range(2)]
    for i in range(taps[0]):
        for j in range(taps[1]):
            rows = first[0] + dilation[0] * i + stride[0] * np.arange(size[0])
            columns = first[1] + dilation[1] * j + stride[1] * np.arange(size[1])
            yield i, j, fetch(x, rows, columns, edge_mode)


def convolution(
    x: Array, w: Array, bias: Array | None, size: Pair, centre: Pair, stride: Pair = (1, 1), dilation: Pair = (1, 1),
    groups: int = 1, edge_mode: str = "zero",
) -> tuple[Array, Array]:  # fmt: skip
    """Weights [o][ky][kx][i / groups]. The sums, and the sums of the magnitudes of their terms."""
    x, w = x.astype(np.float64), w.astype(np.float64)
    outputs, inputs = w.shape[0] // groups, w.shape[3]
    start = np.zeros(w.shape[0]) if bias is None else bias.astype(np.float64)
    sums = np.zeros((x.shape[0], *size, w.shape[0])) + start
    magnitudes = np.zeros_like(sums) + np.abs(start)
    for i, j, v in taps_of(x, size, centre, (w.shape[1], w.shape[2]), stride, dilation, edge_mode):
        for g in range(groups):
            o, c = slice(g * outputs, (g + 1) * outputs), slice(g * inputs, (g + 1) * inputs)
            sums[..., o] += v[..., c] @ w[o, i, j].T
            magnitudes[..., o] += np.abs(v[..., c]) @ np.abs(w[o, i, j].T)
    return sums, magnitudes


def pooling_max(x: Array, size: Pair, centre: Pair, taps: Pair, stride: Pair, edge_mode: str) -> Array:
    return np.max(
        [v for _, _, v in taps_of(x.astype(np.float64), size, centre, taps, stride, (1, 1), edge_mode)], axis=0
    )


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def neuron(x: Array, kind: str, a: float = 0, b: float = 0, c: float = 0, data: Any = None) -> Array:
    match kind:
        case "none":
            return x
        case "relu":
            return np.where(x >= 0, x, a * x)
        case "linear":
            return a * x + b
        case "sigmoid":
            return 0.5 + 0.5 * np.tanh(x / 2)
        case "hard_sigmoid":
            return np.clip(a * x + b, 0, 1)
        case "tanh":
            return a * np.tanh(b * x)
        case "absolute":
            return np.abs(x)
        case "softplus":
            return a * np.logaddexp(0, b * x)
        case "softsign":
            return x / (1 + np.abs(x))
        case "elu":
            return np.where(x >= 0, x, a * np.expm1(np.minimum(x, 0)))
        case "prelu":
            return np.where(x >= 0, x, np.asarray(data, np.float64) * x)
        case "relun":
            return np.minimum(np.where(x >= 0, x, a * x), b)
        case "power":
            return (a * x + b) ** c
        case "exponential":
            return np.exp(a * x + b) if c == -1 else float(c) ** (a * x + b)
        case "logarithm":
            return np.log(a * x + b) / (1 if c == -1 else math.log(c))
        case "gelu":
            return np.vectorize(lambda v: v * (1 + math.erf(v / math.sqrt(2))) / 2, otypes=[float])(x)
    raise AssertionError(kind)
