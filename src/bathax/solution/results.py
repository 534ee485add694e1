"""Solutions: the quantities of a system at some times, their errors, and its state."""

from dataclasses import fields
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float, Inexact, Int

from bathax import _loops
from bathax._checks import require
from bathax._display import Module, Table, Tabular, ending, over_time, shown
from bathax._late import Exported, late
from bathax._programs import program
from bathax._status import Status
from bathax.qubit.states import QubitState
from bathax.system.covariance import Covariance
from bathax.system.linear import LinearSystem
from bathax.system.preparation import Preparation
from bathax.system.states import State
from bathax.thermodynamics import cavity, qubit
from bathax.thermodynamics.driven import DrivenLinearQuantities
from bathax.thermodynamics.linear import LinearQuantities, in_eigenmodes
from bathax.thermodynamics.work import Work

# The number of elements of density matrices that are computed at once.
AT_ONCE = 2**24
# The numbers of Fock states to choose from.
LEVELS = (64, 256, 1024, 4096)


class Amplitudes(eqx.Module):
    """u and v with their rates, as a solution gives them; see `GreenFunctions`."""

    u: Inexact[Array, "*times"]
    du: Inexact[Array, "*times"]
    v: Float[Array, "*times"]
    dv: Float[Array, "*times"]


class Quantities(cavity.Thermodynamics, Amplitudes):
    """All quantities of a solution at its times; see `GreenFunctions` and `Thermodynamics`."""


class QubitQuantities(qubit.QubitThermodynamics):
    """All quantities of a solution at its times; see `QubitThermodynamics`.

    `number` is the excited population, `coherence` is rho_10 in the laboratory frame.
    """

    coherence: Inexact[Array, "*times"]


class Origin(eqx.Module):
    """What was solved: the system and its preparation, apart into arrays and the rest."""

    arrays: Any
    rest: Any = eqx.field(static=True)

    @staticmethod
    def of(system: Any, preparation: Any) -> "Origin":
        """From both of them."""
        return Origin(*eqx.partition((system, preparation), eqx.is_array))

    @property
    def parts(self) -> tuple[Any, Any]:
        """The system and the preparation."""
        return eqx.combine(self.arrays, self.rest)


class Outcome(Tabular, Module):
    """The times `t` of a solution, and how far to trust it.

    `error` has an estimate of the absolute error of each quantity, under the same name. The true
    error is at most a small multiple of it, and usually far below. It is constant to
    differentiation. It does not include the errors of a `Tabulated` density itself, which
    `table_error` gives. `status` is 0 if the requested tolerance was reached (see `Status`); if
    parameters were invalid all numbers are NaN. `origin` is what was solved, for `Continue`; None
    if it was loaded from a file.
    """

    t: Float[Array, " times"]
    status: Int[Array, ""]
    origin: Origin | None

    def _table(self) -> Table:
        """The quantities that have an error; the rest in words."""
        own = named(self)
        errors = named(own["error"])
        values = {name: own[name] for name in errors}
        notes = (f"initial = {shown(own['initial'])}", ending(self.status))
        return over_time(type(self).__name__, self.t, values, errors, *notes)

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        return Status(int(self.status)).message


class Solution(Quantities, Outcome, Exported):
    """The quantities of a cavity at the times `t`, their errors, and its state at those times.

    `u`, `v` and their rates `du`, `dv` are the Green functions (AHZ Eq. 14), v that of equal times.
    `number` N = <a'a>, `energy` E = w_s N, `entropy` S = -Tr[rho ln rho], their rates `energy_rate`
    and `entropy_rate`, `temperature` T = E'/S', `chemical_potential` mu = dE/dN, `free_energy`
    F = E - T S. `interaction_energy` is that of the coupling, <H_I>, and `entropy_production`
    Delta S - (Delta E + <H_I>) / T0 for reservoirs of one temperature T0, NaN for several. All are
    those of the bare cavity; `reading` has others.

    `error` has an estimate of the absolute error of each of these, under the same name; the true
    error is at most a small multiple of it. `temperature_resolved` is False where T is 0/0 and its
    limit is returned. `status` is 0 if the requested tolerance was reached (see `Status`), and
    `initial` the state at t = 0, `origin` what was solved. Energies are in units of hbar, entropies
    of k_B.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> sol = bx.solve(cavity, bx.Fock(5), jnp.linspace(0.0, 40.0, 9))
    >>> f"{sol.energy[0]:.1f}, {sol.entropy[0]:.1f}; {sol.energy[-1]:.1f}, {sol.entropy[-1]:.1f}"
    '5.0, 0.0; 39.5, 4.7'
    """

    error: Quantities
    initial: State
    temperature_resolved: Bool[Array, " times"]

    @property
    def populations(self) -> Float[Array, "times 64"]:
        """Probabilities of the first 64 Fock states, less than 1 by `population_above`."""
        return self.fock_populations(64)

    @property
    def population_above(self) -> Float[Array, " times"]:
        """The probability of all Fock states that `populations` leaves out."""
        return 1.0 - jnp.sum(self.populations, axis=-1)

    @program
    def fock_populations(self, levels: int) -> Float[Array, "times levels"]:
        """p_n(t) for n below `levels` (AHZ Eq. 16); the sum falls short of 1 by those above."""
        return _loops.map(
            lambda point: self.initial.populations(point[0], point[1], levels),
            (self.u, self.v),
            batch_size=max(AT_ONCE // levels**2, 1),
        )

    def populations_within(self, missing: float = 1e-6) -> Float[Array, "times levels"]:
        """p_n(t) of so many Fock states that the probability of all others is below `missing`.

        There are at most 4,096 levels, or 256 for states that evolve as matrices, even if more
        would be needed. For concrete values only.
        """
        sizes = [size for size in LEVELS if size <= self.initial.most_levels]
        # Where v populates levels, they fall like (v / (1 + v))^n: fewer than that are not tried.
        number, v = np.asarray(self.number), np.asarray(self.v)
        foldings = -np.log(max(missing, np.finfo(float).eps))
        likely = np.max(number) + foldings * (1.0 + np.max(v))
        first = next((k for k, size in enumerate(sizes) if not size < likely), len(sizes) - 1)
        for size in sizes[first:]:
            found = self.fock_populations(size)
            above = np.max(1.0 - np.cumsum(np.asarray(found), axis=-1), axis=0)
            if not above[-1] > missing:
                break
        fewest = next(count for count in sizes if count == size or not above[count - 1] > missing)
        return found if fewest == size else jnp.asarray(np.asarray(found)[:, :fewest])

    @program
    def density_matrix(self, levels: int) -> Complex[Array, "times levels levels"]:
        """rho(t) in the Fock basis, cut at `levels`, in the laboratory frame."""
        return jax.vmap(lambda u, v: self.initial.density_matrix(u, v, levels))(self.u, self.v)

    def to_qutip(self, levels: int) -> list[Any]:
        """rho(t) at each time as a `qutip.Qobj` of so many Fock states."""
        return late("interchange.qutip", "states")(self.density_matrix(levels))


class QubitSolution(QubitQuantities, Outcome, Exported):
    """The quantities of a qubit at the times `t`, their errors, and its state at those times.

    `number` is the excited population p and `coherence` rho_10 in the laboratory frame. `energy`
    E = w_s p, `entropy` S = -Tr[rho ln rho], their rates `energy_rate` and `entropy_rate`,
    `temperature` T = E'/S', negative in an inverted state, `chemical_potential` mu = dE/dN,
    `free_energy` F = E - T S.

    `error` has an estimate of the absolute error of each of these, under the same name; the true
    error is at most a small multiple of it. `temperature_resolved` is False where T is 0/0 and its
    limit is returned. `status` is 0 if the requested tolerance was reached (see `Status`), and
    `initial` the state at t = 0, `origin` what was solved. Energies are in units of hbar, entropies
    of k_B.

    >>> qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=1.0))
    >>> sol = bx.solve(qubit, bx.Excited(), jnp.linspace(0.0, 400.0, 9), bx.VanHove())
    >>> round(float(sol.number[-1]), 4)  # 1 / (1 + e)
    0.2689
    >>> round(float(sol.temperature[-1]), 4)
    1.0
    """

    error: QubitQuantities
    initial: QubitState
    temperature_resolved: Bool[Array, " times"]

    @property
    @program
    def populations(self) -> Float[Array, "times 2"]:
        """Probabilities of the ground state and of the excited state."""
        return jnp.stack([1.0 - self.number, self.number], axis=-1)

    @program
    def density_matrix(self) -> Complex[Array, "times 2 2"]:
        """rho(t) in the basis of quanta (ground, excited), in the laboratory frame."""
        ground, excited = jnp.unstack(self.populations.astype(complex), axis=-1)
        rows = [[ground, self.coherence.conj()], [self.coherence, excited]]
        return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)

    def to_qutip(self) -> list[Any]:
        """rho(t) at each time as a `qutip.Qobj`, in the basis of quanta, of `qutip.destroy(2)`."""
        return late("interchange.qutip", "states")(self.density_matrix())


class LinearSolution(LinearQuantities, Outcome, Exported):
    """The quantities of several modes at the times `t`, and their errors.

    `u` and `v` are the Green functions as matrices, and `n` = u n(0) u' + v with n_ij = <a_j' a_i>.
    `number` N = tr n, `energy` E = tr(h n) and `entropy` S are those of the modes, with the rates
    `energy_rate` and `entropy_rate`. `particle_current` and `energy_current` are what the reservoir
    of each channel gains in unit time, and `interaction_energy` is that of the coupling to it.

    `temperature` T = E'/S' and `chemical_potential` mu = E'/N' are slopes along the trajectory, as
    for a cavity (AHZ Eq. 10); where both rates vanish, along a rise of all modes alike.
    `free_energy` is F = E - T S (AHZ Eq. 11), `grand_potential` F - mu N. `gibbs_state` has T and
    mu of the thermal state of the same E and N. They agree if the state is thermal and
    mu N' = 0. `mode_correlations` has what modes share.

    `error` has an estimate of the absolute error of each of these, `status` is 0 if the tolerance
    was reached, and `initial` is the state at t = 0, or in words the correlated start of a solution
    that was loaded. `origin` is what was solved.

    A level that fills from two leads, until the currents into them are opposite:

    >>> J = bx.FlatBand(gamma=0.5, low=-5.0, high=5.0)
    >>> leads = [bx.Reservoir(J, 0.1, mu) for mu in (0.5, -0.5)]
    >>> channels = [bx.Channel(lead, [1.0]) for lead in leads]
    >>> dot = bx.LinearSystem([[0.0]], channels, statistics="fermion")
    >>> sol = bx.solve(dot, bx.Covariance([[0.0]]), jnp.linspace(0.0, 40.0, 9))
    >>> [f"{current:.4f}" for current in sol.particle_current[-1]]
    ['-0.1229', '0.1229']
    """

    error: LinearQuantities
    initial: Covariance | Preparation | str

    @property
    def mode_populations(self) -> Float[Array, "times modes"]:
        """<a_i' a_i> of each mode, with the error of `n`."""
        return jnp.einsum("tii->ti", self._whole).real

    @property
    def eigenmode_populations(self) -> Float[Array, "times modes"]:
        """<b_k' b_k> of the eigenmodes b = q' a of h(t) = q diag(e) q', e rising.

        Their errors are at most that of `n` times the number of modes. Of equal levels only the sum
        is determined, and derivatives are not. Not known of a solution from a file.
        """
        return in_eigenmodes(system_of(self), self.t, self._whole)

    @property
    def _whole(self) -> Complex[Array, "times modes modes"]:
        """<a_j' a_i>, with what a mean is in it."""
        a = getattr(self, "displacement", jnp.zeros(self.n.shape[:2], complex))
        return self.n + a[:, :, None] * a.conj()[:, None, :]


def system_of(solution: LinearSolution) -> LinearSystem:
    """What was solved; a solution from a file is refused."""
    words, origin = "one that `solve` returned", solution.origin
    require("solution", words, "one from a file", origin is not None)
    assert origin is not None
    return origin.parts[0]


class CavityWork(Quantities, Work):
    """All quantities of a driven cavity; see `DrivenSolution`."""


class Balanced(Work):
    """A solution with work, in which energy is conserved."""

    @property
    def first_law(self) -> Float[Array, " times"]:
        """Delta E + Delta <H_I> + energy gained by reservoirs - W, which is zero; a check."""
        own: Any = self
        coupled = own.interaction_energy.reshape(own.t.shape[0], -1).sum(axis=1)
        stored = own.energy + coupled + jnp.sum(own.energy_gain, axis=1)
        return stored - stored[0] - (own.work - own.work[0])


class DrivenSolution(CavityWork, Solution, Balanced):
    """The quantities of a cavity whose frequency changes in time, and their errors.

    Beside those of a `Solution`, with w_s(t): the `power` w_s' N of the drive and its `work` W up
    to each time, `particle_gain` and `energy_gain` of each reservoir up to then, and the `heat` it
    took up, which is the energy less mu times the particles. `energy_rate` is E' with the power in
    it; T is its other part over S', w_s N'/S'. `entropy_production` is Delta S and the heat of each
    reservoir over its temperature.

    `first_law` is what is missing in Delta E + Delta <H_I> + sum `energy_gain` = W, a check.

    A ramp does work, of which the reservoir gets a part:

    >>> bath = bx.Reservoir(bx.Ohmic(0.1, 2.0), temperature=1.0)
    >>> cavity = bx.Cavity(lambda t: 1.5 + 0.5 * jnp.tanh(2.0 * (t - 4.0)), bath)
    >>> sol = bx.solve(cavity, bx.Thermal(0.5), jnp.linspace(0.0, 8.0, 5))
    >>> f"{sol.work[-1]:.6f}, {sol.heat[-1, 0]:.4f}"
    '0.693868, 0.8186'
    """

    error: CavityWork


class DrivenLinearSolution(DrivenLinearQuantities, LinearSolution, Balanced):
    """The quantities of several modes that are driven, displaced or squeezed, and their errors.

    Beside those of a `LinearSolution`, of h and couplings at each time: `power` of the drive and
    its `work` W up to each time, `particle_gain` and `energy_gain` of the reservoir of each channel
    up to then, and the `heat` it took up, the energy less mu times the particles. `energy_rate` is
    E' with the power in it; T and mu are slopes of its other part.

    `displacement` is the mean <a_i>, and n and `anomalous` <a_i a_j> are covariances about it:
    number, energy and currents contain both. If the system makes pairs, u and v are those of
    (a, a'); then, and in squeezed states, T, mu and the potentials are NaN.

    `first_law` is what is missing in Delta E + Delta <H_I> + sum `energy_gain` = W, a check. From a
    correlated start v is n. `origin` is what was solved.

    A level that is lifted slowly through the chemical potential gives its fermion away:

    >>> lead = bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), temperature=0.1)
    >>> dot = bx.LinearSystem(lambda t: [[0.1 * t - 1.0]], bx.Channel(lead, [1.0]), "fermion")
    >>> sol = bx.solve(dot, bx.Covariance([[1.0]]), jnp.linspace(0.0, 20.0, 5))
    >>> f"{sol.number[-1]:.4f}, {sol.work[-1]:.4f}"
    '0.0778, 1.1850'
    """

    error: DrivenLinearQuantities


def named(module: eqx.Module) -> dict[str, Any]:
    """The fields of a module by name."""
    return {field.name: getattr(module, field.name) for field in fields(module)}
