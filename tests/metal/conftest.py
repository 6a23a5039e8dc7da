"""What only a Metal device has: how operands reach it, and how it fails. On Linux the stand-in of tests/standin."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import mpskit as mps


@pytest.fixture
def metal(request: pytest.FixtureRequest) -> Iterator[mps.Device]:
    """The first Metal device, made current."""
    if request.config.getoption("--device") == "cpu":
        pytest.skip("needs a Metal device; this run is for the CPU engine")
    if "metal" not in [d.name for d in mps.devices()]:
        pytest.skip("needs a Metal device")
    with mps.device("metal") as device:
        yield device


@pytest.fixture
def knob(metal: mps.Device, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Sets a knob of the stand-in: it makes Metal fail on demand."""
    if not metal.description.startswith("Stand-in"):
        pytest.skip("needs the stand-in: a real device does not fail on demand")
    return lambda name, value: monkeypatch.setenv(f"MPSKIT_STANDIN_{name}", value)
