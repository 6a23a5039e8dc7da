"""Write the stubs of the kernels' classes from their descriptors: stubs.py MODULE FOLDER.

MODULE is the compiled _core, FOLDER gets image.pyi, linalg.pyi, cnn.pyi and rnn.pyi. Runs at build time, so it needs neither
NumPy nor the package.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

HEADER = """\
# Written from the descriptors of the kernels by csrc/cmake/stubs.py.
from typing import Any, Literal, TypeVar, final, overload

from numpy.typing import DTypeLike, NDArray

from . import {names}

_Out = TypeVar("_Out", bound=Image | Matrix | Vector | NDArray[Any] | Foreign | tuple[Any, ...])
"""
SHARED = ("CommandBuffer", "Completion", "DeviceLike", "Foreign", "Image", "Kernel", "Matrix", "Value", "Vector")
CLASS_OF = {"image": "Image", "matrix": "Matrix", "vector": "Vector"}


def load(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("_core", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules["_core"] = module
    spec.loader.exec_module(module)
    return module


class Writer:
    def __init__(self, module: ModuleType) -> None:
        self.names = set(module.__all__)
        self.lines: list[str] = []

    def known(self, annotation: str) -> str:
        """The annotation, or Any where it names something that this file does not have."""
        builtin = {"bool", "int", "float", "str", "bytes", "None", "tuple", "list", "dict", "Any", "Literal", "NDArray"}
        words = set(re.findall(r"[A-Za-z_]\w*", re.sub(r"(['\"]).*?\1", "", annotation)))
        return annotation if words <= builtin | self.names | set(SHARED) else "Any"

    def type_of(self, field: dict[str, Any]) -> str:
        kind = f"Literal[{', '.join(map(repr, field['names']))}]" if field.get("names") else self.known(field["type"])
        return kind if field["default"] is not None or "None" in kind or kind == "Any" else f"{kind} | None"

    def value(self, name: str, cls: Any, base: str) -> None:
        fields = cls._descriptor["fields"]
        parameters = [f"{f['name']}: {self.type_of(f)} = ..." for f in fields]
        by_name = {f["name"]: f for f in fields}
        for word, targets in cls._descriptor.get("aliases", ()):
            kind = self.type_of(by_name[targets[0]])
            both = f"{kind} | tuple[{kind}, {kind}]" if len(targets) > 1 else kind
            parameters.append(f"{word}: {both} = ...")
        record = cls._descriptor.get("record")
        if record:
            parameters.append(f"{record[0]}: NDArray[Any] = ...")
        positional = cls._descriptor.get("positional", ())
        first = [p for p in parameters if p.split(":")[0] in positional]
        rest = [p for p in parameters if p.split(":")[0] not in positional]
        keywords = ", ".join([*first, *(["*", *rest] if rest else [])])
        self.lines += ["", "@final", f"class {name}{base}:", f'    """{cls._descriptor["summary"]}"""', ""]
        self.lines.append(f"    def __init__(self{', ' if keywords else ''}{keywords}) -> None: ...")
        self.lines.append(f"    def replace(self{', *, ' if parameters else ''}{', '.join(parameters)}) -> {name}: ...")
        for f in fields:
            self.lines += ["    @property", f"    def {f['name']}(self) -> {self.type_of(f)}: ..."]
        if record:
            self.lines += ["    @property", f"    def {record[0]}(self) -> NDArray[Any]: ..."]
        for number in cls._descriptor.get("properties", ()):
            self.lines += ["    @property", f"    def {number}(self) -> int: ..."]
        self.lines += ["    def __eq__(self, other: object) -> bool: ...", "    def __hash__(self) -> int: ..."]

    def calls(self, cls: Any) -> None:
        """__call__, submit and encode: arrays give arrays, Images give an Image, out gives out."""
        operands = cls._descriptor["operands"]
        inputs = [o for o in operands if o["role"] == "input"]
        outputs = [o for o in operands if o["role"] == "output" and o["count"] != "optional"]
        asked_for = [o for o in operands if o["role"] == "output" and o["count"] == "optional"]

        def arguments(kind_of: Any) -> str:
            parts = []
            for o in inputs:
                if o["count"] == "many":
                    parts.append(f"*{o['name']}: {kind_of(o)} | list[{kind_of(o)}] | tuple[{kind_of(o)}, ...]")
                elif o["is_host"]:
                    kind = "list[int] | tuple[int, ...] | NDArray[Any] | Vector"
                    parts += [f"{name}: {kind} | None = None" for name in (o["name"], o["word"]) if name]
                elif o["count"] == "optional":
                    group = f" | list[{kind_of(o)}] | tuple[{kind_of(o)}, ...]" if o["word"] else ""
                    parts += [f"{name}: {kind_of(o)}{group} | None = None" for name in (o["name"], o["word"]) if name]
                else:
                    parts.append(f"{o['name']}: {kind_of(o)}")
            return ", ".join(parts)

        def result(of: Any) -> str:
            kinds = [of(o) for o in outputs]
            if outputs and outputs[-1]["count"] == "many":
                return f"tuple[{' | '.join(dict.fromkeys(kinds))}, ...]"
            return kinds[0] if len(kinds) == 1 else f"tuple[{', '.join(kinds)}]"

        own = arguments(lambda o: CLASS_OF[o["kind"]])
        array = arguments(lambda o: "NDArray[Any]")
        anything = arguments(lambda o: f"{CLASS_OF[o['kind']]} | NDArray[Any] | Foreign")
        star = "" if any(o["count"] == "many" for o in inputs) else "*, "
        separator = ", " if inputs else ""
        device = "device: DeviceLike | None = None"
        fresh = f"out: None = None, dtype: DTypeLike | None = None, channels: int | None = None, {device}"
        into = f"out: _Out, {device}"
        ours, arrays = result(lambda o: CLASS_OF[o["kind"]]), result(lambda o: "NDArray[Any]")
        cases = [(anything, into, "_Out"), (own, fresh, ours), (array, fresh, arrays)]
        if inputs:
            cases.append((anything, fresh, "Any"))
        else:
            cases = [(anything, into, "_Out")]  # nothing tells what a new output would be
        if asked_for:
            words = [name for o in asked_for for name in (o["name"], o["word"]) if name]
            both = ", ".join(
                ["out: Any = None, dtype: DTypeLike | None = None", device, *(f"{w}: bool = False" for w in words)]
            )
            cases.append((anything, both, "Any"))
        for method, before, wrap in (
            ("__call__", "", "{}"),
            ("submit", "", "Completion[{}]"),
            ("encode", "command_buffer: CommandBuffer, /, ", "{}"),
        ):
            for given, options, gives in cases:
                if method == "encode" and options is fresh:
                    keep = [("temporary: bool = True", ours if gives == arrays else gives)]
                    if gives == arrays:
                        keep = [("temporary: Literal[True] = True", ours), ("temporary: Literal[False]", arrays)]
                else:
                    keep = [("", gives)]
                for extra, returned in keep:
                    options_ = ", ".join(filter(None, [options, extra]))
                    signature = f"self, {before}{given}{separator}{star}{options_}"
                    self.lines += ["    @overload"] if len(cases) > 1 else []
                    self.lines.append(f"    def {method}({signature}) -> {wrap.format(returned)}: ...")

    def write(self, module: ModuleType) -> str:
        for name in module.__all__:
            cls = getattr(module, name)
            descriptor = getattr(cls, "_descriptor", None)
            if descriptor is None:
                self.lines += ["", f"{name}: Any"]
            elif descriptor.get("operands"):
                self.value(name, cls, "(Kernel)")
                self.calls(cls)
            else:
                self.value(name, cls, "(Value)")
        return "\n".join(
            [HEADER.format(names=", ".join(SHARED)), f"__all__ = {list(module.__all__)!r}", *self.lines, ""]
        )


def main(path: str, folder: str) -> None:
    core = load(path)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for family in ("image", "linalg", "cnn", "rnn"):
        module = getattr(core, family)
        (target / f"{family}.pyi").write_text(Writer(module).write(module))


if __name__ == "__main__":
    main(*sys.argv[1:])
