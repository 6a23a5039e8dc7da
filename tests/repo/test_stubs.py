"""Type checkers in strict mode accept a program that uses the package, and refuse its misuses."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mpskit as mps

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import asyncio

import numpy as np
from numpy.typing import NDArray

import mpskit as mps
from mpskit.image import GaussianBlur, LanczosScale


def arrays(x: NDArray[np.uint8]) -> NDArray[np.float32]:
    blur = GaussianBlur(sigma=2, edge_mode="zero").replace(sigma=1.5)
    sigma: float = blur.sigma
    out = mps.zeros(x.shape, "float32")
    y = blur(x, out=out)
    print(sigma, y.shape, blur == GaussianBlur(), {blur: 1})
    return y


def images(path: str) -> mps.Image:
    picture = mps.Image.open(path)
    width: int = picture.width
    with mps.device("cpu") as device, device.command_buffer(label="two") as cb:
        small = LanczosScale(width=width // 2).encode(cb, picture)
        result = GaussianBlur(sigma=1).encode(cb, small, temporary=False)
    print(device.description, picture.shape, np.asarray(result).mean())
    result.save("result.png", force=True)
    return result


async def later(x: NDArray[np.uint8]) -> tuple[int, ...]:
    completion = GaussianBlur().submit(x)
    completion.add_done_callback(lambda c: print(c.device_seconds))
    y = await completion
    completion.wait(timeout=1.0)
    return y.shape


product = mps.linalg.MatrixMultiplication(alpha=2)(mps.Matrix.zeros(rows=2, columns=2), mps.Matrix.empty(rows=2, columns=2))
rows: int = product.rows
matmul = mps.linalg.matmul(np.eye(2), np.eye(2))
vector = mps.Vector(np.arange(3.0), copy=True)
shared: bool = vector.is_shared
asyncio.run(later(arrays(np.zeros((2, 2), np.uint8)).astype(np.uint8)))
"""

MISUSES = [
    "mps.image.GaussianBlur(sigam=2)",
    'mps.image.GaussianBlur(sigma="wide")',
    'mps.image.GaussianBlur(edge_mode="mirror")',
    "mps.image.GaussianBlur()(3)",
    "mps.image.GaussianBlur().sigma = 2.0",
    "mps.Image.empty(width=3)",
    "mps.Matrix.zeros(rows=2, columns=2).width",
]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as it is installed: sources, py.typed and all stubs."""
    folder = tmp_path_factory.mktemp("types")
    target = folder / "mpskit"
    shutil.copytree(Path(mps.__file__).parent, target, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    if not (target / "_core" / "image.pyi").exists():  # not installed: a build folder beside the sources
        script = ROOT / "csrc" / "cmake" / "stubs.py"
        subprocess.run([sys.executable, script, mps._core.__file__, target / "_core"], check=True)
    assert (target / "py.typed").exists()
    return folder


def mypy(folder: Path, *what: str | Path) -> subprocess.CompletedProcess[str]:
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("needs mypy: pip install 'mpskit[test]'")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--follow-imports=silent",
        "--disable-error-code=import-untyped",  # of the extras
        "--disable-error-code=import-not-found",
        "--config-file=",
        "--no-incremental",
        *what,
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def pyright(folder: Path, *what: str | Path, mode: str = "strict") -> subprocess.CompletedProcess[str]:
    if importlib.util.find_spec("pyright") is None:
        pytest.skip("needs pyright: pip install 'mpskit[dev]'")
    (folder / "pyrightconfig.json").write_text(
        json.dumps({"typeCheckingMode": mode, "reportUnusedExpression": False, "reportMissingModuleSource": False})
    )
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, *what]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("checker", [mypy, pyright], ids=lambda f: f.__name__)
def test_a_program_is_accepted(package: Path, checker: object) -> None:
    file = package / "program.py"
    file.write_text(PROGRAM)
    done = checker(package, file)  # type: ignore[operator]
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_itself_is_accepted(package: Path) -> None:
    done = mypy(package, "-p", "mpskit")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_itself_is_accepted_by_pyright(package: Path) -> None:
    done = pyright(package, "mpskit", mode="standard")
    assert done.returncode == 0, done.stdout + done.stderr


def test_misuses_are_refused(package: Path) -> None:
    file = package / "misuse.py"
    file.write_text("import mpskit as mps\n" + "\n".join(MISUSES) + "\n")
    done = mypy(package, file)
    refused = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line}
    assert refused == set(range(2, 2 + len(MISUSES))), done.stdout


def test_every_kernel_has_a_stub(package: Path) -> None:
    for family in ("image", "linalg", "cnn", "rnn"):
        names = getattr(mps._core, family).__all__
        namespace: dict[str, object] = {}
        text = (package / "mpskit" / "_core" / f"{family}.pyi").read_text()
        compile(text, family, "exec")
        exec(text[text.index("__all__") :].splitlines()[0], namespace)
        assert namespace["__all__"] == names
        for name in names:
            assert f"class {name}(Kernel):" in text or f"class {name}(Value):" in text
