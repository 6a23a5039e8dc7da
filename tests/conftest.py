"""The grid: every test that takes `engine` runs on every device of this machine and, on the CPU engine, with every ISA."""

from __future__ import annotations

import signal
import zlib
from collections.abc import Iterator

import numpy as np
import pytest

import mpskit as mps
from tests.support.engine import Engine, available


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", choices=["cpu", "metal"], help="run the grid on this device only")
    parser.addoption("--isa", help="run the CPU engine with this instruction set only")
    parser.addoption("--require-metal", action="store_true", help="fail when there is no Metal device")


def pytest_configure(config: pytest.Config) -> None:
    names = [str(device) for device in mps.devices()]
    if config.getoption("--require-metal") and "metal" not in names:
        raise pytest.UsageError("--require-metal: there is no Metal device here (nor its stand-in)")
    # In the background of a script Ctrl-C is ignored, by processes that tests start too; some tests press it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    described = ", ".join(str(device) for device in mps.devices())
    return f"mpskit {mps.__version__}, devices: {described}; CPU instruction sets: {', '.join(mps._core._isas())}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" not in metafunc.fixturenames:
        return
    config = metafunc.config
    engines = available(config.getoption("--device"), config.getoption("--isa"))
    if not config.getoption("--isa") and "image" in metafunc.definition.path.parent.parts:
        engines = [e for e in engines if e.isa != "amx"]  # for images that is avx512 by another name
    metafunc.parametrize("engine", engines, ids=str, indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """One device of this machine, made current, with one instruction set."""
    chosen: Engine = request.param
    with chosen:
        yield chosen


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers that depend on the test's id alone."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture(autouse=True)
def _name_of_test(request: pytest.FixtureRequest) -> None:
    from tests.support import compare

    compare.current_test = request.node.nodeid
