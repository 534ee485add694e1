"""Several processes that share a sweep: started here, or found by JAX under SLURM or MPI."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence


def launch(arguments: Sequence[str], count: int) -> int:
    """Run the command in `count` processes on this machine; the first exit status that is not 0.

    If one fails, or this process ends for whatever reason, the others stop.
    """
    port = _free_port()
    shared = ["--processes", str(count), "--coordinator", f"127.0.0.1:{port}"]
    # When this process ends the pipes close, and the others stop.
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "bathax.app.one_process",
                *arguments,
                *shared,
                "--process",
                str(index),
            ],
            stdin=subprocess.PIPE,
        )
        for index in range(count)
    ]
    try:
        return _first_failure(processes)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def stop_with_parent() -> None:
    """End this process as soon as the one that started it does."""

    def watch() -> None:
        # `sys.stdin` would hold a lock when the interpreter ends.
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def join(
    coordinator: str | None = None, count: int | None = None, index: int | None = None
) -> None:
    """Join the processes of a sweep; without arguments those that SLURM or MPI have started."""
    import jax

    jax.distributed.initialize(coordinator, count, index)


def use_cores(devices: int | None, processes: int) -> None:
    """Make each core available to a process a device of JAX, unless there are accelerators."""
    import jax

    jax.config.update("jax_num_cpu_devices", devices or max(cores() // processes, 1))


def cores() -> int:
    """How many cores are available to this process."""
    known = hasattr(os, "sched_getaffinity")  # not on every system
    return len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1


def _first_failure(processes: Sequence[subprocess.Popen]) -> int:
    while True:
        codes = [process.poll() for process in processes]
        failures = [code for code in codes if code]
        if failures or None not in codes:
            return failures[0] if failures else 0
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
