"""A graph in one file: a safetensors file whose metadata holds the nodes, so that other tools can read the weights.

Weights go in and out one data source at a time. The layout is public: 8 bytes with the length of a JSON header, little-endian; the
header; the tensors. The entry "mpskit.graph" of the header's "__metadata__" is JSON too:

    {"version": 1, "format", "label", "images": [{"handle", "format"}], "nodes": [{"kernel", "sources", "result", "label"}],
     "inputs", "results", "exports"}

A kernel is {"type": "cnn.PoolingMax", "parameters": {...}} with what differs from the defaults, or null for a concatenation.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from . import _core

VERSION = 1
NAMES = {"F32": "float32", "F16": "float16", "U8": "uint8", "F64": "float64", "I64": "int64", "I32": "int32"}
CODES = {name: code for code, name in NAMES.items()}
ROOM = 160  # bytes that a tensor's entry in the header takes beside its name, at most


class Writer:
    """Collects what a graph holds, then writes it."""

    def __init__(self) -> None:
        self._parts: list[Callable[[], dict[str, NDArray[Any]]]] = []  # each makes some tensors, and lets go of them
        self._names: list[str] = []

    def name(self, wanted: str) -> str:
        """A name that no other tensor has."""
        name, count = wanted, 1
        while name in self._names:
            count += 1
            name = f"{wanted}_{count}"
        self._names.append(name)
        return name

    def later(self, make: Callable[[], dict[str, NDArray[Any]]]) -> None:
        self._parts.append(make)

    def encode(self, value: Any, path: str) -> Any:
        """The value as JSON; what is large goes among the tensors."""
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, (tuple, list)):
            return [self.encode(part, path) for part in value]
        if isinstance(value, np.ndarray):
            array, name = np.ascontiguousarray(value), self.name(path)
            self.later(lambda: {name: array})
            return {"tensor": name}
        if hasattr(value, "_descriptor"):
            return self.encode_value(value, path)
        if hasattr(value, "load"):
            return self.encode_source(value, path)
        raise TypeError(
            f"Graph.save: {path} is a {type(value).__name__}; allowed: numbers, text, arrays and values of mpskit. "
            "Make the graph with those."
        )

    def encode_value(self, value: Any, path: str) -> dict[str, Any]:
        return _written(value, {name: self.encode(given, f"{path}.{name}") for name, given in _given(value).items()})

    def encode_source(self, source: Any, path: str) -> dict[str, Any]:
        """A data source of the user's as arrays: loaded now for what it says of itself, and again when its tensors are written."""
        arrays, parameters, names = _core._array_data_source(source), {}, {}
        for field, given in _given(arrays).items():
            if isinstance(given, np.ndarray):
                names[field] = self.name(f"{path}.{field}")
                parameters[field] = {"tensor": names[field]}
            else:
                parameters[field] = self.encode(given, f"{path}.{field}")

        def load() -> dict[str, NDArray[Any]]:
            loaded = _core._array_data_source(source)
            return {name: getattr(loaded, field) for field, name in names.items()}

        self.later(load)
        return _written(arrays, parameters)

    def write(self, file: IO[bytes], graph: dict[str, Any]) -> None:
        metadata = {"format": "mpskit", "mpskit.graph": json.dumps({"version": VERSION, **graph}, allow_nan=False)}
        start = file.tell()
        room = len(json.dumps({"__metadata__": metadata})) + sum(len(json.dumps(name)) + ROOM for name in self._names)
        room += -room % 64
        file.write(bytes(8 + room))  # the header is known when the tensors are written
        header: dict[str, Any] = {"__metadata__": metadata}
        end = 0
        for make in self._parts:
            for name, array in make().items():
                if array.dtype.name not in CODES:
                    raise TypeError(
                        f"Graph.save: {name} is {array.dtype}; allowed: {', '.join(CODES)}. Convert it with astype()."
                    )
                header[name] = {
                    "dtype": CODES[array.dtype.name],
                    "shape": list(array.shape),
                    "data_offsets": [end, end + array.nbytes],
                }
                end += array.nbytes
                file.write(np.ascontiguousarray(array).data)
                del array
        text = json.dumps(header).encode()
        assert len(text) <= room
        file.seek(start)
        file.write(room.to_bytes(8, "little") + text + b" " * (room - len(text)))
        file.seek(0, 2)


class Reader:
    """The parts of a file; tensors are views of it, made when asked for."""

    def __init__(self, data: memoryview, who: str) -> None:
        def damaged(why: str) -> ValueError:
            return ValueError(
                f"{who} is no graph that mpskit saved ({why}); allowed: a file of Graph.save(). Save it again."
            )

        size = int.from_bytes(data[:8], "little")
        if len(data) < 8 or size > len(data) - 8:
            raise damaged("its header is cut off")
        try:
            self._header: dict[str, Any] = json.loads(bytes(data[8 : 8 + size]))
            self.graph: dict[str, Any] = json.loads(self._header.pop("__metadata__")["mpskit.graph"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise damaged(f"{type(error).__name__}: {error}") from None
        if self.graph.get("version") != VERSION:
            raise ValueError(
                f"{who} has version {self.graph.get('version')!r}; allowed: {VERSION}. Read it with a newer mpskit, or save it again."
            )
        self._data = data[8 + size :]
        for name, entry in self._header.items():
            try:
                begin, end = entry["data_offsets"]
                bytes_ = math.prod(entry["shape"]) * np.dtype(NAMES[entry["dtype"]]).itemsize
                fits = 0 <= begin <= end <= len(self._data) and end - begin == bytes_
            except (KeyError, TypeError, ValueError):
                fits = False
            if not fits:
                raise damaged(f"the entry of {name!r} does not fit")

    def has(self, name: str) -> bool:
        return name in self._header

    def tensor(self, name: str) -> NDArray[Any]:
        entry = self._header[name]
        begin, end = entry["data_offsets"]
        array = np.frombuffer(self._data[begin:end], np.dtype(NAMES[entry["dtype"]]))
        return array.reshape(entry["shape"])

    def decode(self, value: Any) -> Any:
        if isinstance(value, list):
            return tuple(self.decode(part) for part in value)
        if not isinstance(value, dict):
            return value
        if "float" in value:
            return float(value["float"])
        if "tensor" in value:
            return self.tensor(value["tensor"])
        family, _, name = value["type"].rpartition(".")
        cls = getattr(getattr(_core, family, None), name, None)
        if family not in ("image", "linalg", "cnn", "rnn") or not hasattr(cls, "_descriptor"):
            raise ValueError(
                f"Graph.load: {value['type']!r} is no kernel of this mpskit; allowed: one of mps.image, mps.cnn. Update mpskit."
            )
        assert cls is not None
        return cls(**{key: self.decode(part) for key, part in value["parameters"].items()})


def _given(value: Any) -> dict[str, Any]:
    """The parameters that are not the default."""
    defaults = {field["name"]: field["default"] for field in value._descriptor["fields"]}
    return {
        name: getattr(value, name) for name, default in defaults.items() if not _equal(getattr(value, name), default)
    }


def _written(value: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    module = type(value).__module__.removeprefix("mpskit.")
    return {"type": f"{module}.{type(value).__name__}", "parameters": parameters}


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    return type(a) is type(b) and bool(a == b)
