r"""Quantities of several modes that are driven, displaced or squeezed, with their errors.

Beside n the covariance has <a_i a_j>, and a mean <a_i> is about what it fluctuates. With pairs
everything is written for Z = (a, a'), and the energy tr(h n) + Re tr(Delta' <a a>) is Z' W Z / 2.
Reservoirs change it by 2 Im sum_channels <Z' Phi> W c in unit time.
"""

from dataclasses import fields, replace

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Inexact

from bathax._checks import Scalar
from bathax._estimate import Estimate
from bathax.linear.green import (
    Correlations,
    DrivenGreenFunctions,
    Mean,
    contact,
    contact_error,
)
from bathax.system.covariance import Covariance
from bathax.system.linear import LinearSystem
from bathax.thermodynamics.linear import LinearQuantities, described, on_the_way
from bathax.thermodynamics.resolution import Rate
from bathax.thermodynamics.slopes import Motion, Slopes, slopes
from bathax.thermodynamics.work import Work, work_done

# Phi and Phi_w.
FIELDS = "field", "energy_field"


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
    slope = _slopes(now, state, known, green, error)
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
    contacts, energies = (contact(system.contacts, green, field) for field in FIELDS)
    energies = on_the_way(system, energies)
    mean = None if green.mean is None else green.mean.a[:size]
    return Correlations(whole[:size, :size], contacts, energies, pairs=pairs, mean=mean)


def _bound(
    system: LinearSystem,
    initial: Covariance | None,
    green: DrivenGreenFunctions,
    error: DrivenGreenFunctions,
) -> Correlations:
    """That of the state; all elements of a matrix have the same error."""
    size, (system, initial, green) = system.size, lax.stop_gradient((system, initial, green))
    paired = system.is_paired or (initial is not None and initial.anomalous is not None)
    of_n = error.v[0, 0]
    if initial is not None:
        own = initial.doubled(system.statistics) if paired else initial.n
        # Norms of matrices are at most so many times their largest element.
        of_n += 2.0 * own.shape[0] * jnp.linalg.norm(own) * error.u[0, 0]
    of_n = jnp.broadcast_to(of_n, (size, size))
    contacts = (contact_error(system.contacts, green, error, field) for field in FIELDS)
    mean = None if error.mean is None else error.mean.a[:size]
    return Correlations(of_n, *contacts, pairs=of_n if paired else None, mean=mean)


def _slopes(
    system: LinearSystem,
    state: Correlations,
    known: Motion,
    green: DrivenGreenFunctions,
    error: DrivenGreenFunctions,
) -> tuple[Slopes, Slopes]:
    """T and mu of a state without pairs; with them only E' is known."""

    def risen(M: Complex[Array, "d d"]) -> Rate:
        """The rate of Z' M Z / 2, or of a' M a, by the fields."""
        numbers = system.felt @ M.T
        value = 2.0 * jnp.sum(contact(numbers, green, "field")).imag
        return Rate(value, 2.0 * jnp.sum(contact_error(numbers, green, error, "field")))

    if state.pairs is None and green.mean is None:
        return slopes(system, state.n, known, Rate(green.field, error.field))
    energy = _with_force(system, green.mean, error.mean, risen(_energy_matrix(system)))
    if state.pairs is None:
        number = risen(jnp.eye(system.size, dtype=complex))
        central = Rate(green.field, error.field)
        return slopes(system, state.n, known, central, (energy, number))
    unknown = Slopes(*(jnp.full((), jnp.nan) for _ in fields(Slopes)))
    value, doubt = (replace(unknown, energy_rate=one) for one in (energy.value, energy.error))
    return value, doubt


def _with_force(system: LinearSystem, mean: Mean | None, error: Mean | None, rate: Rate) -> Rate:
    """And that of 2 Re f* <a>; a changes as -i (c Phi + d Phi')."""
    if system.force is None or mean is None or error is None:
        return rate
    c, d = system.couplings, jnp.zeros_like(system.couplings)
    if system.is_paired:
        d = -jnp.split(system.felt, 2, axis=1)[1].conj()
    pushed = c.T @ mean.field + d.T @ mean.field.conj()
    value = 2.0 * jnp.sum(system.force.conj() * pushed).imag
    size = jnp.abs(system.force) @ (jnp.abs(c) + jnp.abs(d)).T
    return Rate(rate.value + value, rate.error + 2.0 * jnp.sum(size * error.field))


def _energy_matrix(system: LinearSystem) -> Complex[Array, "d d"]:
    """W of Z' W Z / 2; h alone of a system without pairs."""
    if not system.is_paired:
        return system.h
    sign = system.sign
    pairing = jnp.zeros_like(system.h) if system.pairing is None else system.pairing
    return jnp.block([[system.h, pairing], [sign * pairing.conj(), sign * system.h.conj()]])
