"""The probes themselves: on the CPU engine each must see what it says is defined, else it would blame a Mac wrongly."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from mpskit import probe


@pytest.mark.parametrize("name", probe.PROBES)
def test_the_cpu_engine_does_as_defined(name: str) -> None:
    found = probe.answer(name, "cpu")
    assert found["seen"] == found["defined"]


@pytest.mark.process
def test_the_report() -> None:
    command = [sys.executable, "-m", "mpskit.probe", "variance_divisor", "--device", "cpu"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "variance_divisor: is the variance divided" in text
    assert "as defined" in text
    found = json.loads(
        subprocess.run([*command, "--json"], capture_output=True, text=True, check=True, timeout=60).stdout
    )
    assert found["probes"]["variance_divisor"]["seen"] == "0.5 0.25"
    unknown = subprocess.run([*command[:3], "nothing"], capture_output=True, text=True, check=False, timeout=60)
    assert unknown.returncode == 2
    assert "there is no probe 'nothing'; allowed: gaussian_weights" in unknown.stderr


@pytest.mark.process
def test_a_crash_costs_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ended with 1" in probe.ask("variance_divisor", "no such device")["seen"]
