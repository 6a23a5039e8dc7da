"""Interleaved rounds: contenders take turns, so that a burst of other work on the machine hits all of them alike."""

from __future__ import annotations

import contextlib
import gc
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .case import Case, Contender

HOPELESS = 25.0  # times as slow as the fastest: one call tells enough


@dataclass
class Measured:
    name: str
    version: str
    is_exact: bool
    note: str
    rounds: list[float]  # median seconds of a call, per round
    calls: int
    error: float  # largest difference from the reference

    @property
    def seconds(self) -> float:
        return statistics.median(self.rounds)

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles, relative."""
        if len(self.rounds) < 4:
            return 0.0
        low, _, high = statistics.quantiles(self.rounds, n=4)
        return (high - low) / 2 / self.seconds


def ratio(ours: Measured, peer: Measured) -> float:
    """Time of the peer over ours: the median over rounds, each with its own weather."""
    if len(peer.rounds) < len(ours.rounds):  # hopeless
        return peer.seconds / ours.seconds
    return statistics.median(p / o for p, o in zip(peer.rounds, ours.rounds, strict=True))


def run(case: Case, rounds: int, budget: float) -> tuple[list[Measured], dict[str, str]]:
    """Check every contender's result, then time them in turns. Returns the timings and those left out, with reasons."""
    alive, left_out = _check(case)
    samples: dict[str, list[float]] = {c.name: [] for c, _ in alive}
    calls = dict.fromkeys(samples, 0)
    first_calls = {c.name: _seconds(c) for c, _ in alive}
    hopeless = {
        name for name, t in first_calls.items() if t > HOPELESS * min(first_calls.values()) and name != "mpskit"
    }
    for name in hopeless:
        samples[name], calls[name] = [first_calls[name]], 1
    alive_in_turns = [pair for pair in alive if pair[0].name not in hopeless]
    # The one before has threads that look for more work a while: OpenBLAS's and ONNX Runtime's for some 0.1 s, those of image libraries for 2 ms.
    pause = 0.02 if case.family == "image" else 0.15
    with _no_garbage_collection():
        for number in range(rounds):
            first = number % len(alive_in_turns)
            for contender, _ in alive_in_turns[first:] + alive_in_turns[:first]:
                times = _time(contender, pause, budget)
                samples[contender.name].append(statistics.median(times))
                calls[contender.name] += len(times)
    measured = [Measured(c.name, c.version, c.is_exact, c.note, samples[c.name], calls[c.name], d) for c, d in alive]
    return measured, left_out


def _check(case: Case) -> tuple[list[tuple[Contender, float]], dict[str, str]]:
    wanted = case.reference()
    left_out: dict[str, str] = {}
    alive = []
    for contender in case.contenders:
        try:
            contender.work()
            difference = _difference(np.asarray(contender.result(contender.work()), np.float64), wanted)
        except Exception as error:  # a peer that cannot do it is no reason to lose the others
            if contender.name == "mpskit":
                raise
            left_out[contender.name] = f"{type(error).__name__}: {error}"
            continue
        if contender.is_exact and not difference <= case.tolerance:
            message = f"result differs by {difference:.3g}, allowed {case.tolerance:.3g}"
            if contender.name == "mpskit":
                raise AssertionError(f"{case.name}: mpskit's {message}")
            left_out[contender.name] = message
        elif not np.isfinite(difference):
            left_out[contender.name] = "result has another shape, or is not finite"
        else:
            alive.append((contender, difference))
    return alive, left_out


def _seconds(contender: Contender) -> float:
    begin = time.perf_counter()
    contender.work()
    return time.perf_counter() - begin


def _time(contender: Contender, pause: float, budget: float) -> list[float]:
    time.sleep(pause)
    contender.work()
    times: list[float] = []
    end = time.perf_counter() + budget
    while True:
        begin = time.perf_counter()
        contender.work()
        now = time.perf_counter()
        times.append(now - begin)
        if now > end or len(times) >= 2000:
            return times


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _difference(got: Any, wanted: Any) -> float:
    if got.shape != wanted.shape:
        if got.size != wanted.size:
            return float("inf")
        got = got.reshape(wanted.shape)
    return float(np.abs(got - wanted).max()) if got.size else 0.0
