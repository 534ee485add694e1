"""One compiled program for all boxes of a sweep: every local device, a limit on memory."""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import psutil
from jax.sharding import NamedSharding, PartitionSpec

from bathax import _loops
from bathax._checks import require
from bathax._status import Status
from bathax.studies.sweep.record import Record, Recorder
from bathax.studies.traced import KEPT

GIB = 2**30
# The number of points that a device computes at once, if memory allows: a processor gains nothing
# from more, and an accelerator needs many.
AT_ONCE = {"cpu": 4, "gpu": 512, "tpu": 512}
# The exceptions that JAX raises for an error inside a compiled program.
FAILURES = (jax.errors.JaxRuntimeError, ValueError)

Values = dict[str, np.ndarray]


class Program:
    """The record of some points, computed on all local devices.

    Points are spread over the devices; the last one is repeated until they divide evenly. Each
    device computes so many of them at once that the process, or for accelerators each device, stays
    below `memory` bytes.
    """

    def __init__(self, recorder: Recorder, count: int, memory: float) -> None:
        """Compile for so many points; raises `ValueError` if the memory is not enough for that."""
        self._recorder = recorder
        devices = tuple(jax.local_devices())
        self._on_processor = devices[0].platform == "cpu"
        self._sharding = _sharding(devices)
        self._at_once = AT_ONCE.get(devices[0].platform, 1)
        while True:
            self._at_once = _evenly(count, self._at_once)
            self._size = _multiple(count, self.least)
            self._run = _compiled(recorder, self._size, self._at_once, devices)
            used, needed = self._used(), self._needed()
            if used + needed <= memory:
                return
            least = f"at least {(used + needed) / GIB:.2g} GiB for one point at a time"
            require("memory", least, f"{memory / GIB:.2g} GiB", self._at_once > 1)
            # By halves, so that a resumed sweep does the same.
            self._at_once //= 2

    @property
    def least(self) -> int:
        """How many points keep all devices busy."""
        return self._at_once * self._sharding.mesh.size

    def __call__(self, points: Values) -> Values:
        """The record of the points of a box."""
        try:
            found = jax.block_until_ready(self._run(self._spread(points)))
            return {name: np.asarray(value)[: _count(points)] for name, value in found.items()}
        except FAILURES:
            return self._one_by_one(points)

    def _spread(self, points: Values) -> dict[str, Any]:
        """The points on their devices, with the last one repeated until all have equally many."""
        missing = (0, self._size - _count(points))
        padded = {name: np.pad(values, missing, "edge") for name, values in points.items()}
        return jax.device_put(padded, self._sharding)

    def _needed(self) -> int:
        """Bytes that a run adds: on the processor all devices share its memory."""
        use: Any = self._run.memory_analysis()
        of_device = use.temp_size_in_bytes + use.argument_size_in_bytes
        results = use.output_size_in_bytes
        if not self._on_processor:
            return of_device + results
        # There are two copies of the results: on the devices, and in the store.
        return self._sharding.mesh.size * (of_device + 2 * results)

    def _used(self) -> int:
        """Bytes that are in use before a run."""
        return psutil.Process().memory_info().rss if self._on_processor else 0

    def _one_by_one(self, points: Values) -> Values:
        """The points one at a time, those that raise an error marked."""
        run = jax.jit(self._recorder.compute)

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
        return {name: np.stack([one[name] for one in found]) for name in self._recorder.variables}

    def _failed(self) -> Values:
        """The record of a point that raised an error: NaN, or zero for integers."""
        failed = {}
        for name, one in self._recorder.variables.items():
            fill = np.nan if np.issubdtype(one.dtype, np.inexact) else 0
            failed[name] = np.full(one.shape, fill, one.dtype)
        return failed | {"status": np.asarray(Status.ERROR, np.int8)}


def _sharding(devices: tuple[Any, ...]) -> NamedSharding:
    """Points spread over the devices."""
    mesh = jax.make_mesh((len(devices),), ("points",), devices=devices)
    return NamedSharding(mesh, PartitionSpec("points"))


# Another sweep of the same function does not compile again.
@lru_cache(maxsize=KEPT)
def _compiled(
    recorder: Recorder, size: int, at_once: int, devices: tuple[Any, ...]
) -> jax.stages.Compiled:
    """The program for so many points, of which each device computes some at once."""
    sharding = _sharding(devices)

    def on_one_device(points: Any) -> Record:
        return _loops.map(recorder.compute, points, batch_size=at_once)

    run = jax.shard_map(
        on_one_device,
        mesh=sharding.mesh,
        in_specs=sharding.spec,
        out_specs=sharding.spec,
        check_vma=False,
    )
    points = dict.fromkeys(recorder.names, jax.ShapeDtypeStruct((size,), float, sharding=sharding))
    return jax.jit(run).lower(points).compile()


def _count(points: Values) -> int:
    return len(next(iter(points.values())))


def _multiple(count: int, unit: int) -> int:
    """The least multiple of a unit that is not below a count."""
    return -(-count // unit) * unit


def _evenly(count: int, most: int) -> int:
    """The size of equal parts of a count, at most so large."""
    parts = -(-count // most)
    return -(-count // parts)
