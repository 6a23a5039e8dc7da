"""Recurrent layers in float64, written from their formulas. Imports nothing of mpskit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Neuron = tuple[Any, ...]  # name, then a, b, c


def _erf(x: Array) -> Array:
    import math

    return np.vectorize(math.erf, otypes=[np.float64])(x)


NEURONS: dict[str, Callable[..., Array]] = {
    "none": lambda x: x,
    "relu": lambda x, a=0.0: np.where(x >= 0, x, a * x),
    "linear": lambda x, a=1.0, b=0.0: a * x + b,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "hard_sigmoid": lambda x, a=0.2, b=0.5: np.clip(a * x + b, 0, 1),
    "tanh": lambda x, a=1.0, b=1.0: a * np.tanh(b * x),
    "absolute": np.abs,
    "softplus": lambda x, a=1.0, b=1.0: a * np.log1p(np.exp(b * x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "elu": lambda x, a=1.0: np.where(x >= 0, x, a * np.expm1(x)),
    "relun": lambda x, a=1.0, b=6.0: np.minimum(np.where(x >= 0, x, a * x), b),
    "power": lambda x, a=1.0, b=0.0, c=1.0: (a * x + b) ** c,
    "exponential": lambda x, a=1.0, b=0.0, c=-1.0: (np.e if c == -1 else c) ** (a * x + b),
    "logarithm": lambda x, a=1.0, b=0.0, c=-1.0: np.log(a * x + b) / (1 if c == -1 else np.log(c)),
    "gelu": lambda x: x * (1 + _erf(x / np.sqrt(2))) / 2,
    "prelu": lambda x, slopes=0.0: np.where(x >= 0, x, slopes * x),
}


@dataclass
class Source:
    """Weights (outputs, inputs) or a diagonal (outputs,); bias and neuron for those of inputs."""

    weights: Array
    bias: Array | None = None
    neuron: Neuron = ("none",)


def product(x: Array, source: Source | None) -> Array | float:
    if source is None:
        return 0.0
    w = source.weights.astype(np.float64)
    return x * w if w.ndim == 1 else x @ w.T


@dataclass
class Layer:
    """A descriptor: its kind, its sources by letter (W acts on the source, U on h, V on c or on z * h), its options."""

    kind: str  # "single", "gru", "lstm"
    inputs: int
    outputs: int
    sources: dict[str, Source] = field(default_factory=dict)
    unit: bool = False
    backward: bool = False
    p: float = 1.0
    flip: bool = False
    out_neuron: Neuron = ("tanh",)

    def gate(self, letter: str, x: Array, *recurrent: Array | float) -> Array:
        w = self.sources.get("W" + letter)
        total = sum(recurrent) + (x if self.unit else product(x, w)) + np.zeros((len(x), self.outputs))
        if w is None:
            return np.asarray(total)
        if w.bias is not None:
            total = total + w.bias.astype(np.float64)
        return NEURONS[w.neuron[0]](total, *w.neuron[1:])

    def step(self, x: Array, h: Array, c: Array | None) -> tuple[Array, Array | None]:
        s = self.sources.get
        if self.kind == "single":
            return self.gate("", x, product(h, s("U"))), None
        if self.kind == "gru":
            z = self.gate("z", x, product(h, s("Uz")))
            r = self.gate("r", x, product(h, s("Ur")))
            n = self.gate("h", x, product(r * h, s("Uh")), product(z * h, s("Vh")))
            rest = 1 - z if self.p == 1 else (1 - z**self.p) ** (1 / self.p)
            return (rest * h + z * n if self.flip else rest * n + z * h), None
        assert c is not None
        i, f, g = (self.gate(k, x, product(h, s("U" + k)), product(c, s("V" + k))) for k in "ifc")
        new = f * c + i * g
        o = self.gate("o", x, product(h, s("Uo")), product(new, s("Vo")))
        return o * NEURONS[self.out_neuron[0]](new, *self.out_neuron[1:]), new


State = list[tuple[Array, Array | None]]  # of each layer: h, and c of an LSTM


def zeros(layers: list[Layer], rows: int) -> State:
    return [(np.zeros((rows, k.outputs)), np.zeros((rows, k.outputs)) if k.kind == "lstm" else None) for k in layers]


def run_chain(layers: list[Layer], xs: Array, state: State) -> tuple[list[Array], list[State]]:
    """Outputs and states after each step, in the order of xs."""
    outputs, states = [], []
    for source in xs:
        x, state = source.astype(np.float64), list(state)
        for k, layer in enumerate(layers):
            state[k] = layer.step(x, *state[k])
            x = state[k][0]
        outputs.append(x)
        states.append(state)
    return outputs, states


def run(
    layers: list[Layer], xs: Array, state: State | None = None, mode: str = "none"
) -> tuple[list[Array], list[State]]:
    """Outputs (two for both directions that are not combined), and the states after each time step of every layer."""
    steps, rows = xs.shape[:2]
    state = state if state is not None else zeros(layers, rows)
    results: list[Array] = []
    states: list[list[Any]] = [[None] * len(layers) for _ in range(steps)]
    for backward in (False, True):
        at = [i for i, k in enumerate(layers) if k.backward == backward]
        if not at:
            continue
        turn = slice(None, None, -1 if backward else 1)
        ys, seen = run_chain([layers[i] for i in at], xs[turn], [state[i] for i in at])
        results.append(np.array(ys[turn]).reshape(steps, rows, layers[at[-1]].outputs))
        for t, one in enumerate(seen[turn]):
            for k, i in enumerate(at):
                states[t][i] = one[k]
    if len(results) == 2 and mode == "add":
        results = [results[0] + results[1]]
    if len(results) == 2 and mode == "concatenate":
        results = [np.concatenate(results, axis=2)]
    return results, states


def last_state(layers: list[Layer], states: list[State], initial: State) -> State:
    """After the last step of each layer: time 0 for those that run backward."""
    if not states:
        return initial
    return [states[0 if layer.backward else -1][i] for i, layer in enumerate(layers)]
