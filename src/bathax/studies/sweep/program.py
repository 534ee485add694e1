"""One compiled program for all boxes of a sweep: every local device, a limit on memory."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import psutil
from jax import lax
from jax.sharding import NamedSharding, PartitionSpec

from bathax._checks import require
from bathax._status import Status
from bathax.studies.sweep.record import Layout, Record

GIB = 2**30
# Points that a device works on at a time, before memory is looked at: a processor gains nothing
# from more, and an accelerator is busy only with many.
AT_ONCE = {"cpu": 4, "gpu": 512, "tpu": 512}
# What JAX makes of an error inside a program, after it was compiled.
FAILURES = (jax.errors.JaxRuntimeError, ValueError)

Values = dict[str, np.ndarray]


class Program:
    """What is kept of the points of a box, computed on all local devices.

    Points are spread over the devices, the last one repeated where they do not divide evenly, and
    each device takes some of them at a time: as many as keep the process, or on an accelerator each
    device, below `memory` bytes.
    """

    def __init__(self, layout: Layout, box: Values, memory: float) -> None:
        """Compile for the largest box; raises `ValueError` if the memory is not enough for that."""
        self._layout = layout
        devices = jax.local_devices()
        self._on_processor = devices[0].platform == "cpu"
        mesh = jax.make_mesh((len(devices),), ("points",), devices=devices)
        self._sharding = NamedSharding(mesh, PartitionSpec("points"))
        at_once = AT_ONCE.get(devices[0].platform, 1)
        while True:
            at_once = _evenly(_count(box), at_once)
            self._size = _multiple(_count(box), at_once * len(devices))
            self._run = self._compiled(box, at_once)
            used, needed = self._used(), self._needed()
            if used + needed <= memory:
                return
            least = f"at least {(used + needed) / GIB:.2g} GiB for one point at a time"
            require("memory", least, f"{memory / GIB:.2g} GiB", at_once > 1)
            # By halves, so that a sweep that goes on does the same.
            at_once //= 2

    def __call__(self, points: Values) -> Values:
        """What is kept of the points of a box."""
        try:
            found = jax.block_until_ready(self._run(self._spread(points)))
            return {name: np.asarray(value)[: _count(points)] for name, value in found.items()}
        except FAILURES:
            return self._one_by_one(points)

    def _compiled(self, box: Values, at_once: int) -> Any:
        mesh, spread = self._sharding.mesh, self._sharding.spec

        def on_one_device(points: Any) -> Record:
            return lax.map(self._layout.compute, points, batch_size=at_once)

        run = jax.shard_map(
            on_one_device, mesh=mesh, in_specs=spread, out_specs=spread, check_vma=False
        )
        return jax.jit(run).lower(self._spread(box)).compile()

    def _spread(self, points: Values) -> dict[str, Any]:
        """The points on their devices, the last one repeated until all have as many."""
        missing = (0, self._size - _count(points))
        padded = {name: np.pad(values, missing, "edge") for name, values in points.items()}
        return jax.device_put(padded, self._sharding)

    def _needed(self) -> int:
        """Bytes that a run adds: on the processor all devices share its memory."""
        use = self._run.memory_analysis()
        of_device = use.temp_size_in_bytes + use.argument_size_in_bytes
        results = use.output_size_in_bytes
        if not self._on_processor:
            return of_device + results
        # Results are there twice: on the devices, and as what is written.
        return self._sharding.mesh.size * (of_device + 2 * results)

    def _used(self) -> int:
        """Bytes that are in use before a run."""
        return psutil.Process().memory_info().rss if self._on_processor else 0

    def _one_by_one(self, points: Values) -> Values:
        """The points one at a time, those that raise an error marked."""
        run = jax.jit(self._layout.compute)

        def attempt(point: dict[str, Any]) -> Values:
            try:
                found = jax.block_until_ready(run(point))
                return {name: np.asarray(value) for name, value in found.items()}
            except FAILURES:
                return self._failed()

        found = [
            attempt({name: jnp.asarray(values[i]) for name, values in points.items()})
            for i in range(_count(points))
        ]
        return {name: np.stack([one[name] for one in found]) for name in self._layout.variables}

    def _failed(self) -> Values:
        """What is kept of a point that raised an error: NaN, or zero in place of integers."""
        failed = {}
        for name, one in self._layout.variables.items():
            fill = np.nan if np.issubdtype(one.dtype, np.inexact) else 0
            failed[name] = np.full(one.shape, fill, one.dtype)
        return failed | {"status": np.asarray(Status.ERROR, np.int8)}


def _count(points: Values) -> int:
    return len(next(iter(points.values())))


def _multiple(count: int, unit: int) -> int:
    """The least multiple of a unit that is not below a count."""
    return -(-count // unit) * unit


def _evenly(count: int, most: int) -> int:
    """The size of equal parts of a count, at most so large."""
    parts = -(-count // most)
    return -(-count // parts)
