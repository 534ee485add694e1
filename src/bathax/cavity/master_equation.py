"""The exact master equation of the cavity, integrated as it stands (AHZ Eq. 13).

`solve` evolves states by the exact channel instead, which is faster and has no truncation. This is
an independent way to the same density matrix.
"""

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float

from bathax._checks import ComplexLike, RealLike, as_complex, as_float
from bathax.cavity import green
from bathax.cavity.green import MasterEquationCoefficients, coefficients
from bathax.numerics.grid import TimeGrid, interpolate
from bathax.system.models import Cavity


def integrate_master_equation(
    cavity: Cavity,
    rho: ComplexLike,
    ts: RealLike,
    points: int = 4096,
    rtol: float = 1e-10,
) -> Complex[Array, "times levels levels"]:
    """rho(t) in the Fock basis, laboratory frame, from any initial density matrix.

    drho/dt = -i w_s' [a'a, rho] + gamma (2 a rho a' - a'a rho - rho a'a)
              + gamma~ (a' rho a + a rho a' - a'a rho - rho a a').

    The dimension of `rho` is the truncation: pad it with zeros until the highest levels stay
    empty. Coefficients come from Green functions on `points` grid points. Where u has a zero they
    are infinite: the result is NaN if the integrator cannot pass.

    Critical damping in the vacuum, |u|^2 = e^{-lam t} (1 + lam t/2)^2:

    >>> J = bx.Lorentzian(gamma0=0.5, width=1.0, center=1.0)
    >>> cavity, one = bx.Cavity(1.0, bx.Reservoir(J)), jnp.diag(jnp.array([0.0, 1.0]))
    >>> rho = bx.integrate_master_equation(cavity, one, jnp.array([0.0, 2.0]), points=256)
    >>> round(float(rho[-1, 1, 1].real), 4)  # 4 / e^2
    0.5413
    """
    rho, ts = as_complex(rho, "rho"), as_float(ts, "ts")
    grid = TimeGrid.until(ts[-1], points)
    rates = coefficients(green.on_grid(cavity, grid))
    lower = jnp.asarray(np.diag(np.sqrt(np.arange(1.0, rho.shape[0])), 1), complex)

    def slope(t: Any, packed: Array, rates: MasterEquationCoefficients) -> Array:
        now = jax.tree.map(lambda samples: interpolate(samples, grid, t[None])[0], rates)
        return _split(_generator(now, _joined(packed), lower))

    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(slope),
        diffrax.Dopri8(),
        t0=0.0,
        t1=ts[-1],
        dt0=grid.step,
        y0=_split(rho),
        args=rates,
        saveat=diffrax.SaveAt(ts=ts),
        stepsize_controller=diffrax.PIDController(rtol=rtol, atol=rtol * 1e-2),
        max_steps=16 * points,
        throw=False,
    )
    reached = solution.result == diffrax.RESULTS.successful
    return jnp.where(reached, _joined(jnp.asarray(solution.ys)), jnp.nan)


def _generator(
    rates: MasterEquationCoefficients,
    rho: Complex[Array, "d d"],
    lower: Complex[Array, "d d"],
) -> Complex[Array, "d d"]:
    frequency = rates.frequency.astype(complex)
    loss, noise = rates.dissipation.astype(complex), rates.noise.astype(complex)
    raise_ = lower.conj().T
    number, ordered = raise_ @ lower, lower @ raise_
    rotation = -1j * frequency * (number @ rho - rho @ number)
    falling = lower @ rho @ raise_
    damping = 2.0 * falling - number @ rho - rho @ number
    heating = raise_ @ rho @ lower + falling - number @ rho - rho @ ordered
    return rotation + loss * damping + noise * heating


def _split(rho: Complex[Array, "*times d d"]) -> Float[Array, "*times d d 2"]:
    """Real and imaginary part side by side: the integrator's error norm is for real numbers."""
    return jnp.stack([rho.real, rho.imag], axis=-1)


def _joined(parts: Float[Array, "*times d d 2"]) -> Complex[Array, "*times d d"]:
    return lax.complex(parts[..., 0], parts[..., 1])
