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
from .timing import Measured, ratio


class Row:
    """One case, measured."""

    def __init__(
        self, case: Case, measured: Sequence[Measured], left_out: dict[str, str], limits: dict[str, Any]
    ) -> None:
        self.case, self.measured, self.left_out = case, list(measured), left_out
        self.ours = next(m for m in measured if m.name == "mpskit")
        exact = [m for m in measured if m.name != "mpskit" and m.is_exact]
        others = [m for m in measured if m.name != "mpskit" and not m.is_exact]
        self.best = min(exact, key=lambda m: m.seconds) if exact else None
        self.nearest = min(others, key=lambda m: m.seconds) if others else None  # of another definition
        self.ratio = ratio(self.ours, self.best) if self.best else math.nan
        self.limit, self.binds = seconds_at_least(limits, case.bytes_moved, case.flops, case.tile_products)

    def line(self) -> str:
        share = f"{self.limit / self.ours.seconds:4.0%} {self.binds}" if self.limit else ""
        best = f"{self.best.name} {_ms(self.best.seconds)}" if self.best else "none"
        value = f"{self.ratio:.2f}" if self.best else "-"
        others = sorted((m for m in self.measured if m not in (self.ours, self.best)), key=lambda m: m.seconds)
        rest = ", ".join(
            f"{m.name}{'' if m.is_exact else '≠'} {_ms(m.seconds)} ({ratio(self.ours, m):.2f})" for m in others
        )
        spread = f" ±{self.ours.spread:.0%}" if self.ours.spread else ""
        return f"| {self.case.name} | {_ms(self.ours.seconds)}{spread} | {best} | **{value}** | {share} | {rest} |"

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


BUSY = 1.5  # load average before the run
HEADER = "| case | mpskit ms | fastest exact peer ms | ratio | share of limit | others ms (ratio; ≠: another definition) |\n|---|--:|--:|--:|--:|---|"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g}"


def geometric_mean(rows: Sequence[Row]) -> float:
    ratios = [r.ratio for r in rows if not math.isnan(r.ratio)]
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else math.nan


def markdown(rows: Sequence[Row], environment: dict[str, Any], limits: dict[str, Any], missing: dict[str, str]) -> str:
    e = environment
    versions = ", ".join(f"{k} {v}" for k, v in e["peers"].items())
    out = [
        f"{e['date']}, {e['processor']}, {e['threads']} of {e['cores']} threads, {e['system']}, Python {e['python']}, mpskit {e['mpskit']} at {e['commit']} "
        f"({e['device']}, {e['isa']}); {versions}. Load of the machine {e['load']:.1f}. `{e['command']}`",
        "",
    ]
    if e["load"] > BUSY:
        out += ["**The machine was busy: these numbers are for orientation only.**", ""]
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
    left_out = [f"{row.case.name}: {name}: {why}" for row in rows for name, why in row.left_out.items()]
    left_out += [f"{name}: not run: {why}" for name, why in missing.items()]
    if left_out:
        out += ["", "Left out:", *(f"- {text}" for text in left_out)]
    return "\n".join(out) + "\n"


def write_json(
    path: Path, rows: Sequence[Row], environment: dict[str, Any], limits: dict[str, Any], missing: dict[str, str]
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    everything = {"environment": environment, "limits": limits, "rows": [r.as_dict() for r in rows], "not_run": missing}
    path.write_text(json.dumps(everything, indent=1))


def plot(path: Path, rows: Sequence[Row], environment: dict[str, Any]) -> None:
    """One bar a case, on a logarithmic axis: how many times as fast as the fastest peer."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, NullLocator

    shown = [(row, peer, ratio(row.ours, peer)) for row in rows if (peer := row.best or row.nearest)]
    figure, axes = plt.subplots(figsize=(9.5, 0.3 * len(shown) + 1.5), layout="constrained")
    for y, (_, peer, value) in enumerate(shown):
        colour = "#2a7f62" if value >= 1 else "#b8452f"
        axes.barh(y, value - 1, left=1, color=colour, alpha=1 if peer.is_exact else 0.45)
        text = f" {value:.2f} × {peer.name}{'' if peer.is_exact else ' ≠'} "
        axes.text(max(value, 1), y, text, va="center", fontsize=8)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log", base=2)
    low, high = (f([value for _, _, value in shown] + [edge]) for f, edge in ((min, 0.5), (max, 2.0)))
    axes.set_xlim(low * 0.9, high * (high / low) ** 0.35)  # room for the words on the right
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yticks(range(len(shown)), [row.case.name for row, _, _ in shown], fontsize=8)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlabel(
        "times as fast as the fastest peer (pale, ≠: no peer has this definition; the nearest one)", fontsize=8
    )
    e = environment
    axes.set_title(
        f"mpskit {e['mpskit']} at {e['commit']}: {e['processor']}, {e['threads']} threads, {e['isa']}", fontsize=9
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)
