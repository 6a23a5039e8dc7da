"""What a benchmark case is: one piece of work, done by mpskit and by peers on the same inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Work = Callable[[], Any]  # runs once; what it returns is checked, not timed


@dataclass
class Contender:
    """One way of doing a case."""

    name: str
    version: str
    work: Work
    result: Callable[[Any], NDArray[Any]] = np.asarray  # of what work returned, comparable with the reference
    is_exact: bool = True  # False: another definition or precision; listed, never the yardstick
    note: str = ""


@dataclass
class Case:
    """A piece of work with its reference, its compulsory traffic and its arithmetic."""

    name: str
    family: str
    reference: Callable[[], NDArray[np.float64]]
    tolerance: float  # of each element against the reference, absolute, in the units of the output
    bytes_moved: float  # compulsory: inputs read once, outputs written once
    flops: float = 0.0  # multiply and add count two
    contenders: list[Contender] = field(default_factory=list)
    clock: str = "warm inputs, outputs reused where the interface allows it, waiting included"

    def ours(self, work: Work, result: Callable[[Any], NDArray[Any]] = np.asarray) -> Case:
        import mpskit

        self.contenders.insert(0, Contender("mpskit", mpskit.__version__, work, result))
        return self

    def add(self, contender: Contender | None) -> Case:
        if contender is not None:
            self.contenders.append(contender)
        return self
