"""Tables, JSON and a plot out of timings."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .case import Case
from .limits import seconds_at_least
from .timing import Measured


class Row:
    """One case, measured."""

    def __init__(
        self, case: Case, measured: Sequence[Measured], left_out: dict[str, str], limits: dict[str, Any]
    ) -> None:
        self.case, self.measured, self.left_out = case, list(measured), left_out
        self.ours = next(m for m in measured if m.name == "mpskit")
        exact = [m for m in measured if m.name != "mpskit" and m.is_exact]
        self.best = min(exact, key=lambda m: m.seconds) if exact else None
        self.ratio = self.best.seconds / self.ours.seconds if self.best else math.nan
        self.limit, self.binds = seconds_at_least(limits, case.bytes_moved, case.flops)

    def line(self) -> str:
        share = f"{self.limit / self.ours.seconds:4.0%} {self.binds}" if self.limit else ""
        best = f"{self.best.name} {_ms(self.best.seconds)}" if self.best else "none"
        ratio = f"{self.ratio:.2f}" if self.best else "-"
        others = [m for m in self.measured if m.name != "mpskit" and m is not self.best]
        rest = ", ".join(
            f"{m.name}{'' if m.is_exact else '≠'} {_ms(m.seconds)}" for m in sorted(others, key=lambda m: m.seconds)
        )
        return f"| {self.case.name} | {_ms(self.ours.seconds)} ±{self.ours.spread:.0%} | {best} | **{ratio}** | {share} | {rest} |"

    def as_dict(self) -> dict[str, Any]:
        return {
            "case": self.case.name,
            "family": self.case.family,
            "ratio": None if math.isnan(self.ratio) else self.ratio,
            "limit_seconds": self.limit,
            "limited_by": self.binds,
            "clock": self.case.clock,
            "contenders": [asdict(m) for m in self.measured],
            "left_out": self.left_out,
        }


HEADER = "| case | mpskit ms | fastest exact peer ms | ratio | share of limit | others ms (≠: another definition) |\n|---|--:|--:|--:|--:|---|"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g}"


def geometric_mean(rows: Sequence[Row]) -> float:
    ratios = [r.ratio for r in rows if not math.isnan(r.ratio)]
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else math.nan


def markdown(rows: Sequence[Row], environment: dict[str, Any], limits: dict[str, Any]) -> str:
    e = environment
    versions = ", ".join(f"{k} {v}" for k, v in e["peers"].items())
    out = [
        f"{e['date']}, {e['processor']}, {e['threads']} of {e['cores']} threads, {e['system']}, Python {e['python']}, mpskit {e['mpskit']} at {e['commit']} "
        f"({e['device']}, {e['isa']}); {versions}. `{e['command']}`",
        "",
    ]
    if limits:
        copy = ", ".join(f"{k} MiB {v:.0f}" for k, v in limits["copy_gbs"].items())
        amx = f", AMX bf16 {limits['amx_bf16_gflops']:.0f} GFLOP/s" if limits["amx_bf16_gflops"] else ", no AMX"
        out += [f"Limits: FMA {limits['fma_f32_gflops']:.0f} GFLOP/s{amx}; copy GB/s by working set: {copy}.", ""]
    out += [
        HEADER,
        *(row.line() for row in rows),
        "",
        f"Geometric mean of the ratios: {geometric_mean(rows):.2f}; smallest {min((r.ratio for r in rows if r.best), default=math.nan):.2f}.",
    ]
    left_out = {f"{row.case.name}: {name}: {why}" for row in rows for name, why in row.left_out.items()}
    if left_out:
        out += ["", "Left out:", *(f"- {text}" for text in sorted(left_out))]
    return "\n".join(out) + "\n"


def write_json(path: Path, rows: Sequence[Row], environment: dict[str, Any], limits: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"environment": environment, "limits": limits, "rows": [row.as_dict() for row in rows]}, indent=1)
    )


def plot(path: Path, rows: Sequence[Row], environment: dict[str, Any]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [r for r in rows if r.best]
    figure, axes = plt.subplots(figsize=(9, 0.32 * len(rows) + 1.6), layout="constrained")
    ratios = [r.ratio for r in rows]
    axes.barh([r.case.name for r in rows], ratios, color=["#2a7f62" if r >= 1 else "#b8452f" for r in ratios])
    axes.axvline(1, color="black", linewidth=0.8)
    for y, row in enumerate(rows):
        axes.text(row.ratio, y, f" {row.ratio:.2f} vs {row.best.name if row.best else ''}", va="center", fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, max(ratios, default=1) * 1.3)
    axes.set_xlabel("time of the fastest exact peer / time of mpskit")
    axes.set_title(f"{environment['processor']}, {environment['threads']} threads, {environment['isa']}", fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)
