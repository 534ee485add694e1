"""How a run among damped modes begins: its state, or a past that has to be gone through first."""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax import _loops
from bathax._checks import Scalar, is_valid
from bathax.linear.damped import DampedModes
from bathax.linear.motion import Moving
from bathax.linear.passage import passage
from bathax.linear.stationary import BoundOccupation, joint_state
from bathax.numerics.steps import graded_steps
from bathax.system.covariance import Covariance
from bathax.system.linear import LinearSystem

# The past of a stationary start is so many times as long as what follows.
PAST = 8.0
# Modes of a reservoir if they cannot be counted: without a past, and with one.
OF_PRODUCTS, WITH_PAST = 40, 64
# A cycle is the sum of 2^DOUBLINGS periods, with kernels as they are over CYCLES of them, and over
# LESS of that in the coarse result.
DOUBLINGS, CYCLES, LESS = 24, 512.0, 1.0 / 8.0


class Steps(NamedTuple):
    """How time is divided: so many steps, of which a coarse result joins two each."""

    points: int
    coarser: Scalar

    def edges(self, stop: Scalar) -> Float[Array, " edges"]:
        """The ends of the steps of a run up to `stop`."""
        return graded_steps(stop, self.points, self.coarser)


class Start(eqx.Module):
    """What is joined to the modes at t = 0."""

    @property
    def state(self) -> Covariance | None:
        """The state of the modes to which the propagator refers; None if v is all of n."""
        return None

    @property
    def systems(self) -> list[LinearSystem]:
        """Those of the past."""
        return []

    @property
    def runs(self) -> list[Scalar]:
        """How long each run of the past is."""
        return []

    def horizon(self, span: Scalar) -> Scalar:
        """Up to when kernels matter to a run of this length."""
        return span

    @property
    def is_endless(self) -> bool:
        """Whether kernels matter beyond every horizon, so that results with two are compared."""
        return False

    @property
    def usual_modes(self) -> int:
        """The number of modes of each reservoir where it cannot be counted."""
        return WITH_PAST

    @abstractmethod
    def moving(self, modes: DampedModes, steps: Steps, system: LinearSystem) -> Moving:
        """G, the propagator and the mean at t = 0 of a system, with its modes."""


class Product(Start):
    """A state of the modes, uncorrelated with the reservoirs."""

    given: Covariance
    displaced: bool = eqx.field(static=True)

    @property
    def state(self) -> Covariance:
        """The given one."""
        return self.given

    @property
    def usual_modes(self) -> int:
        return OF_PRODUCTS

    def moving(self, modes: DampedModes, steps: Steps, system: LinearSystem) -> Moving:
        del steps
        paired, mean = system.is_paired, self.given.mean
        own = self.given.doubled(system.statistics) if paired else self.given.n
        size = own.shape[0]
        count = size + modes.rates.shape[0]
        if paired:
            mean = jnp.concatenate([mean, mean.conj()])
        return Moving(
            jnp.zeros((count, count), complex).at[:size, :size].set(own),
            jnp.eye(count, size, dtype=complex),
            jnp.pad(mean, (0, count - size)) if self.displaced else None,
        )


class Before(Start):
    """A system whose stationary state with its reservoirs is the start, `thermal` or not."""

    system: LinearSystem
    displaced: bool = eqx.field(static=True)
    thermal: bool = eqx.field(static=True)

    def horizon(self, span: Scalar) -> Scalar:
        return PAST * span

    def moving(self, modes: DampedModes, steps: Steps, system: LinearSystem) -> Moving:
        del steps, system
        bound = BoundOccupation.of(self.system, thermal=self.thermal)
        joint, size = joint_state(self.system, modes, bound), self.system.size
        mean = jnp.zeros(joint.shape[0], complex) if self.displaced else None
        return Moving(joint, jnp.eye(joint.shape[0], size, dtype=complex), mean)


class Continued(Start):
    """What became of an earlier start in a system until `stop`."""

    earlier: Start
    system: LinearSystem
    stop: Scalar

    @property
    def state(self) -> Covariance | None:
        """That of the earlier start."""
        return self.earlier.state

    @property
    def systems(self) -> list[LinearSystem]:
        return [*self.earlier.systems, self.system]

    @property
    def runs(self) -> list[Scalar]:
        return [*self.earlier.runs, self._length]

    @property
    def _length(self) -> Scalar:
        """A positive number in place of no time at all."""
        return jnp.where(self.stop > 0.0, self.stop, 1.0)

    def horizon(self, span: Scalar) -> Scalar:
        return self.earlier.horizon(self.stop + span)

    @property
    def is_endless(self) -> bool:
        return self.earlier.is_endless

    def moving(self, modes: DampedModes, steps: Steps, system: LinearSystem) -> Moving:
        start = self.earlier.moving(modes, steps, system)
        end, _ = passage(self.system, modes, start, steps.edges(self._length))
        return jax.tree.map(lambda a, b: jnp.where(self.stop > 0.0, b, a), start, end)


class Cyclic(Start):
    """The state that returns after each period of a driven system."""

    system: LinearSystem
    period: Scalar
    displaced: bool = eqx.field(static=True)

    @property
    def systems(self) -> list[LinearSystem]:
        return [self.system]

    @property
    def runs(self) -> list[Scalar]:
        return [self.period]

    def horizon(self, span: Scalar) -> Scalar:
        return CYCLES * self.period + span

    @property
    def is_endless(self) -> bool:
        return True

    def moving(self, modes: DampedModes, steps: Steps, system: LinearSystem) -> Moving:
        size = system.contacts.shape[1]
        count = size + modes.rates.shape[0]
        empty = jnp.zeros((count, count), complex)
        mean = empty[0] if self.displaced else None
        start = Moving(empty, jnp.eye(count, dtype=complex), mean)
        once, _ = passage(self.system, modes, start, steps.edges(self.period))
        joint, mean = repeated(once, size)
        return Moving(joint, start.propagator[:, :size], mean)


def repeated(
    once: Moving, size: int
) -> tuple[Complex[Array, "all all"], Complex[Array, " all"] | None]:
    """G and the mean that return after a period: G = U G U' + S, by doubling; NaN if none do.

    U is the propagator of a period and S what it adds to nothing.
    """

    def twice(now: Moving, _: None) -> tuple[Moving, None]:
        U, mean = now.propagator, now.mean
        return Moving(
            now.joint + U @ now.joint @ U.conj().T,
            U @ U,
            None if mean is None else mean + U @ mean,
        ), None

    last, _ = _loops.scan(twice, once, None, DOUBLINGS)
    forgotten = jnp.max(jnp.abs(lax.stop_gradient(last.propagator[:size, :size]))) < 1e-8
    joint = jnp.where(forgotten, last.joint, jnp.nan)
    return joint, None if last.mean is None else jnp.where(forgotten, last.mean, jnp.nan)


def is_possible(start: Start, system: LinearSystem) -> Bool[Array, ""]:
    """Whether all parameters of a start are valid, and its state one of such quanta."""
    state = start.state
    exists = jnp.asarray(True) if state is None else state.exists_in(system)
    return is_valid((start,)) & exists
