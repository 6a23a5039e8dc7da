"""Layers of the reference as those of mpskit, made of random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.rnn.reference import Array, Layer, Source, State
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine

Rng = np.random.Generator
Inference = mps.rnn.MatrixInferenceLayer
GATES = {
    "single": {"": ""},
    "gru": {"z": "input_gate_", "r": "recurrent_gate_", "h": "output_gate_"},
    "lstm": {"i": "input_gate_", "f": "forget_gate_", "c": "cell_gate_", "o": "output_gate_"},
}
CLASSES = {"single": mps.rnn.SingleGateDescriptor, "gru": mps.rnn.GRUDescriptor, "lstm": mps.rnn.LSTMDescriptor}
NEURON_OF = {"c": ("tanh",), "h": ("tanh",), "": ("tanh",)}


def layer(kind: str, inputs: int, outputs: int, rng: Rng, memory: str = "", **options: Any) -> Layer:
    """A cell with all its weights; `memory` is "full" or "diagonal" for an LSTM, "both" or "gate" for a GRU."""

    def matrix(columns: int) -> Array:
        return rng.uniform(-1, 1, (outputs, columns)).astype(np.float32) / np.float32(columns**0.5)

    sources = {}
    for k in GATES[kind]:
        bias = rng.uniform(-1, 1, outputs).astype(np.float32)
        sources["W" + k] = Source(matrix(inputs), bias, NEURON_OF.get(k, ("sigmoid",)))
        sources["U" + k] = Source(matrix(outputs))
        if kind == "lstm" and memory:
            diagonal = rng.uniform(-1, 1, outputs).astype(np.float32)
            sources["V" + k] = Source(diagonal if memory == "diagonal" else matrix(outputs))
    if kind == "gru" and memory:
        sources["Vh"] = Source(matrix(outputs))
        if memory == "gate":
            del sources["Uh"]
    return Layer(kind, inputs, outputs, sources, **options)


def source_of(s: Source) -> Any:
    name, *numbers = s.neuron
    if name == "prelu":
        neuron = mps.cnn.NeuronDescriptor("prelu", data=numbers[0])
    else:
        neuron = mps.cnn.NeuronDescriptor(name, **dict(zip("abc", numbers, strict=False)))
    weights = s.weights[:, None] if s.weights.ndim == 1 else s.weights
    return mps.cnn.ArrayDataSource(weights, bias=s.bias, neuron=neuron)


def descriptor(d: Layer, **options: Any) -> Any:
    words = {"W": "input_weights", "U": "recurrent_weights", "V": "memory_weights"}
    given: dict[str, Any] = {}
    for name, source in d.sources.items():
        prefix, field = GATES[d.kind][name[1:]], words[name[0]]
        if d.kind == "gru" and name == "Vh":
            field = "input_gate_weights"
        given[prefix + field] = source_of(source)
        if name[0] == "V" and source.weights.ndim == 1:
            given["memory_weights_are_diagonal"] = True
    if d.kind == "gru":
        given.update(gate_pnorm_value=d.p, flip_output_gates=d.flip)
    if d.kind == "lstm":
        given["cell_to_output_neuron_type"] = d.out_neuron[0]
        for letter, number in zip("abc", d.out_neuron[1:], strict=False):
            given[f"cell_to_output_neuron_param_{letter}"] = number
    return CLASSES[d.kind](
        d.inputs, d.outputs, use_layer_input_unit_transform_mode=d.unit,
        layer_sequence_direction="backward" if d.backward else "forward", **given, **options,
    )  # fmt: skip


def inference(*layers: Layer, **options: Any) -> Any:
    return Inference([descriptor(d) for d in layers], **options)


def flat(state: State) -> list[Array]:
    return [m for layer_state in state for m in layer_state if m is not None]


def nested(layers: Sequence[Layer], matrices: Sequence[Array]) -> State:
    left = [m.astype(np.float64) for m in matrices]
    return [(left.pop(0), left.pop(0) if d.kind == "lstm" else None) for d in layers]


def require(network: Any, *operands: Any, **options: Any) -> None:
    reason = network.why_not(*operands, **options)
    if reason:
        pytest.skip(reason)


def compare(network: Any, got: Any, wanted: Array, engine: Engine) -> None:
    got = np.asarray(got)
    absolute, relative = tolerance_of(network, got.dtype, engine)
    assert_close(got, wanted, absolute, relative)


CHAINS: dict[str, list[tuple[str, bool]]] = {
    "backward": [("lstm", True)],
    "stack": [("lstm", False), ("gru", False), ("single", False)],
    "stack-backward": [("gru", True), ("lstm", True)],
    "two": [("lstm", False), ("lstm", True)],
    "mixed": [("gru", True), ("single", False), ("lstm", False), ("gru", True)],
}


def chain(name: str, rng: Rng, width: int = 6, outputs: tuple[int, int] = (5, 5)) -> list[Layer]:
    """Layers of 6 inputs; the last of each direction has `outputs` (forward, backward)."""
    feeds = {False: width, True: width}
    layers: list[Layer] = []
    kinds = CHAINS[name]
    for i, (kind, backward) in enumerate(kinds):
        is_last = all(other != backward for _, other in kinds[i + 1 :])
        size = outputs[backward] if is_last else 9 + i
        layers.append(layer(kind, feeds[backward], size, rng, backward=backward))
        feeds[backward] = size
    return layers
