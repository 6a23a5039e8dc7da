"""The house rules that no compiler sees."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import mpskit as mps

ROOT = Path(__file__).resolve().parents[2]
CSRC = ROOT / "csrc"
FAMILIES = ("image", "linalg", "cnn", "rnn")


def descriptors() -> list[tuple[str, str, str]]:
    """(family, Name, stem) of every kernel, from its own header."""
    found = []
    for family in FAMILIES:
        for header in sorted((CSRC / "kernels" / family).glob("*.hpp")):
            stated = re.search(r"^MPSKIT_KERNEL\((\w+), (\w+)\)$", header.read_text(), re.MULTILINE)
            assert stated, f"{header.relative_to(ROOT)} has no line MPSKIT_KERNEL(family, Name)"
            assert stated[1] == family, f"{header.relative_to(ROOT)} says family {stated[1]}"
            found.append((family, stated[2], header.stem))
    assert found, "no descriptor found: this test would check nothing"
    return found


KERNELS = descriptors()


@pytest.mark.parametrize(("family", "name", "stem"), KERNELS, ids=lambda part: part)
def test_a_kernel_has_five_places(family: str, name: str, stem: str) -> None:
    assert stem == re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower(), (
        "a file is named after its one kernel"
    )
    for place in (
        f"csrc/cpu/{family}/{stem}.cpp",
        f"csrc/metal/{family}/{stem}.mm",
        f"tests/kernels/{family}/test_{stem}.py",
    ):
        assert (ROOT / place).is_file(), f"{name} lacks {place}"
    assert f"MPSKIT_CPU_KERNEL({family}::{name}," in (CSRC / f"cpu/{family}/{stem}.cpp").read_text()
    assert f"`{family}.{name}`" in (ROOT / "README.md").read_text(), f"README's kernel table lacks {family}.{name}"


def test_readme_table_names_nothing_else() -> None:
    table = set(re.findall(r"^\| `(?:mps\.)?(\w+)\.(\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert table == {(family, name) for family, name, _ in KERNELS}


@pytest.mark.parametrize(("family", "name", "stem"), KERNELS, ids=lambda part: part)
def test_a_kernel_is_documented(family: str, name: str, stem: str) -> None:
    text = inspect.getdoc(getattr(getattr(mps, family), name))
    assert text
    for section in ("Parameters", "Returns", "Raises", "Notes", "References"):
        assert re.search(rf"^{section}\n-+$", text, re.MULTILINE), f"{name}: docstring has no section {section}"
    descriptor = getattr(getattr(mps, family), name)._descriptor
    for field in descriptor["fields"]:
        assert field["doc"].endswith("."), f"{name}.{field['name']}: {field['doc']!r} is no sentence"
        about = re.search(rf"^{field['name']} : .*\n(?:    .*\n)+", text, re.MULTILINE)
        assert about
        for word in field.get("names", ()):
            assert repr(word) in about[0].split("One of ")[-1], f"{name}.{field['name']}: {word!r} is not told"


# What Apple's class names begin with in each family: it became the module's name.
APPLE_PREFIXES = {"image": ("MPSImage",), "linalg": ("MPS",), "cnn": ("MPSCNN", "MPSNN"), "rnn": ("MPSRNN", "MPS")}


@pytest.mark.parametrize(("family", "name", "stem"), KERNELS, ids=lambda part: part)
def test_a_kernel_is_called_as_apple_calls_it(family: str, name: str, stem: str) -> None:
    kernel = getattr(getattr(mps, family), name)
    reference = kernel._descriptor["reference"]
    classes = re.findall(r"\bMPS\w+", reference)
    assert {prefix + name for prefix in APPLE_PREFIXES[family]} & set(classes), (
        f"{family}.{name} refers to {reference!r}"
    )
    assert re.search(r", in MPS\w+\.h", reference), f"{family}.{name}: {reference!r} names no header"
    assert (kernel.__module__, kernel.__qualname__) == (f"mpskit.{family}", name)


def test_only_commands_print() -> None:
    package = ROOT / "python" / "mpskit"
    for file in package.rglob("*.py"):
        if file.relative_to(package).parts[0] in ("cli", "demos", "probe.py"):
            continue
        calls = [node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        assert "print" not in [f.id for f in calls if isinstance(f, ast.Name)], f"{file.relative_to(ROOT)} prints"
    for file in CSRC.rglob("*.[chim]*"):
        found = re.search(r"\bf?printf\(|\bputs\(|std::c(?:out|err)\b|\bNSLog\(", file.read_text())
        assert not found, f"{file.relative_to(ROOT)} prints: {found[0]}"


MAY_INCLUDE = {
    "core": ("core/",),
    "kernels": ("core/", "kernels/"),
    "cpu": ("core/", "kernels/", "cpu/", "graph/"),
    "metal": ("core/", "kernels/", "metal/", "graph/"),
    "graph": ("core/", "kernels/", "graph/", "cpu/", "metal/"),
}


@pytest.mark.parametrize("layer", MAY_INCLUDE)
def test_layers_point_one_way(layer: str) -> None:
    files = [f for f in (CSRC / layer).rglob("*") if f.suffix in {".hpp", ".cpp", ".mm", ".inl"}]
    for file in files:
        for line in file.read_text().splitlines():
            included = re.match(r'\s*#\s*(?:include|import)\s+"([^"]+)"', line)
            if included and "/" in included[1]:
                assert included[1].startswith(MAY_INCLUDE[layer]), f"{file.relative_to(ROOT)} includes {included[1]}"
            assert not re.search(r"pybind11|Python\.h", line), f"{file.relative_to(ROOT)} knows Python: {line.strip()}"


def test_core_names_no_engine() -> None:
    for file in [*(CSRC / "core").glob("*"), *(CSRC / "kernels").rglob("*.hpp"), *(CSRC / "kernels").rglob("*.cpp")]:
        code = re.sub(r"//.*|\"(?:\\.|[^\"\\])*\"", "", file.read_text())
        assert not re.search(r"\b(?:cpu|metal)::", code), f"{file.relative_to(ROOT)} names an engine"


def test_objective_c_stays_in_objective_c() -> None:
    for file in [
        *CSRC.rglob("*.cpp"),
        *(CSRC / "core").glob("*.hpp"),
        *(CSRC / "kernels").rglob("*.hpp"),
        *(CSRC / "cpu").rglob("*.hpp"),
    ]:
        assert not re.search(r"^\s*#\s*import|\bid<MTL|@interface|@implementation", file.read_text(), re.MULTILINE), (
            file
        )


def test_bindings_give_the_gil_back_in_one_way() -> None:
    # pybind11's own scopes let a daemon thread of an ending interpreter be unwound, which terminates the process.
    for file in (CSRC / "bindings").glob("*"):
        assert "gil_scoped_" not in file.read_text(), f"{file.relative_to(ROOT)}: use Unlocked and Locked of python.hpp"


def test_isa_sources_include_no_standard_header() -> None:
    # They are included inside a target pragma: an inline function of the standard library would be compiled for an
    # instruction set that the machine may lack, and the linker may pick that copy for everybody.
    for file in [*(CSRC / "cpu").glob("*/*.cpp"), *(CSRC / "cpu").rglob("*.inl")]:
        for line in file.read_text().splitlines():
            included = re.match(r"\s*#\s*include\s+<(\w+)>", line)
            assert not included, f"{file.relative_to(ROOT)} includes <{included[1]}>; add it to cpu/kernel.hpp"  # type: ignore[index]


def test_every_public_name_is_documented() -> None:
    for name in dir(mps):
        thing = getattr(mps, name)
        if name.startswith("_") or not (inspect.isclass(thing) or inspect.isroutine(thing)):
            continue
        assert inspect.getdoc(thing), f"mps.{name} has no docstring"


def test_nothing_of_the_workshop_is_in_the_tree() -> None:
    words = re.compile(r"/(?:w[o]rk|r[o]ot|h[o]me)/|\bp[y]pi\.org|\bdeb\.d[e]bian")
    for file in ROOT.rglob("*"):
        relative = file.relative_to(ROOT)
        if (
            not file.is_file()
            or relative.parts[0].startswith((".git", "build", ".venv", ".mypy", ".ruff", ".pytest", "dist"))
            or file.suffix in {".so", ".pyc", ".png"}
        ):
            continue
        try:
            text = file.read_text()
        except UnicodeDecodeError:
            continue
        found = words.search(text)
        assert not found, f"{relative}: {found[0]}"
