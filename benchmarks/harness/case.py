"""What a benchmark case is: one piece of work, done by mpskit and by peers on the same inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Work = Callable[[], Any]  # runs once; what it returns is checked, not timed
Wanted = Callable[[str], bool]  # asked with a case's name before its data are made


def again(kernel: Any, *inputs: Any) -> Work:
    """Each run writes over the result of the one before."""
    out = kernel(*inputs)
    return lambda: kernel(*inputs, out=out)


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
    tile_products: float = 0.0  # of bfloat16 that make one of the case's, where AMX may do them; an int8 is half of one
    contenders: list[Contender] = field(default_factory=list)
    clock: str = "warm inputs, outputs reused where the interface allows it, waiting included"

    def ours(self, work: Work, result: Callable[[Any], NDArray[Any]] = np.asarray) -> Case:
        import mpskit

        self.contenders.insert(0, Contender("mpskit", mpskit.__version__, work, result))
        return self

    def add(self, *contenders: Contender | None) -> Case:
        self.contenders += [c for c in contenders if c is not None]
        return self

    def keep(self, peers: Sequence[str]) -> None:
        """Only mpskit and the contenders whose names begin with one of these."""
        self.contenders = [c for c in self.contenders if c.name == "mpskit" or c.name.startswith(tuple(peers))]
