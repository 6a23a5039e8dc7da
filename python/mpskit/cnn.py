"""Kernels of convolutional networks (the MPSCNN classes), and weights in files."""

from __future__ import annotations

import json
import mmap
import os
import threading
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from . import _core
from ._core.cnn import *

__all__ = [*_core.cnn.__all__, "FileDataSource"]

_TENSORS = {"F32": "float32", "F16": "float16", "U8": "uint8"}


class FileDataSource:
    """Weights in a file, read when they are loaded: .npy, .npz, .safetensors, or raw numbers.

    .npy, .safetensors and raw files are mapped into memory, not copied: a network's weights come in page by page while its plans are
    made, and need not be in memory together.

    Parameters
    ----------
    path : str or path
        The file with the weights; the end of its name says what it is, anything else is raw.
    name : str, optional
        Of the weights among the arrays of an .npz or .safetensors file.
    bias : str, path or array of float32, optional
        A name in the same file; for .npy and raw files another file of that kind. None is 0.
    shape : tuple of int, optional
        Of raw weights, (output, height, width, input / groups).
    dtype : {"float32", "float16", "uint8"}
        Of raw weights; raw biases are float32. Little-endian.
    offset : int, optional
        Bytes in a raw file before the weights; there may be others behind them. When omitted the file holds nothing else.
    order : {"OHWI", "OIHW"}
        Order of the axes in the file: that of MPS, or that of PyTorch and ONNX, which is turned around when it is loaded.
    label : str, optional
        What messages call it; the name, or that of the file, when omitted.
    **options
        The other parameters of `ArrayDataSource`: neuron, batch_normalization, stride, dilation, groups, ranges, lookup_table.

    Examples
    --------
    >>> conv1 = FileDataSource("model.safetensors", "conv1.weight", bias="conv1.bias", order="OIHW", stride=2, neuron="relu")
    >>> layer = Convolution(conv1, padding=3)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        *,
        bias: str | os.PathLike[str] | NDArray[Any] | None = None,
        shape: tuple[int, ...] | None = None,
        dtype: DTypeLike = "float32",
        offset: int | None = None,
        order: Literal["OHWI", "OIHW"] = "OHWI",
        label: str | None = None,
        **options: Any,
    ) -> None:
        self._path = Path(path)
        self._kind = (
            self._path.suffix.lower() if self._path.suffix.lower() in (".npy", ".npz", ".safetensors") else "raw"
        )
        self._name, self._bias, self._shape, self._dtype, self._offset = name, bias, shape, np.dtype(dtype), offset
        self._order, self._options = order, options
        self.label = label or name or self._path.stem
        self._check()
        self.__dict__.update(options)
        self.weights: NDArray[Any] | None = None
        self.bias: NDArray[Any] | None = None
        self._loads = 0
        self._lock = threading.Lock()

    def _check(self) -> None:
        who = f"FileDataSource '{self.label}'"
        if self._order not in ("OHWI", "OIHW"):
            raise ValueError(
                f"{who}: order is {self._order!r}; allowed: 'OHWI', 'OIHW'. Save the weights in one of them."
            )
        in_archive, is_raw = self._kind in (".npz", ".safetensors"), self._kind == "raw"
        if in_archive != (self._name is not None):
            allowed = "a name in the file, for .npz and .safetensors" if in_archive else "none, for .npy and raw files"
            raise ValueError(f"{who}: name is {self._name!r}; allowed: {allowed}.")
        if is_raw != (self._shape is not None):
            allowed = "(output, height, width, input / groups), for raw files" if is_raw else "none, the file knows it"
            raise ValueError(f"{who}: shape is {self._shape!r}; allowed: {allowed}.")
        fields = _core.cnn.ArrayDataSource._descriptor
        known = {f["name"] for f in fields["fields"]} | {word for word, _ in fields["aliases"]}
        for option in self._options:
            if option not in known - {"weights", "bias", "label"}:
                raise TypeError(
                    f"{who}: unknown keyword '{option}'; allowed: those of ArrayDataSource, such as stride and neuron."
                )

    def load(self) -> None:
        """Map or read the weights and the bias."""
        with self._lock:
            if self._loads == 0:
                weights, bias = self._read(self._path, self._name, self._shape, self._dtype, self._offset), self._bias
                if self._order == "OIHW" and weights.ndim == 4:
                    weights = np.ascontiguousarray(weights.transpose(0, 2, 3, 1))
                if bias is not None and not isinstance(bias, np.ndarray):
                    path, name = (self._path, str(bias)) if self._name is not None else (Path(bias), None)
                    bias = self._read(path, name, (weights.shape[0],), np.dtype(np.float32), None)
                self.weights, self.bias = weights, bias
            self._loads += 1

    def purge(self) -> None:
        """Let go of them."""
        with self._lock:
            self._loads -= 1
            if self._loads == 0:
                self.weights = self.bias = None

    def _read(self, path: Path, name: str | None, shape: Any, dtype: np.dtype[Any], offset: int | None) -> NDArray[Any]:
        if self._kind == ".safetensors":
            return _tensor(path, name)
        if self._kind == ".npy":
            array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
            return array
        if self._kind == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                if name not in arrays:
                    raise ValueError(f"FileDataSource: {path} has no {name!r}; allowed: {', '.join(arrays)}.")
                array = arrays[name]
                return array
        wanted, size = int(np.prod(shape)) * dtype.itemsize, path.stat().st_size - (offset or 0)
        if size < wanted or (size > wanted and offset is None):
            raise ValueError(
                f"FileDataSource: {path} has {size} bytes{f' from {offset} on' if offset else ''}; allowed: {wanted}, for "
                f"{shape} {dtype}. Say with offset where they begin when the file holds more."
            )
        return np.memmap(path, dtype, "r", offset or 0, shape)

    def _parameters(self) -> dict[str, Any]:
        return {
            "bias": self._bias, "shape": self._shape, "dtype": self._dtype.name, "offset": self._offset, "order": self._order,
            "label": self.label, **self._options,
        }  # fmt: skip

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._path, self._name, self._parameters())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FileDataSource):
            return NotImplemented
        return (self._path, self._name) == (other._path, other._name) and _same(self._parameters(), other._parameters())

    def __hash__(self) -> int:
        return hash((self._path, self._name, self._order, self.label))

    def __repr__(self) -> str:
        name = f", {self._name!r}" if self._name is not None else ""
        return f"FileDataSource({str(self._path)!r}{name})"


def _restored(path: Path, name: str | None, parameters: dict[str, Any]) -> FileDataSource:
    return FileDataSource(path, name, **parameters)


def _same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    def equal(x: Any, y: Any) -> bool:
        return np.array_equal(x, y) if isinstance(x, np.ndarray) else bool(x == y)

    return a.keys() == b.keys() and all(type(a[key]) is type(b[key]) and equal(a[key], b[key]) for key in a)


def _tensor(path: Path, name: str | None) -> NDArray[Any]:
    """A tensor of a safetensors file, mapped: the header's length in 8 bytes, a JSON header, the tensors."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    size = int.from_bytes(mapped[:8], "little")
    try:
        header: Any = json.loads(mapped[8 : 8 + size]) if size <= len(mapped) - 8 else None
        header.pop("__metadata__", None)
        entry = header.get(name)
        dtype = _TENSORS.get(entry["dtype"]) if entry else None
        begin, end = entry["data_offsets"] if entry else (0, 0)
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"FileDataSource: {path} is no safetensors file ({error}); allowed: one.") from None
    if entry is None:
        raise ValueError(f"FileDataSource: {path} has no {name!r}; allowed: {', '.join(header)}.")
    if dtype is None:
        raise TypeError(
            f"FileDataSource: {name!r} of {path} is {entry['dtype']}; allowed: {', '.join(_TENSORS)}. Save it as one of them."
        )
    shape = tuple(entry["shape"])
    count = int(np.prod(shape))
    if end - begin != count * np.dtype(dtype).itemsize or 8 + size + end > len(mapped):
        raise ValueError(
            f"FileDataSource: the entry of {name!r} in {path} does not fit; allowed: a whole file. Save it again."
        )
    return np.frombuffer(mapped, dtype, count, 8 + size + begin).reshape(shape)
