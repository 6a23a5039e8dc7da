"""Chains of kernels over many pictures, decoding, work and encoding at once."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from . import _core, io
from ._kernel_text import parse
from ._picture_files import FilePlan, plan_files

__all__ = ["Failure", "Pipeline", "Results", "Summary", "parse"]


@dataclass(frozen=True)
class Failure:
    """An item that could not be processed, in the place of its result."""

    index: int
    item: Any
    error: Exception


_STAGES = ("read", "decode", "kernels", "encode")


@dataclass
class Summary:
    """What a run did."""

    done: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])  # file, reason
    existing: int = 0  # left alone, because their results were there
    seconds: float = 0.0
    device: str = ""
    threads: int = 0
    pixels: int = 0  # of the sources
    stages: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(_STAGES, 0.0)
    )  # seconds, all threads together
    results: list[NDArray[Any] | None] | None = field(
        default=None, repr=False
    )  # in the order of the files; a run without `out`

    @property
    def images_per_second(self) -> float:
        return self.done / self.seconds if self.seconds > 0 else 0.0

    def as_dict(self) -> dict[str, Any]:
        return {
            "images": self.done,
            "failed": [{"file": name, "error": reason} for name, reason in self.failed],
            "existing": self.existing,
            "seconds": round(self.seconds, 4),
            "images_per_second": round(self.images_per_second, 2),
            "megapixels_per_second": round(self.pixels / 1e6 / self.seconds, 2) if self.seconds > 0 else 0.0,
            "stage_seconds": {name: round(seconds, 4) for name, seconds in self.stages.items()},
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
        self.threads: int = _count("threads", threads, _core.num_threads())

    def __repr__(self) -> str:
        return f"Pipeline([{', '.join(map(repr, self.kernels))}], device={str(self._device)!r}, threads={self.threads})"

    @property
    def device(self) -> str:
        return str(self._device)

    def __call__(self, image: Any) -> Any:
        """Apply the kernels to one picture: array in, array out; Image in, Image out; a file's path in, array out."""
        if isinstance(image, (str, os.PathLike)):
            image = io.load(image).array
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
    ) -> Results:
        """Results in the order of the items, computed while the caller uses the ones before.

        Parameters
        ----------
        iterable : iterable of arrays, Images, or paths of picture files
            Read no further ahead than `in_flight` items. Files are decoded by the threads that do the work.
        in_flight : int, optional
            Items under way at once; threads + 1 when omitted.
        on_error : "raise" or "return"
            Raise the error of a bad item in its place, or give a `Failure` there and go on.

        Returns
        -------
        iterator
            Its `close()`, or leaving it as a context manager, waits for what is under way and drops the rest.
        """
        if on_error not in ("raise", "return"):
            raise ValueError(f"Pipeline.map: on_error is {on_error!r}; allowed: 'raise', 'return'.")
        ahead = _count("in_flight", in_flight, self.threads + 1)
        return Results(self, iterable, ahead, on_error)

    def run(
        self,
        paths: Iterable[str | os.PathLike[str]],
        out: str | os.PathLike[str] | None = None,
        *,
        in_flight: int | None = None,
        strict: bool = False,
        force: bool = False,
        skip_existing: bool = False,
        format: str | None = None,
        quality: int = 90,
        progress: Callable[[Summary], None] | None = None,
        total: Callable[[int], None] | None = None,
    ) -> Summary:
        """Process files and folders of pictures into a folder.

        Parameters
        ----------
        paths : iterable of str or path
            JPEG, PNG, TIFF and WebP files, or folders of them (searched through, without hidden files; their structure is kept).
        out : str or path, optional
            The folder for the results, made when missing. Without it they are kept in memory: `Summary.results`.
        in_flight : int, optional
            Pictures under way at once; threads + 1 when omitted. On the CPU engine never more than threads.
        strict : bool
            Stop at the first bad file instead of reporting and skipping it.
        force : bool
            Replace results that exist; otherwise nothing is overwritten.
        skip_existing : bool
            Leave out the files whose results exist, for instance after a run that was stopped.
        format : str, optional
            "jpeg", "png", "tiff" or "webp"; that of each source when omitted.
        quality : int
            Of JPEG and WebP results, 1 to 100.
        progress : callable, optional
            Called with the Summary so far after each file, in this thread.
        total : callable, optional
            Called once with the number of files, before the first.

        Raises
        ------
        FileExistsError
            A result exists, and neither `force` nor `skip_existing` is set. Nothing was done.
        ValueError
            The arguments are wrong, there is no picture, or `strict` is set and a file is bad.
        """
        io.require_pillow()
        folder = Path(out) if out is not None else None
        _check_output(format, quality, force, skip_existing)
        if folder is not None:
            _refuse_what_is_no_picture(self.kernels)
        workers = _count("in_flight", in_flight, self.threads + 1)
        if self.device == "cpu":  # there a picture under way is a thread at work
            workers = min(workers, self.threads)
        plan = plan_files([paths] if isinstance(paths, (str, os.PathLike)) else paths, folder, format)
        summary = Summary(device=self.device, threads=self.threads)
        if skip_existing:
            found = len(plan.jobs)
            plan.jobs = [job for job in plan.jobs if job[1] is None or not job[1].exists()]
            summary.existing = found - len(plan.jobs)
        elif not force:
            _refuse_existing(plan)
        results: list[NDArray[Any] | None] = [None] * len(plan.jobs)
        if folder is None:
            summary.results = results
        else:
            _make_folder(folder)
        if total is not None:
            total(len(plan.jobs) + len(plan.bad))

        begin = time.perf_counter()
        for name, reason in plan.bad:
            self._report(summary, Path(name), reason, strict, progress)
        jobs: SimpleQueue[int] = SimpleQueue()
        for index in range(len(plan.jobs)):
            jobs.put(index)
        answers: SimpleQueue[_Answer] = SimpleQueue()
        is_stopped = False

        def process_jobs() -> None:
            while not is_stopped:
                try:
                    index = jobs.get_nowait()
                except Empty:
                    return
                source, target = plan.jobs[index]
                crew.answer(answers, index, self._process, source, target, quality, force)

        crew = _Crew(self, workers)
        try:
            for _ in range(min(workers, len(plan.jobs))):
                crew.submit(process_jobs)
            for _ in plan.jobs:
                answer = answers.get()
                summary.seconds = time.perf_counter() - begin
                if answer.error is not None:
                    source = plan.jobs[answer.index][0]
                    self._report(summary, source, _reason(answer.error), strict, progress, answer.error)
                    continue
                done: _Done = answer.result
                summary.done += 1
                summary.pixels += done.pixels
                for name, seconds in zip(_STAGES, done.seconds, strict=True):
                    summary.stages[name] += seconds
                results[answer.index] = done.result
                if progress is not None:
                    progress(summary)
        finally:
            is_stopped = True
            crew.close()
        return summary

    @staticmethod
    def _report(
        summary: Summary,
        source: Path,
        reason: str,
        strict: bool,
        progress: Callable[[Summary], None] | None,
        error: BaseException | None = None,
    ) -> None:
        summary.failed.append((str(source), reason))
        if progress is not None:
            progress(summary)
        if strict:
            raise ValueError(f"Pipeline.run: {source}: {reason}") from error

    def _process(self, source: Path, target: Path | None, quality: int, force: bool) -> _Done:
        times = [time.perf_counter()]
        data = source.read_bytes()
        times.append(time.perf_counter())
        picture = io.decode(data)
        times.append(time.perf_counter())
        result = self(picture.array)
        times.append(time.perf_counter())
        if target is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            io.save(target, result, picture, quality=quality, force=force)
        times.append(time.perf_counter())
        seconds = [after - before for before, after in itertools.pairwise(times)]
        height, width = picture.array.shape[:2]
        return _Done(height * width, seconds, result if target is None else None)


@dataclass(frozen=True)
class _Done:
    pixels: int
    seconds: list[float]  # of each stage
    result: NDArray[Any] | None


class Results(Iterator[Any]):
    """Ordered results of a pipeline over items, a bounded number under way. Closing it waits for those under way."""

    def __init__(self, pipeline: Pipeline, items: Iterable[Any], ahead: int, on_error: str) -> None:
        # A GPU works while its threads wait, so every item in flight gets a thread there; on the CPU a thread is a core.
        self._crew = _Crew(pipeline, min(ahead, pipeline.threads) if pipeline.device == "cpu" else ahead)
        self._pipeline = pipeline
        self._items = enumerate(items)
        self._ahead = ahead
        self._on_error = on_error
        self._waiting: deque[tuple[Any, SimpleQueue[_Answer]]] = deque()
        self._ended: Exception | None = None  # the items' own error; it comes after the results of those before it

    def __next__(self) -> Any:
        try:
            self._read_ahead()
            if not self._waiting:
                raise self._ended or StopIteration()
            item, box = self._waiting.popleft()
            answer = box.get()
            if answer.error is None:
                return answer.result
            if isinstance(answer.error, Exception) and self._on_error == "return":
                return Failure(answer.index, item, answer.error)
            try:
                raise answer.error
            finally:
                del answer  # the error's traceback holds this frame
        except BaseException:  # Ctrl-C too: what is under way finishes, the rest is dropped
            self.close()
            raise

    def _read_ahead(self) -> None:
        try:
            while len(self._waiting) < self._ahead and self._ended is None:
                index, item = next(self._items)
                box: SimpleQueue[_Answer] = SimpleQueue()
                self._crew.submit(self._crew.answer, box, index, self._pipeline, item)
                self._waiting.append((item, box))
        except Exception as error:
            self._ended = error

    def close(self) -> None:
        self._ended = StopIteration()
        self._waiting.clear()
        self._crew.close()

    def __enter__(self) -> Results:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class _Answer:
    index: int
    result: Any = None
    error: BaseException | None = None


class _Crew:
    """The threads of a pipeline.

    Answers come by SimpleQueue, never by waiting for a future: Ctrl-C can end a wait of Python's futures and conditions just after
    it has taken their lock, and the worker that is to answer then waits for that lock for ever.
    """

    def __init__(self, pipeline: Pipeline, workers: int) -> None:
        self._device = pipeline._device
        # One worker with several threads at its disposal spreads each picture over them.
        self._is_serial = workers > 1 or pipeline.threads == 1
        self._worker = threading.local()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="mpskit-pipeline")

    def submit(self, work: Callable[..., None], *arguments: Any) -> None:
        self._pool.submit(work, *arguments)

    def answer(self, answers: SimpleQueue[_Answer], index: int, work: Callable[..., Any], *arguments: Any) -> None:
        """In a worker: an error is an answer too."""
        try:
            self._enter()
            answers.put(_Answer(index, work(*arguments)))
        except BaseException as error:  # whatever it is, somebody waits for it
            answers.put(_Answer(index, error=error))

    def close(self) -> None:
        """Wait for what is under way and drop the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _enter(self) -> None:
        # Held for the life of the thread: its device and, where it is to stay on one core, a queue of its own.
        if hasattr(self._worker, "device"):
            return
        if self._is_serial:
            self._worker.scope = _core._WorkerScope()
            self._worker.scope.__enter__()
        self._device.__enter__()
        self._worker.device = self._device


def _count(name: str, value: int | None, default: int) -> int:
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1024:
        raise ValueError(f"Pipeline: {name} is {value!r}; allowed: an integer, 1 <= {name} <= 1024.")
    return value


def _check_output(format: str | None, quality: int, force: bool, skip_existing: bool) -> None:
    io.check_encoding("Pipeline.run", format, quality)
    if force and skip_existing:
        raise ValueError("Pipeline.run: force and skip_existing are both set; allowed: one of them.")


def _refuse_what_is_no_picture(kernels: Sequence[Any]) -> None:
    """The same reason for every file is better said once, before the first."""
    kinds = [o["kind"] for o in kernels[-1]._descriptor["operands"] if o["role"] == "output"] if kernels else ["image"]
    if kinds != ["image"]:
        raise ValueError(
            f"Pipeline.run: {type(kernels[-1]).__name__} gives {' and '.join('an image' if k == 'image' else f'a {k}' for k in kinds)}; allowed: a last kernel that gives one image, as "
            "a file holds. Take its results with Pipeline.map, or with Pipeline.run without a folder."
        )


def _refuse_existing(plan: FilePlan) -> None:
    existing = [str(target) for _, target in plan.jobs if target is not None and target.exists()]
    if existing:
        raise FileExistsError(
            f"Pipeline.run: {len(existing)} of the results exist, the first is {existing[0]}; nothing is overwritten. "
            "Pass force=True (--force) to replace them, skip_existing=True (--skip-existing) to leave them, or another folder."
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise ValueError(f"Pipeline.run: out is {folder}, which is a file; allowed: a folder.") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"Pipeline.run: out is {folder}, where this user may not write. Choose another folder.")


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.strerror}: {error.filename}"
    return str(error) or type(error).__name__
