r"""The non-equilibrium Green functions u(t) and v(t, t) of a cavity (AHZ Eq. 14).

u' = -i w_s u - \int_0^t g(t-s) u(s) ds, u(0) = 1, is solved in the rotating frame, where
u = e^{-i w_s t} y and y' = -k * y with k(t) = g(t) e^{i w_s t}. With k~(t) = g~(t) e^{i w_s t} the
noise obeys v' = 2 Re[conj(y) c], c = k~ * y, and one running integral gives v.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float, Inexact, Int

from bathax._checks import Scalar
from bathax._programs import program
from bathax.numerics import gregory
from bathax.numerics.elementary import phase_factor
from bathax.numerics.grid import TimeGrid, combined, stencils
from bathax.numerics.refinement import coarse_and_fine
from bathax.numerics.volterra import solve_integro_differential
from bathax.system.models import Cavity

# Grids up to this size are solved together with the one of half the points.
TOGETHER = 2**14


class GreenFunctions(eqx.Module):
    r"""u and v with their time derivatives, and the noise part of the interaction energy.

    `interaction_noise` is the contribution of noise to the energy of the coupling,
    <H_I> = -2 Im[conj(u)(u' + i w_s u)] <a'a>(0) + interaction_noise.
    """

    u: Inexact[Array, "*times"]
    du: Inexact[Array, "*times"]
    v: Float[Array, "*times"]
    dv: Float[Array, "*times"]
    interaction_noise: Float[Array, "*times"]

    @property
    def transmission(self) -> Float[Array, "*times"]:
        """|u|^2, the share of the initial quanta still in the cavity."""
        return self.u.real**2 + self.u.imag**2

    def drift(self, frequency: Float[Array, "*#times"]) -> Complex[Array, "*times"]:
        """u' + i w_s u, the part of u' that is due to the reservoirs."""
        return self.du + lax.complex(jnp.zeros_like(frequency), frequency) * self.u

    @property
    def transmission_rate(self) -> Float[Array, "*times"]:
        """d|u|^2/dt = 2 Re[conj(u) u']."""
        return 2.0 * (self.u.conj() * self.du).real


class MasterEquationCoefficients(eqx.Module):
    """Renormalised frequency w_s', dissipation gamma and noise gamma~ of AHZ Eq. (13)."""

    frequency: Float[Array, "*times"]
    dissipation: Float[Array, "*times"]
    noise: Float[Array, "*times"]


def coefficients(green: GreenFunctions) -> MasterEquationCoefficients:
    """w_s' = -Im(u'/u), gamma = -Re(u'/u), gamma~ = v' + 2 gamma v (AHZ, below Eq. 13).

    Infinite where u has a zero: the map is exact there but no master equation exists.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0)))
    >>> green = bx.BornMarkov().green_functions(cavity, jnp.linspace(0.0, 40.0, 9)).value
    >>> round(float(bx.coefficients(green).dissipation[-1]), 4)  # pi J(w_s)
    0.0257
    """
    ratio = green.du / green.u
    return MasterEquationCoefficients(
        -ratio.imag, -ratio.real, green.dv - 2.0 * ratio.real * green.v
    )


@program
def on_grid(cavity: Cavity, grid: TimeGrid) -> GreenFunctions:
    """u, u', v, v' at every point of a uniform grid; the number of points is a power of two.

    No error estimate: `bathax.Volterra` compares two grids. NaN for a kernel singular at t = 0.
    """
    phase = phase_factor(cavity.frequency * grid.times)
    memory, noise = cavity.memory_kernel(grid) * phase, cavity.noise_kernel(grid) * phase
    return _laboratory(cavity.frequency, grid.times, _rotating(memory, noise, grid.step))


def interpolated(
    cavity: Cavity, stop: Scalar, points: int
) -> Callable[[Float[Array, " times"]], tuple[GreenFunctions, GreenFunctions]]:
    """The Green functions at any times up to `stop`, from a grid and from half its points.

    The kernels are sampled once. While the program takes longer to compile than to run, one program
    serves both grids: the coarse one is padded with zeros, which by causality do not matter.
    Derivatives are those of the fine grid.
    """
    grid = TimeGrid.beyond(stop, points)
    phase = phase_factor(cavity.frequency * grid.times)
    # Separately, so that inside `jit` a kernel that is not used is not computed.
    memory, noise = cavity.memory_kernel(grid) * phase, cavity.noise_kernel(grid) * phase
    half, together = grid.halved, points <= TOGETHER
    thinned = memory[::2], noise[::2]
    if together:
        thinned = tuple(jnp.pad(kernel, (0, half.points)) for kernel in thinned)
    coarse, fine = coarse_and_fine(
        _rotating, (*thinned, half.step), (memory, noise, grid.step), (), together=together
    )

    def at(ts: Float[Array, " times"]) -> tuple[GreenFunctions, GreenFunctions]:
        return coarse_and_fine(
            _between,
            (coarse, half.step, jnp.asarray(half.points)),
            (fine, grid.step, jnp.asarray(points)),
            (cavity.frequency, ts),
            together=together,
        )

    return at


class Rotating(eqx.Module):
    """u, u', v, v' and the interaction noise in the rotating frame, where they vary slowly."""

    y: Complex[Array, "*times"]
    dy: Complex[Array, "*times"]
    v: Float[Array, "*times"]
    dv: Float[Array, "*times"]
    interaction_noise: Float[Array, "*times"]


def _rotating(
    memory: Complex[Array, " points"], noise: Complex[Array, " points"], step: Scalar
) -> Rotating:
    """The solution for kernels g and g~ in the rotating frame."""
    y = solve_integro_differential(memory, step)
    flow, c = (gregory.convolve(kernel, y, step) for kernel in (memory, noise))
    exchange = y.conj() * c
    # <f'(t) df/dt> = conj(y) c + 2i int_0^t Im[y' conj(c)] ds for the noise part f of a(t).
    work = gregory.integrate(-(flow * c.conj()).imag, step)
    interaction_noise = -2.0 * exchange.imag - 4.0 * work
    rate = 2.0 * exchange.real
    return Rotating(y, -flow, gregory.integrate(rate, step), rate, interaction_noise)


def _between(
    samples: Rotating, step: Scalar, size: Int[Array, ""], frequency: Scalar, ts: Array
) -> GreenFunctions:
    """The Green functions at any times, from samples on a grid of that step and size."""
    rule = stencils(ts / step, size)
    return _laboratory(frequency, ts, jax.tree.map(lambda f: combined(f, *rule), samples))


def _laboratory(
    frequency: Scalar, ts: Float[Array, " times"], rotating: Rotating
) -> GreenFunctions:
    y, dy = rotating.y, rotating.dy
    # Unlike `phase_factor`, the compiler does not compute this again for each of its uses.
    phase = jnp.exp(lax.complex(jnp.zeros(()), -frequency) * ts.astype(complex))
    turning = lax.complex(jnp.zeros(()), frequency) * y
    du = phase * (dy - turning)
    return GreenFunctions(
        u=phase * y,
        du=du,
        v=rotating.v,
        dv=rotating.dv,
        interaction_noise=rotating.interaction_noise,
    )
