"""Weights in files: every kind gives the layer that arrays give; what is missing is said."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps

Array = NDArray[Any]
FileDataSource, Convolution = mps.cnn.FileDataSource, mps.cnn.Convolution


def safetensors(path: Path, tensors: dict[str, Array]) -> None:
    """As others write it: https://github.com/huggingface/safetensors#format."""
    names = {"float32": "F32", "float16": "F16", "uint8": "U8", "float64": "F64"}
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, array in tensors.items():
        header[name] = {
            "dtype": names[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + array.nbytes],
        }
        data += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


@pytest.fixture
def w(rng: np.random.Generator) -> Array:
    return rng.uniform(-1, 1, (8, 3, 5, 4)).astype(np.float32)


@pytest.fixture
def bias(rng: np.random.Generator) -> Array:
    return rng.uniform(-1, 1, 8).astype(np.float32)


def sources(folder: Path, w: Array, bias: Array, **options: Any) -> dict[str, Any]:
    np.save(folder / "w.npy", w)
    np.save(folder / "b.npy", bias)
    np.savez(folder / "w.npz", w=w, b=bias)
    np.savez_compressed(folder / "packed.npz", w=w, b=bias)
    w.tofile(folder / "w.dat")
    bias.tofile(folder / "b.dat")
    (folder / "model.bin").write_bytes(b"head" + w.tobytes() + bias.tobytes())
    safetensors(folder / "w.safetensors", {"odd": np.zeros(3, np.uint8), "w": w, "b": bias})
    safetensors(folder / "oihw.safetensors", {"w": np.ascontiguousarray(w.transpose(0, 3, 1, 2)), "b": bias})
    return {
        "npy": FileDataSource(folder / "w.npy", bias=folder / "b.npy", **options),
        "npz": FileDataSource(folder / "w.npz", "w", bias="b", **options),
        "compressed": FileDataSource(folder / "packed.npz", "w", bias="b", **options),
        "raw": FileDataSource(folder / "w.dat", bias=folder / "b.dat", shape=w.shape, dtype=w.dtype, **options),
        "offset": FileDataSource(folder / "model.bin", bias=bias, shape=w.shape, dtype=w.dtype, offset=4, **options),
        "safetensors": FileDataSource(folder / "w.safetensors", "w", bias="b", **options),
        "oihw": FileDataSource(folder / "oihw.safetensors", "w", bias="b", order="OIHW", **options),
    }


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_every_kind(tmp_path: Path, rng: np.random.Generator, w: Array, bias: Array, dtype: str) -> None:
    w, x = w.astype(dtype), rng.uniform(-1, 1, (6, 7, 4)).astype(np.float32)
    with mps.device("cpu"):
        wanted = Convolution(w, bias=bias, stride=(2, 1), neuron="relu", padding=1)(x)
        for kind, source in sources(tmp_path, w, bias, stride=(2, 1), neuron="relu").items():
            layer = Convolution(source, padding=1)
            np.testing.assert_array_equal(layer(x), wanted, err_msg=kind)
            assert source.weights is None, "purged"
            again = pickle.loads(pickle.dumps(layer))
            assert again == layer
            assert hash(again) == hash(layer)
            np.testing.assert_array_equal(again(x), wanted)


def test_mapped_files_are_not_copied(tmp_path: Path, w: Array, bias: Array) -> None:
    for kind, source in sources(tmp_path, w, bias).items():
        source.load()
        source.load()
        np.testing.assert_array_equal(source.weights, w)
        assert source.weights.flags.writeable == (kind in ("npz", "compressed", "oihw")), "mapped ones are read-only"
        source.purge()
        assert source.weights is not None, "as many purges as loads"
        source.purge()
        assert source.weights is None


def test_values(tmp_path: Path, w: Array, bias: Array) -> None:
    found = sources(tmp_path, w, bias)
    assert found["raw"] == sources(tmp_path, w, bias)["raw"]
    assert found["raw"] != sources(tmp_path, w, bias, stride=2)["raw"]
    assert found["raw"] != found["npy"]
    assert [found[kind].label for kind in ("raw", "npz", "safetensors")] == ["w", "w", "w"]
    assert FileDataSource(tmp_path / "w.npy", label="stem").label == "stem"
    assert repr(found["npz"]) == f"FileDataSource({str(tmp_path / 'w.npz')!r}, 'w')"


def test_reading_again(tmp_path: Path, rng: np.random.Generator, w: Array) -> None:
    """What changed in a file is seen by plans that are made afterwards."""
    np.save(tmp_path / "w.npy", w)
    x = rng.uniform(-1, 1, (6, 7, 4)).astype(np.float32)
    with mps.device("cpu"):
        layer = Convolution(FileDataSource(tmp_path / "w.npy"))
        first = layer(x)
        np.save(tmp_path / "new.npy", -w)
        (tmp_path / "new.npy").replace(tmp_path / "w.npy")
        np.testing.assert_array_equal(layer(x), first)
        np.testing.assert_array_equal(layer.replace()(x), -first)


def test_what_is_refused(tmp_path: Path, w: Array, bias: Array) -> None:
    found = sources(tmp_path, w, bias)
    np.savez(tmp_path / "double.npz", w=w.astype(np.float64))
    safetensors(tmp_path / "double.safetensors", {"w": w.astype(np.float64)})
    whole = (tmp_path / "w.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-9])
    (tmp_path / "none.safetensors").write_bytes(b"\xff" * 20)
    for make, error, text in (
        (lambda: FileDataSource(tmp_path / "w.npz"), ValueError, "FileDataSource 'w': name is None; allowed: a name in the file"),
        (lambda: FileDataSource(tmp_path / "w.npy", "w"), ValueError, "name is 'w'; allowed: none, for .npy and raw files"),
        (lambda: FileDataSource(tmp_path / "w.dat"), ValueError, "shape is None; allowed: (output, height, width, input / groups), for raw"),
        (lambda: FileDataSource(tmp_path / "w.npy", shape=(1,)), ValueError, "shape is (1,); allowed: none, the file knows it"),
        (lambda: FileDataSource(tmp_path / "w.npy", order="HWIO"), ValueError, "order is 'HWIO'; allowed: 'OHWI', 'OIHW'"),
        (lambda: FileDataSource(tmp_path / "w.npy", strid=2), TypeError, "unknown keyword 'strid'; allowed: those of ArrayDataSource"),
        (lambda: Convolution(FileDataSource(tmp_path / "w.npz", "v")), ValueError, "has no 'v'; allowed: w, b"),
        (lambda: Convolution(FileDataSource(tmp_path / "w.safetensors", "v")), ValueError, "has no 'v'; allowed: odd, w, b"),
        (lambda: Convolution(FileDataSource(tmp_path / "double.npz", "w")), TypeError, "weights is (8, 3, 5, 4) float64; allowed: float32"),
        (lambda: Convolution(FileDataSource(tmp_path / "double.safetensors", "w")), TypeError, "is F64; allowed: F32, F16, U8"),
        (lambda: Convolution(FileDataSource(tmp_path / "cut.safetensors", "b")), ValueError, "does not fit; allowed: a whole file"),
        (lambda: Convolution(FileDataSource(tmp_path / "none.safetensors", "w")), ValueError, "is no safetensors file"),
        (lambda: Convolution(FileDataSource(tmp_path / "w.dat", shape=(8, 3, 5, 5))), ValueError, "has 1920 bytes; allowed: 2400"),
        (lambda: Convolution(FileDataSource(tmp_path / "w.dat", shape=(8, 3, 5, 3))), ValueError, "has 1920 bytes; allowed: 1440"),
        (lambda: Convolution(FileDataSource(tmp_path / "gone.npy")), FileNotFoundError, "gone.npy"),
        (lambda: Convolution(FileDataSource(tmp_path / "w.npy", stride=0)), ValueError, "stride_in_pixels_x is 0; allowed"),
    ):  # fmt: skip
        with pytest.raises(error, match=re.escape(text)):
            make()
    assert all(source.weights is None for source in found.values())
