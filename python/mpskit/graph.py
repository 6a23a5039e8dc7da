"""Networks: image nodes and filter nodes, put together once, run many times (MPSNNGraph)."""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import IO, Any, Literal, get_args

from . import _core, _graph_file
from ._core import cnn

__all__ = [
    "ConcatenationNode",
    "ConvolutionNode",
    "FilterNode",
    "Graph",
    "ImageNode",
    "MemoryPlan",
    "PoolingMaxNode",
    "SoftMaxNode",
]

Format = Literal["unorm8", "unorm16", "float16", "float32"]


class ImageNode:
    """An image of a network: an input that the caller gives, or the `result_image` of a filter node.

    Parameters
    ----------
    handle : hashable, optional
        What the image is called: key of inputs and of exported images.
    format : {"unorm8", "unorm16", "float16", "float32"}, optional
        How its elements are stored; that of the graph when omitted. A result image begins with that of its node's first source.
    export_from_graph : bool
        Keep the image and give it back when a run asks for `return_intermediates`.

    Notes
    -----
    A graph reads handle, format and export_from_graph when it is made; changing them later does not change it.

    References
    ----------
    MPSNNImageNode, in MPSNNGraphNodes.h.
    """

    __slots__ = ("_format", "_producer", "export_from_graph", "handle")

    def __init__(
        self, handle: Hashable = None, format: Format | None = None, *, export_from_graph: bool = False
    ) -> None:
        self.handle = handle
        self.format = format
        self.export_from_graph = export_from_graph
        self._producer: FilterNode | None = None

    @property
    def format(self) -> Format | None:
        """How its elements are stored; None where that is the graph's."""
        return self._format

    @format.setter
    def format(self, value: Format | None) -> None:
        if value not in (None, *get_args(Format)):
            raise ValueError(
                f"ImageNode: format is {value!r}; allowed: {', '.join(map(repr, get_args(Format)))} or None."
            )
        self._format: Format | None = value

    @classmethod
    def exported(cls, handle: Hashable = None, format: Format | None = None) -> ImageNode:
        """An image node with export_from_graph=True."""
        return cls(handle, format, export_from_graph=True)

    def __repr__(self) -> str:
        parts = [] if self.handle is None else [repr(self.handle)]
        parts += [f"format={self.format!r}"] if self.format is not None else []
        parts += ["export_from_graph=True"] if self.export_from_graph else []
        made = f", result of {self._producer.label}" if self._producer is not None else ""
        return f"ImageNode({', '.join(parts)}{made})" if parts or not made else f"ImageNode(<{made[2:]}>)"


class FilterNode:
    """A kernel in a network, from source images to one result image.

    Parameters
    ----------
    kernel : mps.Kernel
        Any kernel from images to one image, such as ``mps.image.GaussianBlur(sigma=2)``.
    *sources : ImageNode or FilterNode
        The images that it reads, in its order; a node stands for its result.
    label : str, optional
        What errors, summaries and pictures call it.

    Attributes
    ----------
    result_image : ImageNode

    References
    ----------
    MPSNNFilterNode, in MPSNNGraphNodes.h.
    """

    def __init__(self, kernel: _core.Kernel | None, *sources: ImageNode | FilterNode, label: str | None = None) -> None:
        who = type(self).__name__
        if not isinstance(kernel, _core.Kernel) and not (kernel is None and isinstance(self, ConcatenationNode)):
            raise TypeError(f"{who}: kernel is {kernel!r}; allowed: a kernel such as mps.cnn.SoftMax(). Pass one.")
        if not sources:
            raise TypeError(f"{who}: no source is given; allowed: one or more image nodes. Pass ImageNode().")
        self._kernel = kernel
        self._sources = tuple(_image_of(source, who) for source in sources)
        self._label = label
        self._result = ImageNode(format=self._sources[0].format)
        self._result._producer = self

    @property
    def kernel(self) -> _core.Kernel | None:
        """The kernel that the node runs; None for a concatenation."""
        return self._kernel

    @property
    def sources(self) -> tuple[ImageNode, ...]:
        """The images that the node reads."""
        return self._sources

    @property
    def result_image(self) -> ImageNode:
        """The image that the node makes."""
        return self._result

    @property
    def label(self) -> str:
        """Its own label, else what it runs."""
        return (
            self._label if self._label is not None else type(self._kernel).__name__ if self._kernel else "Concatenation"
        )

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.label!r}: {self._kernel!r}>"
            if self._kernel
            else f"<{type(self).__name__} {self.label!r}>"
        )


def _image_of(source: object, who: str) -> ImageNode:
    if isinstance(source, FilterNode):
        return source.result_image
    if isinstance(source, ImageNode):
        return source
    raise TypeError(
        f"{who}: source is a {type(source).__name__}; allowed: an ImageNode, or a node for its result. "
        "Arrays are given to the graph when it runs: put ImageNode() here."
    )


class ConvolutionNode(FilterNode):
    """A convolution; its neuron and batch normalization come from the data source, or are fused from nodes behind it.

    Parameters
    ----------
    source : ImageNode or FilterNode
    weights : data source or array
        As of `mps.cnn.Convolution`: a data source, or an array (output, height, width, input / groups) with bias=, stride=,
        dilation=, groups=, neuron= and batch_normalization= beside it.
    padding : "same", "valid", "full", int, (vertical, horizontal) or ((top, bottom), (left, right))
        Size of the result and where windows lie. Several frameworks mean different things by one word: see
        `padding_remainder` of `mps.cnn.Convolution`.
    accumulator_precision : {"float", "half"}
        "half" lets a GPU accumulate in float16.
    label : str, optional
        The data source's label when omitted.

    References
    ----------
    MPSCNNConvolutionNode, in MPSNNGraphNodes.h.
    """

    def __init__(
        self,
        source: ImageNode | FilterNode,
        weights: Any,
        *,
        padding: Any = "same",
        accumulator_precision: Literal["float", "half"] = "float",
        label: str | None = None,
        **options: Any,
    ) -> None:
        kernel = cnn.Convolution(
            weights, padding=padding, accumulator_precision_option=accumulator_precision, **options
        )
        if label is None:
            label = getattr(kernel.weights, "label", None) or None
        super().__init__(kernel, source, label=label)


class PoolingMaxNode(FilterNode):
    """The largest value of each window. As a node its edge mode is "clamp": pixels beyond the border never win.

    Parameters
    ----------
    source : ImageNode or FilterNode
    filter_size : int, optional
        Width and height of the window; also the stride, unless that is given.
    stride : int or (vertical, horizontal), optional
    padding : "same", "valid", "full", int, (vertical, horizontal) or ((top, bottom), (left, right))
    label : str, optional
    **options
        Other parameters of `mps.cnn.PoolingMax`, such as kernel_width and edge_mode.

    References
    ----------
    MPSCNNPoolingMaxNode, in MPSNNGraphNodes.h.
    """

    def __init__(
        self,
        source: ImageNode | FilterNode,
        filter_size: int | None = None,
        stride: int | tuple[int, int] | None = None,
        *,
        padding: Any = "same",
        label: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            cnn.PoolingMax(padding=padding, **_pooling_options(filter_size, stride, options)), source, label=label
        )


def _pooling_options(filter_size: int | None, stride: Any, options: dict[str, Any]) -> dict[str, Any]:
    out = {"edge_mode": "clamp", **options}
    if filter_size is not None:
        out["kernel_size"] = filter_size
        out.setdefault("stride", filter_size)
    if stride is not None:
        out["stride"] = stride
    return out


class SoftMaxNode(FilterNode):
    """The channels of each pixel as probabilities.

    References
    ----------
    MPSCNNSoftMaxNode, in MPSNNGraphNodes.h.
    """

    def __init__(self, source: ImageNode | FilterNode, *, label: str | None = None) -> None:
        super().__init__(cnn.SoftMax(), source, label=label)


class ConcatenationNode(FilterNode):
    """The channels of several images, one image after the other.

    Nodes before it write straight into its result where they can: when nothing else reads them and their channels begin at a
    multiple of four. The result has the sum of the channels; MPS itself rounds each source up to a multiple of four.

    Parameters
    ----------
    *sources : ImageNode or FilterNode
        Also as one list.
    label : str, optional

    References
    ----------
    MPSNNConcatenationNode, in MPSNNGraphNodes.h.
    """

    def __init__(self, *sources: Any, label: str | None = None) -> None:
        if len(sources) == 1 and isinstance(sources[0], (list, tuple)):
            sources = tuple(sources[0])
        super().__init__(None, *sources, label=label)


@dataclass(frozen=True)
class MemoryPlan:
    """Memory of a graph's intermediate images for one size of inputs, weights and results apart.

    Attributes
    ----------
    bytes, allocations : int
        What a run takes: one block, in which images that are not needed at the same time share bytes.
    least_bytes : int
        Most bytes that are needed at any one time; no plan does with less.
    images : int
        Images in the block.
    separate_bytes, separate_allocations : int
        The same with a buffer for each node.
    places : tuple of (offset, bytes, first_step, last_step)
        Where each image of the block lies, and from which step to which.
    steps : tuple of str
        What runs, in order.
    """

    bytes: int
    allocations: int
    least_bytes: int
    images: int
    separate_bytes: int
    separate_allocations: int
    places: tuple[tuple[int, int, int, int], ...]
    steps: tuple[str, ...]

    def __str__(self) -> str:
        share = f" ({self.bytes / self.separate_bytes:.0%})" if self.separate_bytes else ""
        return (
            f"{self.bytes} bytes in {self.allocations} allocation for {self.images} images, "
            f"of {self.separate_bytes} bytes in {self.separate_allocations} with a buffer for each node{share}"
        )


class Graph(_core.graph.Network):
    """A network, compiled when it is made, run many times. Also a kernel: `encode`, `submit`, `supports` are those of kernels.

    Parameters
    ----------
    result_images : ImageNode or FilterNode, or a sequence of them
        What a run gives. Nodes that no result needs are left out; images that no node makes are the inputs.
    format : {"float32", "float16"}
        How intermediate images and results are stored that have no format of their own. MPS's default is float16.
    results_are_needed : sequence of bool, optional
        False for a result that need not be computed; a run gives None there.
    device : str or mps.Device, optional
        Where it runs; else that of the inputs, else the current one.
    label : str, optional

    Examples
    --------
    >>> x = ImageNode("image")
    >>> conv = ConvolutionNode(x, weights, bias=bias, neuron="relu", padding="same")
    >>> graph = Graph(SoftMaxNode(PoolingMaxNode(conv, filter_size=2)))
    >>> y = graph(picture)

    References
    ----------
    MPSNNGraph, in MPSNNGraph.h.
    """

    _definition: _Definition
    _whole: _core.graph.Network  # with the exported images behind the results
    _needed: tuple[bool, ...]
    _device: _core.Device | None
    _label: str | None

    def __init__(
        self,
        result_images: ImageNode | FilterNode | Sequence[ImageNode | FilterNode],
        format: Literal["float32", "float16"] = "float32",
        *,
        results_are_needed: Sequence[bool] | None = None,
        device: str | _core.Device | None = None,
        label: str | None = None,
    ) -> None:
        given = list(result_images) if isinstance(result_images, Sequence) else [result_images]
        results = [_result_of(result) for result in given]
        needed = (
            [True] * len(results) if results_are_needed is None else [bool(wanted) for wanted in results_are_needed]
        )
        if len(needed) != len(results):
            raise ValueError(
                f"Graph: results_are_needed has {len(needed)} entries; allowed: {len(results)}, one for each result."
            )
        wanted = [image for image, is_needed in zip(results, needed, strict=True) if is_needed]
        self._begin(_Definition.of(wanted, format), needed, device, label)

    def _begin(
        self, definition: _Definition, needed: Sequence[bool], device: str | _core.Device | None, label: str | None
    ) -> None:
        whole = _core.graph.Network(*definition.flat())
        super().__init__(whole, len(definition.results))
        self.__dict__.update(  # a graph is a value: assignment is refused
            _definition=definition,
            _whole=whole,
            _needed=tuple(needed),
            _device=_core.device(device) if isinstance(device, str) else device,
            _label=label,
        )

    # What it is made of.

    @property
    def source_image_handles(self) -> tuple[Hashable, ...]:
        """Handles of the inputs, in the order in which a run takes them."""
        return tuple(self._definition.images[i].handle for i in self._definition.inputs)

    @property
    def intermediate_image_handles(self) -> tuple[Hashable, ...]:
        """Handles of the images that were made with export_from_graph=True."""
        return tuple(self._definition.images[i].handle for i in self._definition.exports)

    @property
    def result_handles(self) -> tuple[Hashable, ...]:
        """Handles of the results, in order."""
        return tuple(self._definition.images[i].handle for i in self._definition.results)

    @property
    def result_handle(self) -> Hashable:
        """Handle of the first result."""
        return self.result_handles[0]

    @property
    def format(self) -> str:
        """How intermediate images are stored that have no format of their own."""
        return self._definition.format

    @property
    def label(self) -> str | None:
        """Its name."""
        return self._label

    @property
    def device(self) -> _core.Device | None:
        """Where it runs; None leaves it to the inputs and the current device."""
        return self._device

    # Running.

    def __call__(self, *inputs: Any, return_intermediates: bool = False, **options: Any) -> Any:
        """Run and wait.

        Parameters
        ----------
        *inputs : array or mps.Image
            In the order of `source_image_handles`; or one mapping from handles. Batches have shape (images, height, width,
            channels).
        return_intermediates : bool
            Give ``(result, {handle: image})`` with the exported images.
        **options
            out, dtype and device, as of every kernel; or inputs by their handles.

        Returns
        -------
        array or mps.Image, or a tuple of them for several results
        """
        given = self._arrange(inputs, options)
        if return_intermediates:
            return self._part(self._whole(*given, **options))
        return self._spread(super().__call__(*given, **options))

    def encode(
        self, command_buffer: _core.CommandBuffer, /, *inputs: Any, return_intermediates: bool = False, **options: Any
    ) -> Any:
        """Record into a command buffer; the result is a temporary of it, or with temporary=False outlives it."""
        given = self._arrange(inputs, options, encodes=True)
        if return_intermediates:
            return self._part(self._whole.encode(command_buffer, *given, **options))
        return self._spread(super().encode(command_buffer, *given, **options))

    def submit(self, *inputs: Any, **options: Any) -> _core.Completion[Any]:
        """Start a run; a Completion, whose result is what a call would have given (without results that are not needed)."""
        return super().submit(*self._arrange(inputs, options), **options)

    def execute_async(self, *inputs: Any, **options: Any) -> _core.Completion[Any]:
        """`submit`, by Apple's name."""
        return self.submit(*inputs, **options)

    def map(
        self, iterable: Iterable[Any], *, in_flight: int = 3, on_error: Literal["raise", "return"] = "raise"
    ) -> Iterator[Any]:
        """Results in the order of the items, computed while the caller uses the ones before.

        Parameters
        ----------
        iterable : iterable
            Of inputs: an array or Image, a tuple of them, or a mapping from handles. Read no further ahead than `in_flight`.
        in_flight : int
            Runs under way at once, and results held for the caller.
        on_error : "raise" or "return"
            Raise the error of a bad item in its place, or give a `mps.pipeline.Failure` there and go on.
        """
        if isinstance(in_flight, bool) or not isinstance(in_flight, int) or in_flight < 1:
            raise ValueError(f"Graph.map: in_flight is {in_flight!r}; allowed: an integer from 1.")
        if on_error not in ("raise", "return"):
            raise ValueError(f"Graph.map: on_error is {on_error!r}; allowed: 'raise', 'return'.")
        return self._map(iterable, in_flight, on_error)

    def _map(self, items: Iterable[Any], ahead: int, on_error: str) -> Iterator[Any]:
        from .pipeline import Failure

        under_way: deque[tuple[int, Any, _core.Completion[Any] | Exception]] = deque()

        def finish() -> Any:
            index, item, run = under_way.popleft()
            try:
                if isinstance(run, Exception):
                    raise run
                return self._spread(run.result())
            except Exception as error:
                if on_error == "raise":
                    raise
                return Failure(index, item, error)

        for index, item in enumerate(items):
            try:
                run: _core.Completion[Any] | Exception = self.submit(*item if isinstance(item, tuple) else (item,))
            except Exception as error:
                run = error
            under_way.append((index, item, run))
            if len(under_way) >= ahead:
                yield finish()
        while under_way:
            yield finish()

    def _arrange(self, inputs: tuple[Any, ...], options: dict[str, Any], encodes: bool = False) -> tuple[Any, ...]:
        if self._device is not None and not encodes:
            options.setdefault("device", self._device)
        if len(inputs) != 1 or not isinstance(inputs[0], Mapping):
            return inputs
        handles = self.source_image_handles
        given = inputs[0]
        missing = [handle for handle in handles if handle not in given]
        unknown = [handle for handle in given if handle not in handles]
        if missing or unknown:
            said = f"no image for {missing[0]!r}" if missing else f"{unknown[0]!r} is no input"
            raise ValueError(
                f"Graph: {said}; allowed: the handles {', '.join(map(repr, handles))}. Give an image for each."
            )
        return tuple(given[handle] for handle in handles)

    def _spread(self, result: Any) -> Any:
        """The results with None in the place of those that are not needed."""
        if all(self._needed):
            return result
        computed = iter(result if len(self._definition.results) > 1 else (result,))
        return tuple(next(computed) if wanted else None for wanted in self._needed)

    def _part(self, outputs: Any) -> tuple[Any, dict[Hashable, Any]]:
        results = len(self._definition.results)
        images = outputs if len(self._definition.exports) + results > 1 else (outputs,)
        return (
            self._spread(images[0] if results == 1 else images[:results]),
            dict(zip(self.intermediate_image_handles, images[results:], strict=True)),
        )

    def reload_from_data_sources(self) -> None:
        """Read all weights again, now. Runs under way keep the old ones."""
        for network in (self, self._whole):
            network._renew()

    # Keeping it.

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to one file, with its weights: a safetensors file. A file that is there is replaced when all is written.

        Data sources are loaded one after the other; handles must be text, whole numbers or None.
        """
        target = Path(path)
        if not target.parent.is_dir():
            raise FileNotFoundError(
                f"Graph.save: {target} lies in a folder that is not there. Make {target.parent} first."
            )
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                self._write(file)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str], device: str | _core.Device | None = None) -> Graph:
        """A graph that was saved, for any device. Weights are read from the file when a device first needs them."""
        import mmap

        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                raise ValueError(f"Graph.load: {path} is empty; allowed: a file of Graph.save().")
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return cls._read(memoryview(mapped), f"Graph.load: {path}", device)

    def __reduce__(self) -> tuple[Any, ...]:
        file = io.BytesIO()
        self._write(file)
        return _restore, (file.getvalue(), self._device)

    def _write(self, file: IO[bytes]) -> None:
        writer, d = _graph_file.Writer(), self._definition
        for image in d.images:
            if not isinstance(image.handle, (str, int, type(None))):
                raise TypeError(
                    f"Graph.save: the handle {image.handle!r} is a {type(image.handle).__name__}; allowed: str, int or None. "
                    "Give ImageNode() such a handle."
                )
        writer.write(
            file,
            {
                "label": self._label,
                "format": d.format,
                "images": [{"handle": image.handle, "format": image.format} for image in d.images],
                "nodes": [
                    {
                        "kernel": None if kernel is None else writer.encode(kernel, label),
                        "sources": sources,
                        "result": result,
                        "label": label,
                    }
                    for kernel, sources, result, label in d.nodes
                ],
                "inputs": d.inputs,
                "results": d.results,
                "exports": d.exports,
                "needed": self._needed,
            },
        )

    @classmethod
    def _read(cls, data: memoryview, who: str, device: str | _core.Device | None) -> Graph:
        reader = _graph_file.Reader(data, who)
        g = reader.graph
        try:
            definition = _Definition(
                tuple(_Image(image["handle"], image["format"]) for image in g["images"]),
                tuple((reader.decode(n["kernel"]), tuple(n["sources"]), n["result"], n["label"]) for n in g["nodes"]),
                tuple(g["inputs"]),
                tuple(g["results"]),
                tuple(g["exports"]),
                g["format"],
            )
            graph = cls.__new__(cls)
            graph._begin(definition, g["needed"], device, g["label"])
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(
                f"{who} is damaged ({type(error).__name__}: {error}); allowed: a file of Graph.save()."
            ) from error
        return graph

    # Looking at it.

    def memory_plan(self, *inputs: Any) -> MemoryPlan:
        """Memory of the intermediate images.

        Parameters
        ----------
        *inputs : tuple of int, array or mps.Image
            Shapes of the inputs, or what has them; those of the last run when omitted.

        Notes
        -----
        On Metal MPS plans the memory of its temporary images by itself; this is what the CPU engine takes.
        """
        plan: dict[str, Any] = self._memory_plan(self._shapes_of(inputs))
        return MemoryPlan(**{**plan, "places": tuple(plan["places"]), "steps": tuple(plan["steps"])})

    def summary(self, *inputs: Any) -> str:
        """The nodes as they run, one a line; with shapes after the first run, or for these inputs (as of `memory_plan`)."""
        definition = self._definition
        try:
            shapes = self._shapes(self._shapes_of(inputs))
        except ValueError:
            if inputs:
                raise
            shapes = [None] * len(definition.images)
        rows = [("node", "kind", "reads", "shape", "dtype")]

        def row(name: str, kind: str, reads: str, image: int) -> None:
            shape = shapes[image]
            extents = "" if shape is None else "x".join(map(str, shape[1:] if shape[1] > 1 else shape[2:]))
            rows.append((name, kind, reads, extents, "" if shape is None else shape[0]))

        names = {image: definition.name_of(image) for image in definition.inputs}
        for image in definition.inputs:
            row(names[image], "input", "", image)
        for kind, sources, result, label in self._nodes():
            names[result] = label
            row(label, kind, ", ".join(names[s] for s in sources), result)
        widths = [max(len(r[column]) for r in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(text.ljust(width) for text, width in zip(r, widths, strict=True)).rstrip() for r in rows]
        lines.append("results: " + ", ".join(names[image] for image in definition.results))
        return "\n".join(lines)

    def to_dot(self) -> str:
        """The nodes as they run, in the language of Graphviz."""
        drawn = _Drawing(self)
        quoted = {
            key: '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
            for key, (text, _) in drawn.boxes.items()
        }
        lines = ["digraph {", "  node [shape=box];"]
        lines += [
            f"  n{key} [label={text}{'' if drawn.boxes[key][1] else ', shape=oval'}];" for key, text in quoted.items()
        ]
        lines += [f"  n{a} -> n{b};" for a, b in drawn.arrows]
        return "\n".join([*lines, "}"])

    def _repr_svg_(self) -> str:
        return _Drawing(self).svg()

    def __repr__(self) -> str:
        handles = ", ".join(repr(handle) for handle in self.source_image_handles)
        name = f" {self._label!r}" if self._label else ""
        return f"<mps.graph.Graph{name}: {len(self._nodes())} nodes, inputs {handles}, format {self.format!r}>"

    def _shapes_of(self, inputs: tuple[Any, ...]) -> list[tuple[str, int, int, int, int]] | None:
        return [_shape_of(x, self.format) for x in inputs] if inputs else None


def _restore(data: bytes, device: _core.Device | None) -> Graph:
    return Graph._read(memoryview(data), "Graph: the pickled graph", device)


def _result_of(result: object) -> ImageNode:
    if isinstance(result, FilterNode):
        return result.result_image
    if isinstance(result, ImageNode):
        return result
    raise TypeError(
        f"Graph: result is a {type(result).__name__}; allowed: an image node, a node for its result, or a sequence of them. "
        "Pass node.result_image."
    )


def _shape_of(x: Any, dtype: str) -> tuple[str, int, int, int, int]:
    shape = tuple(x) if isinstance(x, (tuple, list)) else tuple(x.shape)
    if not isinstance(x, (tuple, list)):
        dtype = str(x.dtype)
    if len(shape) not in (2, 3, 4) or not all(isinstance(n, int) for n in shape):
        raise ValueError(
            f"Graph: shape is {shape!r}; allowed: (height, width), (height, width, channels) or (images, height, width, channels)."
        )
    n, h, w, c = {2: (1, *shape, 1), 3: (1, *shape), 4: shape}[len(shape)]
    return dtype, n, h, w, c


@dataclass(frozen=True)
class _Image:
    handle: Hashable
    format: str | None


@dataclass(frozen=True)
class _Definition:
    """The nodes of a graph as its maker gave them: what is compiled and saved."""

    images: tuple[_Image, ...]
    nodes: tuple[tuple[_core.Kernel | None, tuple[int, ...], int, str], ...]  # kernel, sources, result, label
    inputs: tuple[int, ...]
    results: tuple[int, ...]
    exports: tuple[int, ...]
    format: str

    @classmethod
    def of(cls, results: Sequence[ImageNode], format: str) -> _Definition:
        """Everything that the results need, walking backwards from them; no recursion, networks are deep."""
        number: dict[int, int] = {}  # by identity of the image node
        images: list[ImageNode] = []
        nodes: list[tuple[_core.Kernel | None, tuple[int, ...], int, str]] = []
        inputs: list[int] = []

        def add(image: ImageNode) -> int:
            number[id(image)] = len(images)
            images.append(image)
            return len(images) - 1

        waiting = list(reversed(results))
        while waiting:
            image = waiting[-1]
            producer = image._producer
            if id(image) in number:
                waiting.pop()
            elif producer is None:
                inputs.append(add(image))
                waiting.pop()
            elif missing := [source for source in producer.sources if id(source) not in number]:
                waiting.extend(reversed(missing))
            else:
                sources = tuple(number[id(source)] for source in producer.sources)
                nodes.append((producer.kernel, sources, add(image), producer.label))
                waiting.pop()
        wanted = tuple(number[id(image)] for image in results)
        exports = tuple(
            i
            for i, image in enumerate(images)
            if image.export_from_graph and image._producer is not None and i not in wanted
        )
        made = cls(
            tuple(_Image(image.handle, image.format) for image in images),
            _with_own_labels(nodes),
            tuple(inputs),
            wanted,
            exports,
            format,
        )
        made.check()
        return made

    def check(self) -> None:
        for what, group in (("inputs", self.inputs), ("exported images", self.exports)):
            handles = [self.images[i].handle for i in group]
            for handle in handles:
                if handle is None and (len(handles) == 1 or what == "inputs"):
                    continue
                if handles.count(handle) > 1:
                    raise ValueError(
                        f"Graph: two {what} have the handle {handle!r}; allowed: one each. Give ImageNode() another handle."
                    )

    def name_of(self, image: int) -> str:
        """For messages: the handle, else the label of the node, else the place among the inputs."""
        handle = self.images[image].handle
        if handle is not None:
            return str(handle)
        for _, _, result, label in self.nodes:
            if result == image:
                return label
        return "image" if len(self.inputs) == 1 else f"image{self.inputs.index(image)}"

    def flat(self) -> tuple[Any, ...]:
        """What the compiled core takes; exported images are outputs behind the results."""
        images = [(self.name_of(i), image.format) for i, image in enumerate(self.images)]
        return images, list(self.nodes), list(self.inputs), [*self.results, *self.exports], self.format


def _with_own_labels(
    nodes: list[tuple[_core.Kernel | None, tuple[int, ...], int, str]],
) -> tuple[tuple[_core.Kernel | None, tuple[int, ...], int, str], ...]:
    """Labels that several nodes have get a number, so that a message names one node."""
    count: dict[str, int] = {}
    for node in nodes:
        count[node[3]] = count.get(node[3], 0) + 1
    seen: dict[str, int] = {}
    out = []
    for kernel, sources, result, label in nodes:
        seen[label] = seen.get(label, 0) + 1
        out.append((kernel, sources, result, label if count[label] == 1 else f"{label}_{seen[label]}"))
    return tuple(out)


class _Drawing:
    """Boxes in layers, arrows between them."""

    def __init__(self, graph: Graph) -> None:
        definition = graph._definition
        self.boxes: dict[int, tuple[str, bool]] = {i: (definition.name_of(i), False) for i in definition.inputs}
        self.arrows: list[tuple[int, int]] = []
        depth = dict.fromkeys(definition.inputs, 0)
        for kind, sources, result, label in graph._nodes():
            self.boxes[result] = (label if label.startswith(kind) else f"{label}\n{kind}", True)
            self.arrows += [(source, result) for source in sources]
            depth[result] = 1 + max(depth[source] for source in sources)
        self.layers: list[list[int]] = [[] for _ in range(1 + max(depth.values()))]
        for image, layer in depth.items():
            self.layers[layer].append(image)

    def svg(self) -> str:
        width, height, across, down = 150, 36, 20, 30
        most = max(len(layer) for layer in self.layers)
        total = most * (width + across) + across
        corner = {}
        for row, layer in enumerate(self.layers):
            left = (total - len(layer) * (width + across) + across) / 2
            for column, image in enumerate(layer):
                corner[image] = (left + column * (width + across), down / 2 + row * (height + down))
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{len(self.layers) * (height + down)}" '
            'font-family="sans-serif" font-size="12" text-anchor="middle">',
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0 0L8 4L0 8z" fill="#666"/></marker></defs>',
        ]
        for a, b in self.arrows:
            (x1, y1), (x2, y2) = corner[a], corner[b]
            parts.append(
                f'<line x1="{x1 + width / 2:g}" y1="{y1 + height:g}" x2="{x2 + width / 2:g}" y2="{y2:g}" stroke="#666" marker-end="url(#tip)"/>'
            )
        for image, (x, y) in corner.items():
            text, is_node = self.boxes[image]
            parts.append(
                f'<rect x="{x:g}" y="{y:g}" width="{width}" height="{height}" rx="{4 if is_node else 16}" '
                f'fill="{"#eef" if is_node else "#fff"}" stroke="#336"/>'
            )
            lines = text.split("\n")
            for i, line in enumerate(lines):
                shown = line if len(line) <= 22 else line[:21] + "…"
                parts.append(
                    f'<text x="{x + width / 2:g}" y="{y + 22 - 7 * (len(lines) - 1) + 14 * i:g}">{escape(shown)}</text>'
                )
        return "".join([*parts, "</svg>"])
