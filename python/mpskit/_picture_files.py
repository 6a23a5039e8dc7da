"""Which files a run reads and which it writes, decided before the first is touched."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from . import io

__all__ = ["FilePlan", "plan_files"]


@dataclass
class FilePlan:
    jobs: list[tuple[Path, Path | None]] = field(
        default_factory=list[tuple[Path, Path | None]]
    )  # source, target or memory
    bad: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])  # path, reason


def plan_files(paths: Iterable[str | os.PathLike[str]], out: Path | None, format: str | None) -> FilePlan:
    """Files as given and those of folders, each with its result's name under `out`; a folder's structure is kept."""
    plan = FilePlan()
    claimed: dict[Path, Path] = {}
    given = [Path(p) for p in paths]
    for root in given:
        if root.is_dir():
            pairs = [(p, p.relative_to(root)) for p in _pictures_in(root, out, plan.bad)]
        elif root.exists():
            pairs = [(root, Path(root.name))]
        else:
            pairs = []
            plan.bad.append((str(root), "there is no such file or folder"))
        for source, relative in pairs:
            if out is None:
                plan.jobs.append((source, None))
                continue
            if format is None and relative.suffix.lower() not in io.SUFFIXES:
                reason = f"the suffix {relative.suffix!r} names no format; allowed: {', '.join(io.SUFFIXES)}. Choose one with format"
                plan.bad.append((str(source), reason))
                continue
            target = out / (relative.with_suffix(io.FORMATS[format]) if format else relative)
            if target in claimed:
                raise ValueError(
                    f"Pipeline.run: {claimed[target]} and {source} would both become {target}; allowed: one file a name. "
                    "Process them into two folders, or pass their common folder."
                )
            if target.exists() and target.samefile(source):
                raise ValueError(f"Pipeline.run: {source} would be replaced by its own result. Choose another folder.")
            claimed[target] = source
            plan.jobs.append((source, target))
    if given and not plan.jobs and not plan.bad:
        raise ValueError(
            f"Pipeline.run: no pictures in {', '.join(map(str, given))}; allowed: files with {', '.join(io.SUFFIXES)}."
        )
    return plan


def _pictures_in(root: Path, out: Path | None, bad: list[tuple[str, str]]) -> list[Path]:
    """Pictures of a folder and those below it, sorted; neither hidden ones nor those of the results' folder."""
    results = out.resolve() if out is not None else None
    found: list[Path] = []
    for folder, below, files in os.walk(root, onerror=lambda e: bad.append((str(e.filename), str(e.strerror)))):
        here = Path(folder)
        below[:] = sorted(b for b in below if not b.startswith(".") and (here / b).resolve() != results)
        found += [here / f for f in files if not f.startswith(".") and Path(f).suffix.lower() in io.SUFFIXES]
    return sorted(found)
