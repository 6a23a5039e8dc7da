"""Neurons and their derivatives in float64, and the neurons that tests of layers go through."""

from __future__ import annotations

from math import erf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.kernels.cnn.reference import neuron

__all__ = ["NEURONS", "NEURON_IDS", "derivative", "neuron"]

Array = NDArray[Any]
NEURONS: list[tuple[str, dict[str, float]]] = [
    ("none", {}), ("relu", {"a": 0}), ("relu", {"a": 0.25}), ("linear", {"a": -1.5, "b": 0.5}), ("sigmoid", {}),
    ("hard_sigmoid", {"a": 0.25, "b": 0.5}), ("tanh", {"a": 1.5, "b": 0.75}), ("absolute", {}), ("softplus", {"a": 2, "b": 1.5}), ("softsign", {}),
    ("elu", {"a": 1.25}), ("relun", {"a": 0, "b": 0.5}), ("relun", {"a": 1, "b": 0.5}), ("power", {"a": 0.125, "b": 4, "c": 2.5}),
    ("exponential", {"a": 0.5, "b": 0.25, "c": -1}), ("exponential", {"a": 0.5, "b": 0, "c": 3}), ("logarithm", {"a": 0.25, "b": 4, "c": -1}),
    ("logarithm", {"a": 0.25, "b": 4, "c": 2}), ("gelu", {}),
]  # fmt: skip
NEURON_IDS = [f"{kind}-{i}" for i, (kind, _) in enumerate(NEURONS)]


def derivative(x: Array, kind: str, a: float = 0, b: float = 0, c: float = 0, data: Any = None) -> Array:
    """f'(x); at a corner that of the right side, of |x| 0."""
    u, one = a * x + b, np.ones_like(x)
    match kind:
        case "none":
            return one
        case "relu":
            return np.where(x >= 0, 1.0, a)
        case "prelu":
            return np.where(x >= 0, 1.0, np.asarray(data, np.float64))
        case "linear":
            return a * one
        case "sigmoid":
            return np.asarray(np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))) ** 2)
        case "hard_sigmoid":
            return np.where((u >= 0) & (u <= 1), a, 0.0)
        case "tanh":
            return np.asarray(a * b * (1 - np.tanh(b * x) ** 2))
        case "absolute":
            return np.sign(x)
        case "softplus":
            return np.asarray(a * b / (1 + np.exp(-b * x)))
        case "softsign":
            return np.asarray(1 / (1 + np.abs(x)) ** 2)
        case "elu":
            return np.where(x >= 0, 1.0, a * np.exp(np.minimum(x, 0)))
        case "relun":
            return np.where(x >= b, 0.0, np.where(x >= 0, 1.0, a))
        case "power":
            return np.asarray(a * c * u ** (c - 1))
        case "exponential":
            return np.asarray(a * np.exp(u) if c == -1 else a * np.log(c) * c**u)
        case "logarithm":
            return np.asarray(a / ((1 if c == -1 else np.log(c)) * u))
        case "gelu":
            bell = np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
            return np.asarray(0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2))) + x * bell)
    raise ValueError(kind)
