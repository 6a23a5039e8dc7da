"""Devices and instruction sets that this machine has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import mpskit as mps


@dataclass
class Engine:
    """A device, and for the CPU engine an instruction set. As a context manager it is the current one."""

    device: str
    isa: str | None = None
    _context: Any = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.device}-{self.isa}" if self.isa else self.device

    @property
    def is_metal(self) -> bool:
        return self.device.startswith("metal")

    def __enter__(self) -> Engine:
        if self.isa:
            mps._core._force_isa(self.isa)
        self._context = mps.device(self.device)
        self._context.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._context.__exit__(*error)
        if self.isa:
            mps._core._force_isa("")


def available(device: str | None = None, isa: str | None = None) -> list[Engine]:
    engines = [Engine("cpu", name) for name in mps._core._isas() if isa in (None, name)]
    engines += [Engine(str(d)) for d in mps.devices() if str(d) != "cpu"]
    if device == "cpu":
        return [e for e in engines if not e.is_metal]
    if device == "metal":
        return [e for e in engines if e.is_metal]
    return engines
