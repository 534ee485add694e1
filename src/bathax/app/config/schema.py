"""The tables of a whole study, and the objects of bathax that they describe."""

from functools import partial
from typing import Annotated, Any

from msgspec.structs import replace

from bathax.app.config.checking import blaming, listed, refuse_missing, require
from bathax.app.config.drives import is_driven
from bathax.app.config.modes import Modes
from bathax.app.config.reservoirs import Reservoir, check_reservoir
from bathax.app.config.rules import NonNegative, Points, Positive, Rule, Table
from bathax.app.config.starts import Periodic, Start, System
from bathax.app.config.systems import Solver, check_initial
from bathax.app.config.varying import Fit, Sweep, check_fit, check_sweep, with_values
from bathax.studies.lookup import called


class Time(Table):
    """The `[time]` grid: equally spaced points from `start` to `stop`, both included."""

    stop: Positive
    points: Points
    start: NonNegative = 0.0


class Study(Table):
    """A checked study; without a `[solver]` the system takes the library's own choice."""

    system: System
    reservoir: Annotated[tuple[Reservoir, ...], Rule("one or more [[reservoir]] tables", bool)]
    time: Time
    start: Start | None = None
    solver: Solver | None = None
    sweep: Sweep | None = None
    fit: Fit | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of system that it is, which decide on what quantities it has."""
        kind = self.system.FAMILY
        moving = self.start is not None or is_driven((self.system, self.reservoir))
        if kind == "modes":
            return (kind, "driven", "driven modes") if moving or self.has_pairs else (kind,)
        return (kind, "driven") if moving else (kind,)

    @property
    def has_pairs(self) -> bool:
        """Whether quanta of several modes are not conserved, or are displaced."""
        of_system = [getattr(self.system, name, None) for name in ("pairing", "force")]
        return any(one is not None for one in (*of_system, *(r.counter for r in self.reservoir)))

    @property
    def sizes(self) -> dict[str, int]:
        """How many values the indices of quantities of several modes have."""
        if not isinstance(self.system, Modes):
            return {"channel": len(self.reservoir)}
        modes, channels = self.system.size, len(self.reservoir)
        each = {"channel": channels, "other_channel": channels}
        return each | {"mode": modes, "other_mode": modes}

    def build(self) -> tuple[Any, Any, Any, Any]:
        """The arguments of `bathax.solve`: system, initial state, times and solver.

        Imports JAX. Raises `StudyError` for mistakes that only the library detects.
        """
        import jax.numpy as jnp
        import numpy as np

        quanta = self.system.quanta
        reservoirs = tuple(one.build(path, quanta) for one, path in self._tables)
        with blaming("system"):
            system = self.system.build(reservoirs, _contacts(self._tables))
        initial = self._initial(system, reservoirs)
        times = jnp.asarray(np.linspace(self.time.start, self.time.stop, self.time.points))
        with blaming("solver"):
            return system, initial, times, self.solver.build() if self.solver else None

    @property
    def _tables(self) -> list[tuple[Reservoir, str]]:
        """The tables of reservoirs and their paths."""
        return [(one, f"reservoir.{index}") for index, one in enumerate(self.reservoir)]

    def _initial(self, system: Any, reservoirs: tuple[Any, ...]) -> Any:
        """The initial state of the system, or how it and its reservoirs are prepared."""
        if isinstance(self.start, Periodic):
            return self.start.build()
        if self.start is not None:
            # Couplings were constant before.
            constant = [(replace(one, switch=None), path) for one, path in self._tables]
            return self.start.build_from(reservoirs, _contacts(constant))
        given: Any = self.system.initial
        with blaming("system.initial"):
            initial = given.build()
        if isinstance(self.system, Modes):
            with blaming("system"):
                initial.require_fits(system)
        return initial


def _contacts(tables: list[tuple[Reservoir, str]]) -> tuple[Any, ...]:
    """What each table makes of its reservoir; see `Reservoir.contact`."""
    return tuple(partial(one.contact, path) for one, path in tables)


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
    _check_start(study)
    for index, reservoir in enumerate(study.reservoir):
        check_reservoir(f"reservoir.{index}", reservoir)
    if isinstance(study.system, Modes):
        study.system.check(study.reservoir)
        return
    for index, reservoir in enumerate(study.reservoir):
        for name, value in reservoir.of_modes.items():
            words = f"left out for {called(study.system.FAMILY)}"
            found = list(value) if isinstance(value, tuple) else {}
            require(("reservoir", str(index), name), words, found, value is None)


def _check_start(study: Study) -> None:
    """One of `system.initial` and `start`, and a system before with the same modes."""
    start, initial = study.start, study.system.initial
    if start is None:
        if initial is None:
            refuse_missing(("system", "initial"), "a table")
        check_initial(initial)
        return
    require(("system", "initial"), "left out beside `start`", {}, initial is None)
    if isinstance(start, Periodic):
        return
    path, before = ("start", "system"), start.system
    require((*path, "initial"), "left out, for what is in equilibrium", {}, before.initial is None)
    kinds = [study.system.FAMILY, before.FAMILY]
    require((*path, "kind"), f"one of {called(kinds[0])}", kinds[1], kinds[0] == kinds[1])
    if isinstance(before, Modes):
        before.check(study.reservoir, path)
