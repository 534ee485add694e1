r"""Quantities of several modes that are driven, displaced or squeezed, with their errors.

Beside n the covariance has <a_i a_j>, and a mean <a_i> is about what it fluctuates. With pairs
everything is written for Z = (a, a'), and the energy tr(h n) + Re tr(Delta' <a a>) is Z' W Z / 2.
Reservoirs change it by 2 Im sum_channels <Z' Phi> W c in unit time.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Inexact

from bathax._checks import Scalar
from bathax._estimate import Estimate
from bathax.linear.green import Correlations, DrivenGreenFunctions, Mean
from bathax.system.covariance import Covariance
from bathax.system.linear import LinearSystem
from bathax.thermodynamics.linear import LinearQuantities, described
from bathax.thermodynamics.resolution import Rate
from bathax.thermodynamics.slopes import Motion, Slopes, slopes
from bathax.thermodynamics.work import Work, work_done


class DrivenLinearQuantities(LinearQuantities, Work):
    """All quantities of several modes that are driven; see `DrivenLinearSolution`."""

    anomalous: Inexact[Array, "*times n n"]
    displacement: Inexact[Array, "*times n"]


def quantities(
    system: LinearSystem, initial: Covariance | None, estimate: Estimate[DrivenGreenFunctions]
) -> tuple[DrivenLinearQuantities, DrivenLinearQuantities]:
    """All quantities from the Green functions and the state to which u refers, and errors."""

    def at(t: Scalar, green: DrivenGreenFunctions, error: DrivenGreenFunctions) -> tuple:
        return _at(system, initial, t, green, error)

    value, doubt = jax.vmap(at)(estimate.t, estimate.value, estimate.error)
    return value, lax.stop_gradient(doubt)


def _at(
    system: LinearSystem,
    initial: Covariance | None,
    t: Scalar,
    green: DrivenGreenFunctions,
    error: DrivenGreenFunctions,
) -> tuple[DrivenLinearQuantities, DrivenLinearQuantities]:
    """At one time."""
    now, size = system.at(t), system.size
    state, bound = _state(now, initial, green), _bound(now, initial, green, error)
    value, doubt, known = described(now, state, bound)
    slope = _slopes(now, state, known, (green, error))
    done = work_done(system, t, (state, bound), (green, error))
    found = []
    for own, of, part, rates, work in zip(
        (green, error), (state, bound), (value, doubt), slope, done, strict=True
    ):
        none = jnp.zeros(size, own.u.dtype)
        known = {**vars(part), **vars(rates), **vars(work.work)}
        known["energy_rate"] += work.inner
        found.append(
            DrivenLinearQuantities(
                u=own.u,
                v=own.v,
                anomalous=none[:, None] * none[None, :] if of.pairs is None else of.pairs,
                displacement=none if of.mean is None else of.mean,
                **known,
            )
        )
    return found[0], found[1]


def _state(
    system: LinearSystem, initial: Covariance | None, green: DrivenGreenFunctions
) -> Correlations:
    size, whole = system.size, green.v
    pairs = None
    if initial is not None:
        own = initial.doubled(system.statistics) if system.is_paired else initial.n
        whole = green.u @ own @ green.u.conj().T + green.v
    # Rounding makes it slightly other than Hermitian.
    whole = 0.5 * (whole + whole.conj().T)
    if system.is_paired:
        pairs = whole[:size, size:].T
    elif initial is not None and initial.anomalous is not None:
        pairs = green.u @ initial.anomalous @ green.u.T
    contacts, mean = system.contacts, green.mean
    found = [jnp.sum(each * contacts, axis=1) for each in (green.field, green.energy_field)]
    if mean is None:
        return Correlations(whole[:size, :size], *found, pairs=pairs)
    moved = contacts @ mean.a.conj()
    found = [
        one + moved * field
        for one, field in zip(found, (mean.field, mean.energy_field), strict=True)
    ]
    return Correlations(whole[:size, :size], *found, pairs=pairs, mean=mean.a[:size])


def _bound(
    system: LinearSystem,
    initial: Covariance | None,
    green: DrivenGreenFunctions,
    error: DrivenGreenFunctions,
) -> Correlations:
    """That of the state; all elements of a matrix have the same error."""
    size, (system, initial, green) = system.size, lax.stop_gradient((system, initial, green))
    of_n, pairs, mean = error.v[0, 0], None, error.mean
    if initial is not None:
        paired = system.is_paired or initial.anomalous is not None
        own = initial.doubled(system.statistics) if paired else initial.n
        # Norms of matrices are at most so many times their largest element.
        of_n += 2.0 * own.shape[0] * jnp.linalg.norm(own) * error.u[0, 0]
        pairs = jnp.broadcast_to(of_n, (size, size)) if paired else None
    elif system.is_paired:
        pairs = jnp.broadcast_to(of_n, (size, size))
    strength = jnp.sum(jnp.abs(system.contacts), axis=1)
    found = [strength * each[:, 0] for each in (error.field, error.energy_field)]
    of_n = jnp.broadcast_to(of_n, (size, size))
    if mean is None or green.mean is None:
        return Correlations(of_n, *found, pairs=pairs)
    names = ("field", "energy_field")
    moved, blur = jnp.max(jnp.abs(green.mean.a)), mean.a[0]
    found = [
        one + strength * (moved * getattr(mean, name) + blur * jnp.abs(getattr(green.mean, name)))
        for one, name in zip(found, names, strict=True)
    ]
    return Correlations(of_n, *found, pairs=pairs, mean=mean.a[:size])


def _slopes(
    system: LinearSystem,
    state: Correlations,
    known: Motion,
    found: tuple[DrivenGreenFunctions, DrivenGreenFunctions],
) -> tuple[Slopes, Slopes]:
    """T and mu need a state without pairs; with them E' is known."""
    green, error = found
    central = Rate(green.field, error.field)
    if state.pairs is None:
        of_mean = None
        if green.mean is not None and error.mean is not None:
            unit = jnp.eye(system.size, dtype=complex)
            zero = Rate(jnp.zeros(()), jnp.zeros(()))
            rates = (_of_mean(system, green.mean, error.mean, M) for M in (system.h, unit))
            energy, number = rates
            energy = _with_force(system, green.mean, error.mean, energy)
            of_mean = Motion(energy, zero, number)
        return slopes(system, state.n, known, central, of_mean)
    W = _energy_matrix(system)
    driven = system.felt @ W.T
    value = 2.0 * jnp.sum(green.field * driven).imag
    doubt = 2.0 * jnp.sum(error.field * jnp.abs(driven))
    if green.mean is not None and error.mean is not None:
        more = _of_mean(system, green.mean, error.mean, W)
        more = _with_force(system, green.mean, error.mean, more)
        value, doubt = value + more.value, doubt + more.error
    unknown = {one: jnp.asarray(jnp.nan) for one in Slopes.__dataclass_fields__}
    return (
        Slopes(**{**unknown, "energy_rate": value}),
        Slopes(**{**unknown, "energy_rate": doubt}),
    )


def _of_mean(system: LinearSystem, mean: Mean, error: Mean, M: Complex[Array, "d d"]) -> Rate:
    """The rate of <a>' M <a> by the fields."""
    driven = system.felt @ M.T
    value = 2.0 * jnp.sum(mean.field * (driven @ mean.a.conj())).imag
    size = jnp.abs(driven) @ jnp.abs(mean.a)
    blur = jnp.sum(jnp.abs(driven), axis=1) * error.a[0]
    return Rate(value, 2.0 * jnp.sum(error.field * size + jnp.abs(mean.field) * blur))


def _with_force(system: LinearSystem, mean: Mean, error: Mean, rate: Rate) -> Rate:
    """And that of 2 Re f* <a>."""
    if system.force is None:
        return rate
    c, d = system.couplings, jnp.zeros_like(system.couplings)
    if system.is_paired:
        c, d = jnp.split(system.felt, 2, axis=1)
        # a changes as -i (c Phi + counterpart Phi'), the second of which is mirrored.
        d = -d.conj()
    pushed = c.T @ mean.field + d.T @ mean.field.conj()
    value = 2.0 * jnp.sum(system.force.conj() * pushed).imag
    size = jnp.abs(system.force) @ (jnp.abs(c) + jnp.abs(d)).T
    return Rate(rate.value + value, rate.error + 2.0 * jnp.sum(size * error.field))


def _energy_matrix(system: LinearSystem) -> Complex[Array, "d d"]:
    """W of Z' W Z / 2; h alone of a system without pairs."""
    if not system.is_paired:
        return system.h
    sign = 1.0 if system.statistics == "boson" else -1.0
    pairing = jnp.zeros_like(system.h) if system.pairing is None else system.pairing
    return jnp.block([[system.h, pairing], [sign * pairing.conj(), sign * system.h.conj()]])
