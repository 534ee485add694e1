"""A sweep killed at random moments and resumed each time: `kill_campaign.md`.

2,000 points of a cavity. The process gets SIGKILL 20 times, after a random number of boxes that are
done and a random part of the time for one more, or while it still starts. In the end the store has
to be that of an undisturbed sweep, byte for byte, and no file of a finished box may have changed.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _timing import machine_line, write_report

KILLS, SEED = 20, 2027
STUDY = """\
[system]
kind = "cavity"
frequency = 1.0
initial = { fock = 5 }
[[reservoir]]
temperature = 2.0
spectral_density = { kind = "ohmic", eta = 0.05, cutoff = 5.0 }
[time]
stop = 40.0
points = 401
[solver]
kind = "resonance"
nodes = 128
rtol = 1e-4
[sweep]
quantities = ["energy", "entropy", "temperature"]
[sweep.axes]
"reservoir.0.spectral_density.eta" = { start = 0.001, stop = 0.3, points = 100, spacing = "log" }
"reservoir.0.temperature" = { start = 0.5, stop = 10.0, points = 20, name = "kT0" }
"""


def start(study, store):
    """The sweep in a process of its own; compiled programs are kept, so that starts are short."""
    command = [Path(sys.executable).parent / "bathax", "sweep", study, "--out", store, "--resume"]
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(study.parent / "cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    return subprocess.Popen(command, env=os.environ | cache, stdout=subprocess.DEVNULL)


def done(store):
    """The files of finished boxes, of all variables, with their time and number on disk."""
    boxes = [file.relative_to(store / "status") for file in store.glob("status/c/*/*")]
    boxes = [box for box in boxes if not box.name.endswith(".partial")]
    files = [
        file
        for variable in (store.iterdir() if store.exists() else ())
        if variable.is_dir()
        for box in boxes
        for file in [variable / box, *(variable / box).glob("*")]
        if file.is_file()
    ]
    return {file: (file.stat().st_mtime_ns, file.stat().st_ino) for file in files}, len(boxes)


def contents(store):
    files = (file for file in store.rglob("*") if file.is_file())
    return {file.relative_to(store): file.read_bytes() for file in files}


def kill_once(study, store, goal, delay, early):
    """Kill after `goal` boxes are done and a while, or so long after the start; what was done."""
    process = start(study, store)
    if not early:
        while process.poll() is None and done(store)[1] < goal:
            time.sleep(0.001)
    time.sleep(delay)
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return *done(store), ended


def main():
    rng = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study, whole, store = (
            folder / name for name in ("study.toml", "whole.zarr", "killed.zarr")
        )
        study.write_text(STUDY)
        start(study, whole).wait()
        total = done(whole)[1]
        goals = np.sort(rng.integers(0, total - 5, KILLS))
        changed, moments, unfinished, before = 0, [], 0, {}
        for goal in goals:
            early = rng.uniform() < 0.2
            delay = rng.uniform(0.0, 6.0) if early else rng.uniform(0.0, 0.05)
            now, count, ended = kill_once(study, store, goal, delay, early)
            changed += sum(now.get(file) != state for file, state in before.items())
            unfinished += len(list(store.rglob("*.partial")))
            moments.append(count)
            before = now
            print(f"killed with {count} of {total} boxes done{', too late' if ended else ''}")
        start(study, store).wait()
        changed += sum(done(store)[0].get(file) != state for file, state in before.items())
        same = contents(store) == contents(whole)
    write_report(
        Path(__file__).parent / "kill_campaign.md",
        "# Sweeps that are killed",
        machine_line("bathax", "jax", "zarr"),
        f"2,000 points in {total} boxes, {KILLS} times SIGKILL, seed {SEED}: after a random number "
        "of finished boxes and up to 50 ms, or, one time in five, up to 6 s after the start; then "
        "`bathax sweep --resume`. Boxes finished at each kill: "
        f"{', '.join(map(str, moments))}. Files that were being written then: {unfinished}.",
        f"Files of finished boxes that changed afterwards: {changed}. The final store is "
        f"{'the same, byte for byte, as' if same else 'NOT the same as'} that of an undisturbed "
        "sweep.",
    )


if __name__ == "__main__":
    main()
