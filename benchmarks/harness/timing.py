"""Interleaved rounds: contenders take turns, so that a burst of other work on the machine hits all of them alike."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from .case import Case


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


def run(case: Case, rounds: int, budget: float) -> tuple[list[Measured], dict[str, str]]:
    """Check every contender's result, then time them in turns. Returns the timings and those left out, with reasons."""
    wanted = case.reference()
    left_out: dict[str, str] = {}
    alive = []
    for contender in case.contenders:
        try:
            contender.work()
            got = np.asarray(contender.result(contender.work()), np.float64)
        except Exception as error:  # a peer that cannot do it is no reason to lose the others
            if contender.name == "mpskit":
                raise
            left_out[contender.name] = f"{type(error).__name__}: {error}"
            continue
        difference = _difference(got, wanted)
        if contender.is_exact and not difference <= case.tolerance:
            message = f"result differs by {difference:.3g}, allowed {case.tolerance:.3g}"
            if contender.name == "mpskit":
                raise AssertionError(f"{case.name}: mpskit's {message}")
            left_out[contender.name] = message
            continue
        alive.append((contender, difference))

    samples: dict[str, list[float]] = {c.name: [] for c, _ in alive}
    calls: dict[str, int] = {c.name: 0 for c, _ in alive}
    for number in range(rounds):
        for contender, _ in alive[number % len(alive) :] + alive[: number % len(alive)]:
            time.sleep(0.005)  # thread pools of the one before stop spinning
            contender.work()
            times: list[float] = []
            end = time.perf_counter() + budget
            while True:
                begin = time.perf_counter()
                contender.work()
                now = time.perf_counter()
                times.append(now - begin)
                if now > end or len(times) >= 2000:
                    break
            samples[contender.name].append(statistics.median(times))
            calls[contender.name] += len(times)
    measured = [Measured(c.name, c.version, c.is_exact, c.note, samples[c.name], calls[c.name], d) for c, d in alive]
    return measured, left_out


def _difference(got: Any, wanted: Any) -> float:
    if got.shape != wanted.shape:
        if got.size != wanted.size:
            return float("inf")
        got = got.reshape(wanted.shape)
    return float(np.abs(got - wanted).max()) if got.size else 0.0
