r"""Weak coupling: the time-convolutionless master equation, and the van Hove limit.

In the interaction picture H_I = s+ e^{i w_s t} B(t) + h.c., where <B(t) B'(0)> = g + g~ and
<B'(t) B(0)> = conj(g~). The second order of the time-convolutionless expansion,
rho' = -\int_0^t ds Tr_B [H_I(t), [H_I(s), rho(t) x rho_B]], is local in time. With

    a(t) = \int_0^t (g + g~)(s) e^{i w_s s} ds,    b(t) = \int_0^t g~(s) e^{i w_s s} ds

it reads rho_11' = -2 Re(a) rho_11 + 2 Re(b) rho_00 and rho_10' = -(i w_s + a + b) rho_10.
"""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar, are_times, is_valid
from bathax._estimate import Estimate, judged
from bathax._programs import program
from bathax.numerics import gregory
from bathax.numerics.grid import TimeGrid, interpolate, span
from bathax.numerics.refinement import RESOLVED, Refining, probed
from bathax.qubit.elements import MapElements, MapSolver
from bathax.system.models import Qubit

CONTROLLED = ("p11", "p00", "c", "dp11", "dp00", "dc")
ROUNDING = 4e-15


class TimeConvolutionless(Refining, MapSolver):
    r"""The time-convolutionless master equation of second order, integrated exactly.

    gamma_- = 2 Re a, gamma_+ = 2 Re b and c'/c = -i w_s - a - b (see this module), so that
    gamma_z = 0, D = |c|^2 = e^{-G} with G = \int (gamma_- + gamma_+) ds, and

        c = e^{-i w_s t - \int (a + b) ds},    1 - P00 = \int_0^t gamma_+(s) e^{G(s) - G(t)} ds.

    An approximation: its difference from the exact map grows like eta^2 t with the coupling eta,
    and is not part of the error estimate. The error estimate is numerical: the largest change from
    half the points over all elements and times, relative to the largest value, or 1/16 of it once
    it is below 1e-6, as in `Volterra`. `rtol` bounds it; for the number of grid points `points`, at
    most `max_points`, see `Refining`.

    >>> bath = bx.Reservoir(bx.Lorentzian(0.01, 0.5, 1.0), occupation=bx.Uniform(0.5))
    >>> qubit, ts = bx.Qubit(1.0, bath), jnp.linspace(0.0, 40.0, 9)
    >>> dmap = bx.dynamical_map(qubit, ts, bx.TimeConvolutionless())
    >>> round(float(dmap.gamma_minus[1]), 4)  # gamma0 (n + 1) (1 - e^{-lam t}) at t = 5
    0.0138
    """

    def map_elements(self, qubit: Qubit, ts: Float[Array, " times"]) -> Estimate[MapElements]:
        qubit.require_integrable()
        valid, phase = _prepare(qubit, ts)
        coarse, fine = self.refined(
            partial(_solve, qubit, ts), phase, lambda a, b: jnp.where(valid, _change(a, b), 0.0)
        )
        return _estimate(coarse, fine, ts, valid, self.rtol)


class VanHove(MapSolver):
    r"""The van Hove limit: eta -> 0 at fixed eta t. Constant rates of the golden rule.

    gamma_- = 2 pi J(w_s) (n + 1), gamma_+ = 2 pi J(w_s) n, and with Gamma = gamma_- + gamma_+

        D = e^{-Gamma t},    1 - P00 = (gamma_+ / Gamma) (1 - D),
        c = e^{-i (w_s + S) t - Gamma t/2},    S = P \int dw J(w) (2 n(w) + 1) / (w_s - w),

    These are the rates of `TimeConvolutionless` for t -> infinity. For several reservoirs
    J n = sum_i J_i n_i. An approximation: its difference from the exact map is of relative order
    eta, and is not part of the error estimate, which is that of rounding and of the quadrature
    for S.

    >>> qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=1.0))
    >>> dmap = bx.dynamical_map(qubit, jnp.linspace(0.0, 40.0, 9), bx.VanHove())
    >>> round(float(dmap.gamma_minus[-1]), 4)  # 2 pi J (n + 1)
    0.0814
    """

    def map_elements(self, qubit: Qubit, ts: Float[Array, " times"]) -> Estimate[MapElements]:
        valid = is_valid(qubit) & are_times(ts)
        return judged(ts, *_van_hove(qubit, ts), valid=valid, reached=valid)


@program
def _van_hove(qubit: Qubit, ts: Float[Array, " times"]) -> tuple[MapElements, MapElements]:
    w = qubit.frequency
    up = 2.0 * jnp.pi * qubit.noise_density(w)
    total = 2.0 * jnp.pi * qubit.spectral_density(w) + 2.0 * up
    thermal = qubit.noise_shift(w)
    shift = qubit.level_shift(w) + 2.0 * thermal
    d = jnp.exp(-total * ts)
    grown = -jnp.expm1(-total * ts) / jnp.where(total > 0.0, total, jnp.inf)
    log_slope = -lax.complex(0.5 * total, w + shift)
    c = jnp.exp(log_slope * ts.astype(complex))
    value = MapElements(
        p11=d + up * grown,
        p00=1.0 - up * grown,
        c=c,
        dp11=(up - total) * d,
        dp00=-up * d,
        dc=log_slope * c,
    )
    doubt = 2.0 * jnp.abs(thermal - qubit.noise_shift(w, 512)) * ts
    error = jax.tree.map(lambda x: ROUNDING * jnp.abs(x), value)
    turned = doubt + ROUNDING * (w + jnp.abs(shift)) * ts
    error = eqx.tree_at(
        lambda e: (e.c, e.dc),
        error,
        (error.c + turned * jnp.abs(c), error.dc + turned * jnp.abs(value.dc)),
    )
    return value, lax.stop_gradient(error)


@program
def _prepare(qubit: Qubit, ts: Float[Array, " times"]) -> tuple[Bool[Array, ""], Scalar]:
    """Whether the input is valid, and the bandwidth of the kernels times the last time."""
    valid = is_valid(qubit) & are_times(ts)
    return valid, jnp.where(valid, span(ts) * qubit.bandwidth, 0.0)


@program
def _solve(qubit: Qubit, ts: Float[Array, " times"], points: int) -> MapElements:
    """The elements at the requested times, and at probes in between for the error estimate."""
    ts = probed(ts, span(ts))
    grid = TimeGrid.until(span(ts), points)
    return _elements(qubit.frequency, ts, interpolate(_second_order(qubit, grid), grid, ts))


def _second_order(qubit: Qubit, grid: TimeGrid) -> Complex[Array, "4 points"]:
    r"""a + b, b, \int (a + b) ds and 1 - P00: smooth functions of time."""
    angle = qubit.frequency * grid.times
    phase = lax.complex(jnp.cos(angle), jnp.sin(angle))
    noise = qubit.noise_kernel(grid)
    b = gregory.integrate(noise * phase, grid.step)
    both = gregory.integrate(qubit.memory_kernel(grid) * phase, grid.step) + 2.0 * b
    exponent = gregory.integrate(both, grid.step)
    excited = gregory.integrate_damped(2.0 * b.real, 2.0 * exponent.real, grid.step)
    return jnp.stack([both, b, exponent, excited.astype(complex)])


def _elements(
    frequency: Scalar, ts: Float[Array, " times"], samples: Complex[Array, "4 times"]
) -> MapElements:
    both, b, exponent, excited = samples
    turning = lax.complex(jnp.zeros_like(frequency), frequency)
    c = jnp.exp(-turning * ts.astype(complex) - exponent)
    d, total, excited = jnp.exp(-2.0 * exponent.real), 2.0 * both.real, excited.real
    growth = 2.0 * b.real - total * excited
    return MapElements(
        p11=d + excited,
        p00=1.0 - excited,
        c=c,
        dp11=growth - total * d,
        dp00=-growth,
        dc=-(turning + both) * c,
    )


@program
def _change(coarse: MapElements, fine: MapElements) -> Float[Array, ""]:
    """The estimated relative error of the finer elements; infinite if numbers overflowed."""

    def relative(a: Array, b: Array) -> Array:
        size = jnp.max(jnp.abs(b))
        return jnp.max(jnp.abs(b - a)) / jnp.where(size > 0.0, size, 1.0)

    changes = [relative(getattr(coarse, name), getattr(fine, name)) for name in CONTROLLED]
    worst = jnp.nan_to_num(jnp.max(jnp.stack(changes)), nan=jnp.inf)
    return jnp.where(worst < RESOLVED, worst / 16.0, worst) + ROUNDING


@program
def _estimate(
    coarse: MapElements,
    fine: MapElements,
    ts: Float[Array, " times"],
    valid: Bool[Array, ""],
    rtol: float,
) -> Estimate[MapElements]:
    change = lax.stop_gradient(_change(coarse, fine))

    def error(values: Array) -> Array:
        size = jnp.max(jnp.abs(lax.stop_gradient(values)))
        return jnp.full(ts.shape, change * size)

    value = jax.tree.map(lambda values: values[: ts.shape[0]], fine)
    error = jax.tree.map(error, fine)
    return judged(ts, value, error, valid=valid, reached=change <= rtol)
