"""What the benchmark scripts share: alternating medians, the machine's line, Markdown tables."""

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax

Run = Callable[[], object]


def seconds(run: Run) -> float:
    """Wall time of one call, its arrays waited for."""
    start = time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - start


def alternating_times(
    runs: Mapping[str, Run], repeats: int, inner: int = 1
) -> dict[str, list[float]]:
    """Times of each run, taken in turns so that a busy spell of the machine hits them all.

    `inner` calls in a row count as one measurement and give their mean.
    """
    for run in runs.values():
        jax.block_until_ready(run())
    times = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            times[name].append(statistics.fmean(seconds(run) for _ in range(inner)))
    return times


def alternating_medians(runs: Mapping[str, Run], repeats: int, inner: int = 1) -> dict[str, float]:
    """Medians of `alternating_times`."""
    times = alternating_times(runs, repeats, inner)
    return {name: statistics.median(measured) for name, measured in times.items()}


def report_of(command: Sequence[object], **keywords: Any) -> Any:
    """The JSON line that a run in a process of its own prints last."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **keywords)
    return json.loads(done.stdout.splitlines()[-1])


def _cpu_model() -> str:
    """The processor's name as Linux gives it, else what Python knows."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def machine_line(*packages: str) -> str:
    """CPU, cores this process may use, and the versions of Python and `packages`."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count()
    versions = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    return f"{_cpu_model()}, {cores} cores; " + ", ".join(
        [f"Python {platform.python_version()}", *versions]
    )


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["-"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def write_report(path: Path | None, *blocks: str) -> None:
    """Print the blocks, one empty line between them, and write them to `path` if there is one."""
    text = "\n\n".join(blocks) + "\n"
    print(text)
    if path:
        path.write_text(text)
