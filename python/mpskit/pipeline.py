"""Chains of kernels over many pictures, decoding, work and encoding at once."""

from __future__ import annotations

import ast
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np

from . import _core, io

__all__ = ["Failure", "Pipeline", "Summary", "parse"]


@dataclass(frozen=True)
class Failure:
    """An item that could not be processed, in the place of its result."""

    index: int
    item: Any
    error: Exception


@dataclass
class Summary:
    """What a run did."""

    done: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)  # file, reason
    seconds: float = 0.0
    device: str = ""
    threads: int = 0
    pixels: int = 0

    @property
    def images_per_second(self) -> float:
        return self.done / self.seconds if self.seconds > 0 else 0.0

    def as_dict(self) -> dict[str, Any]:
        return {
            "images": self.done,
            "failed": [{"file": name, "error": reason} for name, reason in self.failed],
            "seconds": round(self.seconds, 4),
            "images_per_second": round(self.images_per_second, 2),
            "megapixels_per_second": round(self.pixels / 1e6 / self.seconds, 2) if self.seconds > 0 else 0.0,
            "device": self.device,
            "threads": self.threads,
        }


class Pipeline:
    """Kernels applied one after the other to each of many pictures.

    Parameters
    ----------
    kernels : sequence of image kernels, or str
        Each takes one image and gives one. A string is parsed: "gaussian_blur(sigma=2) | lanczos_scale(width=299, height=299)".
    device : str, optional
        "cpu", "metal"; the current device when omitted.
    threads : int, optional
        Pictures worked on at once on the host; the number of threads of mpskit when omitted.

    Notes
    -----
    On the CPU engine each picture stays on one thread from decoding to encoding: its pixels stay in that core's cache and no
    thread waits for another. On a GPU more pictures are in flight than threads work, so that it never waits for a decoder.
    """

    def __init__(self, kernels: Sequence[Any] | str, *, device: str | None = None, threads: int | None = None) -> None:
        self.kernels: tuple[Any, ...] = tuple(parse(kernels) if isinstance(kernels, str) else kernels)
        for kernel in self.kernels:
            if not isinstance(kernel, _core.Kernel):
                raise TypeError(
                    f"Pipeline: {kernel!r} is a {type(kernel).__name__}; allowed: kernels such as mps.image.GaussianBlur(sigma=2). "
                    "Pass a list of kernels, or their text."
                )
        self._device = _core.device(device) if device is not None else _core.default_device()
        if threads is not None and (not isinstance(threads, int) or isinstance(threads, bool) or threads < 1):
            raise ValueError(f"Pipeline: threads is {threads!r}; allowed: an integer from 1.")
        self.threads: int = threads or _core.num_threads()

    def __repr__(self) -> str:
        return f"Pipeline([{', '.join(map(repr, self.kernels))}], device={str(self._device)!r}, threads={self.threads})"

    @property
    def device(self) -> str:
        return str(self._device)

    def __call__(self, image: Any) -> Any:
        """Apply the kernels to one picture: array in, array out; Image in, Image out."""
        if not self.kernels:
            return image
        result = image
        with self._device.command_buffer(label="pipeline") as buffer:
            for kernel in self.kernels[:-1]:
                result = kernel.encode(buffer, result)
            result = self.kernels[-1].encode(buffer, result, temporary=False)
        return result if isinstance(image, _core.Image) else np.asarray(result)

    def map(
        self, iterable: Iterable[Any], *, in_flight: int | None = None, on_error: Literal["raise", "return"] = "raise"
    ) -> Iterator[Any]:
        """Results in the order of the items, computed while the caller uses the ones before.

        Parameters
        ----------
        iterable : iterable of arrays or Images
            Read no further ahead than `in_flight` items.
        in_flight : int, optional
            Items under way at once; threads + 1 when omitted.
        on_error : "raise" or "return"
            Raise the error of a bad item in its place, or give a `Failure` there and go on.
        """
        if on_error not in ("raise", "return"):
            raise ValueError(f"Pipeline.map: on_error is {on_error!r}; allowed: 'raise', 'return'.")
        ahead = self._in_flight(in_flight)
        return self._map(self, iterable, ahead, on_error)

    def run(
        self,
        paths: Iterable[str | os.PathLike[str]],
        out: str | os.PathLike[str],
        *,
        in_flight: int | None = None,
        strict: bool = False,
        force: bool = False,
        format: str | None = None,
        quality: int = 90,
        progress: Callable[[Summary], None] | None = None,
        total: Callable[[int], None] | None = None,
    ) -> Summary:
        """Process files and folders of pictures into a folder.

        Parameters
        ----------
        paths : iterable of str or path
            JPEG, PNG, TIFF and WebP files, or folders of them (searched through; their structure is kept).
        out : str or path
            The folder for the results, made when missing.
        strict : bool
            Stop at the first bad file instead of reporting and skipping it.
        force : bool
            Replace results that exist; otherwise nothing is overwritten.
        format : str, optional
            "jpeg", "png", "tiff" or "webp"; that of each source when omitted.
        quality : int
            Of JPEG and WebP results, 1 to 100.
        progress : callable, optional
            Called with the Summary so far after each file.
        total : callable, optional
            Called once with the number of files, before the first.
        """
        if not isinstance(quality, int) or not 1 <= quality <= 100:
            raise ValueError(f"Pipeline.run: quality is {quality!r}; allowed: 1 <= quality <= 100.")
        jobs = _plan_files(paths, Path(out), format)
        if not force:
            existing = [str(target) for _, target in jobs if target.exists()]
            if existing:
                raise FileExistsError(
                    f"Pipeline.run: {len(existing)} results exist, the first is {existing[0]}; nothing is overwritten. "
                    "Pass force=True (--force), or another folder."
                )
        summary = Summary(device=self.device, threads=self.threads)
        if total is not None:
            total(len(jobs))
        begin = time.perf_counter()

        def process(job: tuple[Path, Path]) -> int:
            source, target = job
            picture = io.load(source)
            result = self(picture.array)
            target.parent.mkdir(parents=True, exist_ok=True)
            io.save(target, result, picture, quality=quality, force=force)
            return int(picture.array.shape[0] * picture.array.shape[1])

        results = self._map(process, jobs, self._in_flight(in_flight), "return")
        try:
            for job, result in zip(jobs, results, strict=True):
                summary.seconds = time.perf_counter() - begin
                if isinstance(result, Failure):
                    if strict:
                        raise result.error
                    summary.failed.append((str(job[0]), str(result.error)))
                else:
                    summary.done += 1
                    summary.pixels += result
                if progress is not None:
                    progress(summary)
        finally:
            results.close()
        return summary

    def _in_flight(self, in_flight: int | None) -> int:
        if in_flight is None:
            return self.threads + 1
        if not isinstance(in_flight, int) or isinstance(in_flight, bool) or in_flight < 1:
            raise ValueError(f"Pipeline: in_flight is {in_flight!r}; allowed: an integer from 1.")
        return in_flight

    def _map(self, function: Callable[[Any], Any], items: Iterable[Any], ahead: int, on_error: str) -> _Results:
        return _Results(self, function, items, ahead, on_error)


class _Results(Iterator[Any]):
    """Ordered results of a function over items, a bounded number under way. Closing it waits for those under way."""

    def __init__(
        self, pipeline: Pipeline, function: Callable[[Any], Any], items: Iterable[Any], ahead: int, on_error: str
    ) -> None:
        # A GPU works while its threads wait, so every item in flight gets a thread there; on the CPU a thread is a core.
        workers = pipeline.threads if pipeline.device == "cpu" else max(ahead, pipeline.threads)
        self._executor = ThreadPoolExecutor(
            workers, thread_name_prefix="mpskit-pipeline", initializer=_enter_worker, initargs=(pipeline._device,)
        )
        self._function = function
        self._items = enumerate(items)
        self._ahead = ahead
        self._on_error = on_error
        self._waiting: deque[tuple[int, Any, Future[Any]]] = deque()

    def __next__(self) -> Any:
        try:
            while len(self._waiting) < self._ahead:
                index, item = next(self._items)
                self._waiting.append((index, item, self._executor.submit(self._function, item)))
        except StopIteration:
            pass
        except BaseException:
            self.close()
            raise
        if not self._waiting:
            self.close()
            raise StopIteration
        index, item, future = self._waiting.popleft()
        try:
            return future.result()
        except Exception as error:
            if self._on_error == "return":
                return Failure(index, item, error)
            self.close()
            raise
        except BaseException:  # Ctrl-C: let what is under way finish, drop the rest
            self.close()
            raise

    def close(self) -> None:
        self._waiting.clear()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> _Results:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_worker = threading.local()


def _enter_worker(device: Any) -> None:
    # Held for the life of the thread: its own queue, its own core, its device.
    _worker.scope = _core._WorkerScope()
    _worker.scope.__enter__()
    _worker.device = device
    device.__enter__()


def parse(text: str) -> list[Any]:
    """Kernels out of their text: "gaussian_blur(sigma=2) | lanczos_scale(width=299, height=299)".

    Names are those of mps.image in snake_case; parameters are Python literals.

    Raises
    ------
    ValueError
        The text is no chain of kernels; the message names the part and the nearest kernel.
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(
            f"pipeline: {text!r} is not a chain of kernels ({error.msg}); allowed: name(key=value) | name(key=value)."
        ) from None
    stages: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        stages.append(node.right)
        node = node.left
    stages.append(node)
    return [_parse_stage(stage) for stage in reversed(stages)]


def _kernels_by_name() -> dict[str, Any]:
    from . import image

    found = {}
    for name in image.__all__:
        kernel = getattr(image, name)
        operands = kernel._descriptor["operands"]
        if [o["role"] for o in operands] == ["input", "output"]:
            found["".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")] = kernel
    return found


def _parse_stage(node: ast.expr) -> Any:
    kernels = _kernels_by_name()
    call = node if isinstance(node, ast.Call) else None
    name_node = call.func if call else node
    if not isinstance(name_node, ast.Name) or (call and call.args):
        raise ValueError(
            f"pipeline: {ast.unparse(node)!r} is not a kernel; allowed: name(key=value), with keywords only."
        )
    if name_node.id not in kernels:
        import difflib

        near = difflib.get_close_matches(name_node.id, kernels, 1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ValueError(f"pipeline: there is no kernel '{name_node.id}'; allowed: {', '.join(kernels)}.{hint}")
    arguments = {}
    for keyword in call.keywords if call else ():
        if keyword.arg is None:
            raise ValueError(f"pipeline: {ast.unparse(node)!r} holds **; allowed: name(key=value).")
        try:
            arguments[keyword.arg] = ast.literal_eval(keyword.value)
        except ValueError:
            raise ValueError(
                f"pipeline: {keyword.arg}={ast.unparse(keyword.value)} is not a literal; allowed: numbers, strings, tuples, True, False, None."
            ) from None
    return kernels[name_node.id](**arguments)


def _plan_files(paths: Iterable[str | os.PathLike[str]], out: Path, format: str | None) -> list[tuple[Path, Path]]:
    suffixes = {"jpeg": ".jpg", "png": ".png", "tiff": ".tif", "webp": ".webp"}
    if format is not None and format not in suffixes:
        raise ValueError(f"Pipeline.run: format is {format!r}; allowed: {', '.join(map(repr, suffixes))}.")
    jobs: list[tuple[Path, Path]] = []
    claimed: dict[Path, Path] = {}
    for given in paths:
        root = Path(given)
        if root.is_dir():
            found = sorted(p for p in root.rglob("*") if p.suffix.lower() in io.SUFFIXES and p.is_file())
            pairs = [(p, p.relative_to(root)) for p in found]
        else:
            pairs = [(root, Path(root.name))]
        for source, relative in pairs:
            suffix = suffixes[format] if format else relative.suffix
            target = out / relative.with_suffix(suffix)
            if target in claimed:
                raise ValueError(
                    f"Pipeline.run: {claimed[target]} and {source} would both become {target}; allowed: one file a name. "
                    "Process them into two folders, or pass their common folder."
                )
            if source.resolve() == target.resolve():
                raise ValueError(f"Pipeline.run: {source} would be replaced by its own result. Choose another folder.")
            claimed[target] = source
            jobs.append((source, target))
    return jobs
