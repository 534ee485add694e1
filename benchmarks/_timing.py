"""What the benchmark scripts share: medians, costs of a first call, processes, Markdown tables."""

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
from _memory import peak_memory
from jax.extend.core import Jaxpr, jaxprs_in_params

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


def cpu_seconds() -> float:
    """Processor time of this process in all its threads, and of its children that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def equations(jaxpr: Jaxpr) -> int:
    """How many equations a traced program has, with those inside its calls and loops."""
    inner = (one for equation in jaxpr.eqns for one in jaxprs_in_params(equation.params))
    return len(jaxpr.eqns) + sum(map(equations, inner))


def first_call(function: Callable[..., object], *arguments: object) -> dict[str, float]:
    """CPU seconds that `function` takes under `jit` before its first number, and its size."""
    marks = [cpu_seconds()]
    traced = jax.jit(function).trace(*arguments)
    marks.append(cpu_seconds())
    lowered = traced.lower()
    marks.append(cpu_seconds())
    compiled = lowered.compile()
    marks.append(cpu_seconds())
    jax.block_until_ready(compiled(*arguments))
    return {
        "trace": marks[1] - marks[0],
        "lower": marks[2] - marks[1],
        "compile": marks[3] - marks[2],
        "cpu": marks[3] - marks[0],
        "peak": peak_memory(),
        "equations": equations(traced.jaxpr.jaxpr),
        "stablehlo": len(lowered.as_text()),
    }


def watched(
    command: Sequence[object], until: Callable[[], bool] | None = None, **keywords: Any
) -> dict[str, float]:
    """Wall and CPU seconds and peak memory of a command; it is killed once `until()` holds."""
    before, own = cpu_seconds(), time.process_time()
    start, peak, reached = time.perf_counter(), 0, False
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, **keywords) as process:
        while process.poll() is None and not reached:
            peak = max(peak, peak_memory(process.pid))
            time.sleep(0.02)
            reached = until is not None and until()
        wall = time.perf_counter() - start
        process.kill()
    if not reached and (until is not None or process.returncode != 0):
        raise RuntimeError(f"`{' '.join(map(str, command))}` ended with {process.returncode}.")
    cpu = cpu_seconds() - before - (time.process_time() - own)
    return {"wall": wall, "cpu": cpu, "peak": peak}


def report_of(command: Sequence[object], **keywords: Any) -> Any:
    """The JSON line that a run in a process of its own prints last."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **keywords)
    return json.loads(done.stdout.splitlines()[-1])


def cpu_model() -> str:
    """The processor's name as Linux gives it, else what Python knows."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def versions(*packages: str) -> str:
    """The versions of Python and `packages`."""
    known = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    return ", ".join([f"Python {platform.python_version()}", *known])


def machine_line(*packages: str) -> str:
    """CPU, cores this process may use, and the versions of Python and `packages`."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count()
    return f"{cpu_model()}, {cores} cores; {versions(*packages)}"


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
