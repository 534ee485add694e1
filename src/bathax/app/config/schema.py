"""The tables of a whole study, and the objects of bathax that they describe."""

from typing import Annotated, Any

from bathax.app.config.checking import blaming, listed, require
from bathax.app.config.modes import (
    Chain,
    CoupledCavities,
    DoubleDot,
    Level,
    Linear,
    Modes,
)
from bathax.app.config.reservoirs import Reservoir, check_reservoir
from bathax.app.config.rules import NonNegative, Points, Positive, Rule, Table
from bathax.app.config.systems import Cavity, Qubit, Solver, check_initial
from bathax.app.config.varying import Fit, Sweep, check_fit, check_sweep, with_values
from bathax.studies.lookup import called


class Time(Table):
    """The `[time]` grid: equally spaced points from `start` to `stop`, both included."""

    stop: Positive
    points: Points
    start: NonNegative = 0.0


class Study(Table):
    """A checked study; without a `[solver]` the system takes the library's own choice."""

    system: Cavity | Qubit | Linear | Level | DoubleDot | Chain | CoupledCavities
    reservoir: Annotated[tuple[Reservoir, ...], Rule("one or more [[reservoir]] tables", bool)]
    time: Time
    solver: Solver | None = None
    sweep: Sweep | None = None
    fit: Fit | None = None

    @property
    def sizes(self) -> dict[str, int]:
        """How many values the indices of quantities of several modes have."""
        if not isinstance(self.system, Modes):
            return {}
        modes, channels = self.system.size, len(self.reservoir)
        each = {"channel": channels, "other_channel": channels}
        return each | {"mode": modes, "other_mode": modes}

    def build(self) -> tuple[Any, Any, Any, Any]:
        """The arguments of `bathax.solve`: system, initial state, times and solver.

        Imports JAX. Raises `StudyError` for mistakes that only the library detects.
        """
        import jax.numpy as jnp
        import numpy as np

        paths = [f"reservoir.{index}" for index in range(len(self.reservoir))]
        tables = tuple(zip(self.reservoir, paths, strict=True))
        reservoirs = tuple(one.build(path, self.system.quanta) for one, path in tables)
        channels = tuple(
            one.channel(path, built) for (one, path), built in zip(tables, reservoirs, strict=True)
        )
        with blaming("system.initial"):
            initial = self.system.initial.build()
        with blaming("system"):
            system = self.system.build(reservoirs, channels)
            if isinstance(self.system, Modes):
                initial.require_fits(system)
        times = jnp.asarray(np.linspace(self.time.start, self.time.stop, self.time.points))
        with blaming("solver"):
            return system, initial, times, self.solver.build() if self.solver else None


def check_relations(study: Study) -> None:
    """Raise `StudyError` for the first rule broken that joins two keys."""
    start, stop = study.time.start, study.time.stop
    require(("time", "stop"), f"greater than `time.start` = {start}", stop, stop > start)
    _check_system(study)
    if study.sweep is not None:
        check_sweep(study, study.sweep)
        for path, axis in study.sweep.axes.items():
            _check_system(with_values(study, {path: axis.first}))
    if study.fit is not None:
        check_fit(study, study.fit)
    if study.solver is not None:
        fitting = [one.__struct_config__.tag for one in study.system.SOLVERS]
        words = f"{listed(fitting)} for {called(study.system.FAMILY)}"
        kind = study.solver.__struct_config__.tag
        require(("solver", "kind"), words, kind, kind in fitting)


def _check_system(study: Study) -> None:
    """The relations among numbers that may vary."""
    check_initial(study.system.initial)
    for index, reservoir in enumerate(study.reservoir):
        check_reservoir(f"reservoir.{index}", reservoir)
    if isinstance(study.system, Modes):
        study.system.check(study.reservoir)
        return
    for index, reservoir in enumerate(study.reservoir):
        place, alone = ("reservoir", str(index), "coupling"), reservoir.coupling is None
        words = f"left out for {called(study.system.FAMILY)}"
        require(place, words, list(reservoir.coupling or ()), alone)
