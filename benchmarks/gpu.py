"""Everything that is measured on a GPU, in one command of at most eight minutes: `gpu.md`.

A million couplings of a cavity, ten thousand thermal qubits, a thousand fits. A few of each are
computed again on the CPU, one by one, and compared with an independent method. `--small` does all
of it on the CPU alone, in seconds, and prints it.
"""

import argparse
import csv
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from _timing import cpu_model, seconds, table, versions, write_report
from jax.extend.core import Jaxpr, jaxprs_in_params
from jax.interpreters.partial_eval import dce_jaxpr
from scipy.optimize import least_squares

import bathax as bx

HERE = Path(__file__).parent
# Seconds for all parts, and after how many the command ends whatever it is doing.
LIMIT, LAST = 420.0, 470.0
# The part of its time that a part computes for; the rest is for compiling and comparing.
COMPUTING = 0.6
SEED, NOISE = 2030, 0.01
# The error estimate of a qubit compares with depth 4, which is far less accurate than depth 5.
ATOM_TOLERANCE = 2e-3
STOP, ATOM_STOP, FIT_STOP = 40.0, 20.0, 40.0
NAMES = ("u", "v", "energy", "entropy", "temperature", "free_energy")
# T = E'/S' passes through infinity, and F with it: they are compared where they are known to this.
POLES = NAMES[4:]
KNOWN = 1e-9


@dataclass(frozen=True)
class Sizes:
    """How much is computed, how much of it at once, and how much is computed again."""

    couplings: int
    times: int
    nodes: int
    block: int
    atoms: int
    atom_times: int
    atom_block: int
    sets: int
    starts: int
    matrix: int
    compared: int


FULL = Sizes(
    couplings=1_000_000,
    times=400,
    nodes=256,
    block=2_000,
    atoms=10_000,
    atom_times=161,
    atom_block=2_000,
    sets=20,
    starts=50,
    matrix=8192,
    compared=10,
)
SMALL = Sizes(
    couplings=40,
    times=50,
    nodes=256,
    block=20,
    atoms=4,
    atom_times=81,
    atom_block=2,
    sets=2,
    starts=3,
    matrix=256,
    compared=2,
)


class Clock:
    """What is left of a number of seconds, to be shared by the parts still to come."""

    def __init__(self, limit: float, parts: int) -> None:
        self._end, self._parts = time.perf_counter() + limit, parts

    def share(self) -> float:
        """The time at which the next part stops computing."""
        now = time.perf_counter()
        share = (self._end - now) / self._parts
        self._parts -= 1
        return now + COMPUTING * share


@dataclass(frozen=True)
class Part:
    """What was done of what was wanted, in which time, and how right it is.

    `flops` of matrix products are those of one item. `off_cpu` is the largest difference from the
    same numbers computed on the CPU one by one, `off_reference` that from an independent method.
    """

    label: str
    done: int
    wanted: int
    seconds: float
    compiling: float
    failed: int
    off_cpu: float
    off_reference: float
    reference: str
    flops: float = 0.0


# Matrix products.


def product_rate(size: int) -> float:
    """Flops a second of the product of two complex matrices, eight for a multiply and add."""
    first, second = (
        jax.random.normal(key, (size, size), complex) for key in jax.random.split(jax.random.key(0))
    )
    product = jax.jit(jnp.matmul)
    jax.block_until_ready(product(first, second))
    return 8.0 * size**3 / min(seconds(lambda: product(first, second)) for _ in range(5))


def product_flops(jaxpr: Jaxpr) -> float:
    """Flops of the matrix products in a program, without those whose results are not used."""
    return _flops(dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))[0])


def _flops(jaxpr: Jaxpr) -> float:
    """Of one pass: a loop counts as often as is known when it is traced, else once."""
    total = 0.0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            total += _flops_of_product(equation)
        inside = [_flops(inner) for inner in jaxprs_in_params(equation.params)]
        times = equation.params.get("length", 1) if equation.primitive.name == "scan" else 1
        total += times * (
            max(inside, default=0.0) if "branches" in equation.params else sum(inside)
        )
    return total


def _flops_of_product(equation: Any) -> float:
    left, out = equation.invars[0].aval, equation.outvars[0].aval
    (contracted, _), _ = equation.params["dimension_numbers"]
    depth = np.prod([left.shape[axis] for axis in contracted])
    return (8.0 if jnp.iscomplexobj(out) else 2.0) * float(np.prod(out.shape) * depth)


# Batches.


class Batch(NamedTuple):
    """What was computed in blocks: the first results, and what the whole of it took.

    `flops` are those of the matrix products of one item.
    """

    first: Any
    done: int
    failed: int
    seconds: float
    compiling: float
    flops: float


def in_blocks(function: Callable, values: np.ndarray, block: int, until: float) -> Batch:
    """A function of one number at many, block by block, each left on the device, while time is.

    The blocks become smaller if they do not fit.
    """
    try:
        start = time.perf_counter()
        some = jnp.asarray(values[:block])
        traced = jax.jit(jax.vmap(function)).trace(some)
        compiled = traced.lower().compile()
        first = jax.block_until_ready(compiled(some))
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error) or block < 2:
            raise
        return in_blocks(function, values, block // 2, until)
    compiling, flops = time.perf_counter() - start, product_flops(traced.jaxpr.jaxpr) / block
    start, done, failed = time.perf_counter(), 0, 0
    for begin in range(0, len(values), block):
        found = compiled(jnp.asarray(values[begin : begin + block]))
        failed += int(jnp.count_nonzero(found["status"]))
        done += block
        if time.perf_counter() > until:
            break
    jax.block_until_ready(found)
    took = time.perf_counter() - start
    return Batch(jax.device_get(first), done, failed, took, compiling, flops)


def on_cpu(function: Callable, values: np.ndarray) -> list[Any]:
    """The same of each number by itself, on the CPU."""
    with jax.default_device(jax.devices("cpu")[0]):
        compiled = jax.jit(function)
        return [jax.device_get(compiled(jnp.asarray(value))) for value in values]


def shuffled(values: np.ndarray) -> np.ndarray:
    """In an order of no meaning, so that the first of them stand for all."""
    return np.random.default_rng(SEED).permutation(values)


# A cavity at many couplings.


def cavity_solution(eta: Any, sizes: Sizes, solver: Any) -> Any:
    bath = bx.Reservoir(bx.Ohmic(eta, 5.0), 1.0)
    return bx.solve(bx.Cavity(1.0, bath), bx.Fock(5), np.linspace(0.0, STOP, sizes.times), solver)


def quantities(eta: Any, sizes: Sizes, names: tuple[str, ...]) -> dict[str, Any]:
    """What a sweep keeps of one cavity, and its status."""
    found = cavity_solution(eta, sizes, bx.Resonance(nodes=sizes.nodes, rtol=1e-6))
    return {name: getattr(found, name) for name in names} | {"status": found.status}


def stepped(eta: Any, sizes: Sizes) -> dict[str, Any]:
    """The same by time stepping, with the error estimates of T and F."""
    found = cavity_solution(eta, sizes, bx.Volterra(points=8192))
    errors = {f"{name}_error": getattr(found.error, name) for name in POLES}
    return {name: getattr(found, name) for name in NAMES} | errors


def all_couplings(sizes: Sizes) -> np.ndarray:
    """From 0.001 to 5 times the critical one."""
    return shuffled(np.geomspace(2e-4, 1.0, sizes.couplings))


@lru_cache
def compared_cavities(sizes: Sizes) -> tuple[list[dict], list[dict]]:
    """Some of the couplings one by one, by `Resonance` and by time stepping."""
    some = all_couplings(sizes)[: sizes.compared]
    own = on_cpu(partial(quantities, sizes=sizes, names=NAMES), some)
    return own, on_cpu(partial(stepped, sizes=sizes), some)


def difference(found: dict, expected: dict, errors: dict) -> float:
    """The largest of all quantities, relative to their largest value; of T and F over 1 + |T|.

    T and F count where their error estimates are small.
    """
    worst = 0.0
    for name, value in found.items():
        off, size = np.abs(value - expected[name]), np.abs(expected[name])
        if name in POLES:
            known = errors[f"{name}_error"] < KNOWN * (1.0 + size)
            off, size = off[known], 1.0 + size[known]
        else:
            size = np.max(size)
        worst = max(worst, float(np.max(off / size, initial=0.0)))
    return worst


def couplings(sizes: Sizes, clock: Clock, names: tuple[str, ...]) -> Part:
    """A cavity at all couplings."""
    etas = all_couplings(sizes)
    function = partial(quantities, sizes=sizes, names=names)
    batch = in_blocks(function, etas, sizes.block, clock.share())
    own, other = compared_cavities(sizes)
    batched = [{name: batch.first[name][k] for name in names} for k in range(sizes.compared)]
    return Part(
        f"cavity: {', '.join(names)}",
        batch.done,
        sizes.couplings,
        batch.seconds,
        batch.compiling,
        batch.failed,
        max(map(difference, batched, own, other)),
        max(map(difference, batched, other, other)),
        "Volterra",
        batch.flops,
    )


# Thermal qubits.


def atom_map(eta: Any, sizes: Sizes) -> dict[str, Any]:
    atom = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), 0.5))
    ts = np.linspace(0.0, ATOM_STOP, sizes.atom_times)
    found = bx.dynamical_map(atom, ts, bx.Hierarchy(depth=5, modes=10, rtol=ATOM_TOLERANCE))
    return {
        "p11": found.p11,
        "p00": found.p00,
        "coherence": found.coherence,
        "status": found.status,
    }


def reference_population(ts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P11 of a discretised reservoir at eta = 0.02, and where in `ts` its times are."""
    file = HERE.parent / "tests" / "exact" / "qubit_ohmic_thermal.csv"
    rows = [row for row in csv.DictReader(file.read_text().splitlines()) if row["set"] == "C"]
    places = [int(np.argmin(np.abs(ts - float(row["t"])))) for row in rows]
    return np.array([float(row["P11"]) for row in rows]), np.array(places)


def atoms(sizes: Sizes, clock: Clock) -> Part:
    """The map of qubits in thermal reservoirs, the first of them at the reference's coupling."""
    etas = shuffled(np.geomspace(0.002, 0.04, sizes.atoms))
    etas[0] = 0.02
    function = partial(atom_map, sizes=sizes)
    batch = in_blocks(function, etas, sizes.atom_block, clock.share())
    own = on_cpu(function, etas[: sizes.compared])
    names = ("p11", "p00", "coherence")
    off = [
        np.max(np.abs(batch.first[name][k] - one[name]))
        for k, one in enumerate(own)
        for name in names
    ]
    known, places = reference_population(np.linspace(0.0, ATOM_STOP, sizes.atom_times))
    return Part(
        "thermal qubit: P11, P00, c",
        batch.done,
        sizes.atoms,
        batch.seconds,
        batch.compiling,
        batch.failed,
        float(max(off)),
        float(np.max(np.abs(batch.first["p11"][0][places] - known))),
        "discretised reservoir",
    )


# Fits.

FIT_TIMES = np.linspace(1.0, FIT_STOP, 40)


def damped(eta: Any, cutoff: Any, kT: Any) -> Any:
    """Energies of a cavity with three quanta."""
    bath = bx.Reservoir(bx.Ohmic(eta, cutoff), kT)
    sol = bx.solve(bx.Cavity(1.0, bath), bx.Fock(3), FIT_TIMES, bx.Resonance(nodes=128, rtol=1e-4))
    return {"energy": sol.energy}


def data_sets(count: int) -> list[Any]:
    """Energies with noise, of parameters drawn at random."""
    rng, model = np.random.default_rng(SEED), jax.jit(damped)
    sets = []
    for _ in range(count):
        truth = np.array([0.02, 4.0, 2.5]) * np.exp(rng.uniform(-0.3, 0.3, 3))
        energy = np.asarray(model(*truth)["energy"])
        error = NOISE * energy.max()
        sets.append(bx.Data(FIT_TIMES, energy=(energy + error * rng.normal(size=40), error)))
    return sets


def fitted(data: Any, starts: int) -> Any:
    return bx.fit(damped, data, {"eta": 0.02, "cutoff": 4.0, "kT": 2.5}, starts=starts)


def by_scipy(data: Any, start: dict[str, Any]) -> float:
    """The least chi^2 that SciPy finds in the logarithms of the parameters, from close by."""

    def residuals(x: Any) -> Any:
        off = data.residuals(damped(**dict(zip(start, jnp.exp(x), strict=True))))
        return off, off

    # One program for both, as compiling it takes longest.
    both = jax.jit(jax.jacfwd(residuals, has_aux=True))
    nearby = np.log([float(value) for value in start.values()]) + 0.01
    tight = dict.fromkeys(("xtol", "ftol", "gtol"), 1e-14)
    found = least_squares(lambda x: both(x)[1], nearby, jac=lambda x: both(x)[0], **tight)
    return 2.0 * found.cost


def fits(sizes: Sizes, clock: Clock) -> Part:
    """Three parameters from noisy energies, each set of data from many starts at once.

    Compared is chi^2: where two starts end at one minimum, parameters tell which of them was best.
    """
    until = clock.share()
    sets = data_sets(sizes.sets)
    compiling = seconds(lambda: fitted(sets[0], sizes.starts).residuals)
    start, found = time.perf_counter(), []
    for data in sets:
        found.append(fitted(data, sizes.starts))
        if time.perf_counter() > until:
            break
    took = time.perf_counter() - start
    chi2 = found[0].chi2
    with jax.default_device(jax.devices("cpu")[0]):
        [again] = data_sets(1)
        own = fitted(again, min(sizes.starts, 4)).chi2
        other = by_scipy(again, found[0].parameters)
    return Part(
        f"fits, {sizes.starts} at once",
        len(found) * sizes.starts,
        sizes.sets * sizes.starts,
        took,
        compiling,
        sum(not one.converged for one in found),
        abs(float(chi2 / own) - 1.0),
        abs(float(chi2 / other) - 1.0),
        "SciPy",
    )


# All of it.

PARTS = [
    partial(couplings, names=NAMES[:2]),
    partial(couplings, names=NAMES),
    atoms,
    fits,
]


def row(part: Part, rate: float) -> list[str]:
    """The table row of a part."""
    each = part.seconds / part.done
    flops = part.flops / each
    return [
        part.label,
        f"{part.done:,} of {part.wanted:,}",
        f"{part.compiling:.1f}",
        f"{part.seconds:.3g}",
        f"{1e6 * each:.3g}",
        f"{part.flops / 1e6:.3g}" if part.flops else "-",
        f"{100.0 * flops / rate:.2g}" if part.flops else "-",
        str(part.failed),
        f"{part.off_cpu:.0e}",
        f"{part.off_reference:.0e}",
        part.reference,
    ]


def report(sizes: Sizes, rate: float, parts: list[Part]) -> list[str]:
    """The blocks of the table of what has been done."""
    device = jax.devices()[0]
    header = ["", "done", "first call s", "s", "us each", "MFLOP of products each"]
    header += ["% of the product rate", "failed", "off the CPU", "off the reference", "reference"]
    return [
        "# On a GPU",
        f"{device.device_kind} ({device.client.platform_version.splitlines()[0]}); "
        f"{cpu_model()}; {versions('bathax', 'jax', 'jaxlib')}",
        f"Complex matrix products of {sizes.matrix:,} x {sizes.matrix:,}: {rate / 1e12:.3g} "
        "TFLOP/s, eight flops for a multiply and add. What the programs multiply, sums of "
        "exponentials above all, is counted in the traced program, and given as a share of that "
        "rate.",
        f"Ohmic cavity, kT0 = 1, n0 = 5, couplings from 0.001 to 5 times the critical one, "
        f"{sizes.times} times up to {STOP:g}, `Resonance(nodes={sizes.nodes})`, blocks of at most "
        f"{sizes.block:,}. Qubits at kT = 0.5, eta from 0.002 to 0.04, {sizes.atom_times} times up "
        f"to {ATOM_STOP:g}, `Hierarchy(depth=5, modes=10)`. Fits of coupling, cutoff and "
        f"temperature to 40 energies with {NOISE:.0%} noise. Results stay on the device. The first "
        "call compiles. Each part stops when its share of the time is over; failed are points that "
        "did not reach their tolerance, or data without a converged fit.",
        f"Off the CPU: the largest difference from the CPU's numbers for {sizes.compared} of each, "
        "computed one by one; of u, v, E and S relative to their largest value, of T and F "
        f"relative to 1 + |T|, where their error estimate is below {KNOWN:.0e} of that, of fits "
        "the relative difference of chi^2. Off the reference: the same from another method.",
        table(header, [row(part, rate) for part in parts]),
    ]


def measure(sizes: Sizes, limit: float, path: Path | None = None) -> list[Part]:
    """Run all parts; what is done is written after each of them."""
    clock, rate, parts = Clock(limit, len(PARTS)), product_rate(sizes.matrix), []
    for run in PARTS:
        parts.append(run(sizes, clock))
        write_report(path, *report(sizes, rate, parts))
    return parts


def give_up() -> None:
    """End the command: what is done has been written."""
    print(f"Not all was done in {LAST:.0f} s.", flush=True)
    os._exit(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="all of it on the CPU, in seconds")
    if parser.parse_args().small:
        jax.config.update("jax_platforms", "cpu")
        measure(SMALL, LIMIT)
        return
    if jax.default_backend() == "cpu":
        raise SystemExit("No accelerator was found; `--small` runs on the CPU.")
    watchdog = threading.Timer(LAST, give_up)
    watchdog.daemon = True
    watchdog.start()
    measure(FULL, LIMIT, HERE / "gpu.md")


if __name__ == "__main__":
    main()
