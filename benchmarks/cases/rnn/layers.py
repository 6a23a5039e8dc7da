"""Recurrent layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mpskit as mps

from ...harness.case import Case, Wanted
from ...peers import torch_
from ...peers.onnx_runtime import contenders

GATES = ("input", "forget", "cell", "output")  # PyTorch's order: i, f, g, o


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for steps, batch, size, least in ((64, 1, 512, 64), (64, 16, 512, 64), (32, 64, 256, 32), (100, 64, 256, 10)):
        name = f"LSTM {size}, {steps if least == steps else f'{least} to {steps}'} steps, batch {batch}"
        if not wanted(name):
            continue
        x = mps.empty((steps, batch, size), "float32")
        x[...] = rng.uniform(-1, 1, x.shape)
        w, r = ([rng.uniform(-1, 1, (size, size)).astype(np.float32) / size**0.5 for _ in GATES] for _ in range(2))
        b = [rng.uniform(-1, 1, size).astype(np.float32) for _ in GATES]
        sources: dict[str, Any] = {}
        for i, gate in enumerate(GATES):
            neuron = (
                mps.cnn.NeuronDescriptor("tanh", a=1, b=1) if gate == "cell" else mps.cnn.NeuronDescriptor("sigmoid")
            )
            sources[f"{gate}_gate_input_weights"] = mps.cnn.ArrayDataSource(w[i], bias=b[i], neuron=neuron)
            sources[f"{gate}_gate_recurrent_weights"] = mps.cnn.ArrayDataSource(r[i])
        layer = mps.rnn.MatrixInferenceLayer(
            mps.rnn.LSTMDescriptor(input_feature_channels=size, output_feature_channels=size, **sources)
        )
        lengths = None if least == steps else rng.permutation(np.linspace(least, steps, batch).astype(np.int64))
        rows = steps * batch if lengths is None else int(lengths.sum())
        out = mps.empty((steps, batch, size), "float32")
        weights = 8.0 * size * size * 4
        case = Case(
            name,
            "rnn",
            lambda a=(x, w, r, b, lengths): _lstm(*a),
            1e-4,
            weights * (1 if batch > 1 else steps / 2) + rows * 2.0 * size * 4,
            2.0 * 8 * size * size * rows,
        )
        case.ours(lambda layer=layer, x=x, out=out, n=lengths: layer(x, out=out, sequence_lengths=n))
        case.add(torch_.lstm(x, w, r, b, threads, lengths))
        order = (0, 3, 1, 2)  # ONNX: i, o, f, c
        case.add(
            *contenders(
                "LSTM",
                {"x": x},
                {
                    "w": np.concatenate([w[k] for k in order])[None],
                    "r": np.concatenate([r[k] for k in order])[None],
                    "b": np.concatenate([b[k] for k in order] + [np.zeros(4 * size, np.float32)])[None],
                    **({} if lengths is None else {"lengths": lengths.astype(np.int32)}),
                },
                lambda y: np.asarray(y)[:, 0],
                threads,
                hidden_size=size,
            )
        )
        yield case


def _lstm(x: Any, w: Any, r: Any, b: Any, lengths: Any) -> NDArray[np.float64]:
    def sigmoid(v: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1 / (1 + np.exp(-v))

    h = c = np.zeros((x.shape[1], r[0].shape[0]))
    out = []
    for step in x.astype(np.float64):
        i, f, g, o = (step @ w[k].T.astype(np.float64) + h @ r[k].T.astype(np.float64) + b[k] for k in range(4))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    result = np.stack(out)
    for k, n in enumerate(() if lengths is None else lengths):
        result[n:, k] = 0
    return result
