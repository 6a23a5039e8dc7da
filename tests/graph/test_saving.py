"""Graphs in files and pickles."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mpskit as mps
from mpskit.graph import ConcatenationNode, FilterNode, Graph, ImageNode
from tests.support.engine import Engine


@pytest.fixture
def cpu() -> Iterator[Engine]:
    """MPSNNGraph has no node for image kernels."""
    with Engine("cpu") as engine:
        yield engine


def images_graph(handle: Any = "x", **options: Any) -> Graph:
    x = ImageNode(handle)
    a = FilterNode(mps.image.GaussianBlur(sigma=1.3, edge_mode="zero", clip_rect=None), x, label="soft")
    a.result_image.handle, a.result_image.export_from_graph = 7, True
    b = FilterNode(mps.image.GaussianBlur(), a)
    return Graph([ConcatenationNode(a, x, b), b], **options)


def test_round_trip(cpu: Engine, tmp_path: Path, rng: np.random.Generator) -> None:
    graph = images_graph(results_are_needed=[True, False], label="images", device="cpu")
    x = rng.random((5, 6, 3), dtype=np.float32)
    wanted, wanted_inside = graph(x, return_intermediates=True)
    graph.save(tmp_path / "graph.mps")
    assert [file.name for file in tmp_path.iterdir()] == ["graph.mps"]
    for restored in (Graph.load(tmp_path / "graph.mps"), pickle.loads(pickle.dumps(graph))):
        assert restored.source_image_handles == ("x",)
        assert restored.intermediate_image_handles == (7,)
        assert restored.label == "images"
        assert restored.summary() == graph.summary()
        got, inside = restored(x, return_intermediates=True)
        np.testing.assert_array_equal(got[0], wanted[0])
        assert got[1] is None
        np.testing.assert_array_equal(inside[7], wanted_inside[7])
    assert pickle.loads(pickle.dumps(graph)).device == mps.device("cpu")
    assert Graph.load(tmp_path / "graph.mps").device is None
    assert Graph.load(tmp_path / "graph.mps", device="cpu").device == mps.device("cpu")


def test_files_that_are_no_graphs(cpu: Engine, tmp_path: Path) -> None:
    graph, file = images_graph(), tmp_path / "graph.mps"
    graph.save(file)
    whole = file.read_bytes()

    def load(data: bytes) -> Graph:
        file.write_bytes(data)
        return Graph.load(file)

    with pytest.raises(ValueError, match="is empty"):
        load(b"")
    with pytest.raises(ValueError, match="its header is cut off"):
        load(whole[:100])
    with pytest.raises(ValueError, match="no graph that mpskit saved"):
        load(b"\x10" + bytes(7) + b"x" * 16)
    with pytest.raises(FileNotFoundError):
        Graph.load(tmp_path / "none")

    def changed(**parts: Any) -> bytes:
        inner = json.loads(json.loads(whole[8:])["__metadata__"]["mpskit.graph"]) | parts
        text = json.dumps({"__metadata__": {"mpskit.graph": json.dumps(inner)}}).encode()
        return len(text).to_bytes(8, "little") + text

    with pytest.raises(ValueError, match="has version 2; allowed: 1"):
        load(changed(version=2))
    with pytest.raises(ValueError, match="image 99 of 4; allowed: an index below that"):
        load(changed(results=[99]))
    with pytest.raises(ValueError, match="is damaged"):
        load(changed(inputs=None))
    kernel = {"kernel": {"type": "image.Nothing", "parameters": {}}, "sources": [0], "result": 1, "label": ""}
    with pytest.raises(ValueError, match=r"'image\.Nothing' is no kernel of this mpskit"):
        load(changed(nodes=[kernel]))
    kernel["kernel"]["type"] = "os.system"  # type: ignore[index]
    with pytest.raises(ValueError, match=r"'os\.system' is no kernel of this mpskit"):
        load(changed(nodes=[kernel]))


def test_what_cannot_be_saved(cpu: Engine, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"the handle \('x',\) is a tuple; allowed: str, int or None"):
        images_graph(("x",)).save(tmp_path / "graph.mps")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_missing(cpu: Engine, tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError,
        match=r"Graph.save: .*nets.one.safetensors lies in a folder that is not there. Make .*nets first",
    ):
        images_graph(device="cpu").save(tmp_path / "nets" / "one.safetensors")
