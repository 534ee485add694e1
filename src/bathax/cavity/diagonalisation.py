"""The solver for reservoirs of separate modes: exact diagonalisation of one quantum."""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from bathax._checks import Scalar, are_times, is_valid, require, require_positive
from bathax._estimate import Estimate, judged
from bathax._programs import program
from bathax.cavity.green import GreenFunctions
from bathax.cavity.solvers import Solver
from bathax.cavity.star import hamiltonian, row
from bathax.numerics.elementary import phase_factor
from bathax.system.models import Cavity
from bathax.system.system import System

ROUNDING = 4.0 * jnp.finfo(float).eps


class Diagonalisation(Solver):
    r"""The exact solution in `DiscreteModes`, at a cost of N^3 for N modes and N for each time.

    For reservoirs whose densities are all sums of separate modes, with any occupation. The error
    estimate is rounding, proportional to the time; `rtol` bounds it as in `Volterra`. Works under
    `jit`, `vmap` and `grad`, also where modes are degenerate; there second derivatives are NaN.

    Vacuum Rabi oscillation, |u|^2 = cos^2(Vt):

    >>> mode = bx.DiscreteModes(frequencies=[1.0], couplings=[0.1])
    >>> cavity, ts = bx.Cavity(1.0, bx.Reservoir(mode)), jnp.linspace(0.0, 10.0 * jnp.pi, 9)
    >>> green = bx.Diagonalisation().green_functions(cavity, ts).value
    >>> round(float(green.transmission[2]), 4)  # at Vt = pi / 4
    0.5
    """

    rtol: float = eqx.field(static=True, default=1e-9)

    def __check_init__(self) -> None:
        require_positive("rtol", self.rtol)

    def green_functions(
        self, cavity: Cavity, ts: Float[Array, " times"]
    ) -> Estimate[GreenFunctions]:
        require_modes(cavity)
        return _solve(cavity, ts, self.rtol)


def require_modes(system: System) -> None:
    """Refuse a reservoir with a continuous spectral density."""
    for bath in system.reservoirs:
        density = bath.spectral_density
        known = density.modes is not None
        require("spectral_density", "a sum of separate modes", f"{density}", known)


@program
def _solve(cavity: Cavity, ts: Float[Array, " times"], rtol: float) -> Estimate[GreenFunctions]:
    w, couplings, numbers = cavity.modes
    h = hamiltonian(cavity, w, couplings)
    y = row(h, ts)
    # y' = -i y H with symmetric H; y_0 belongs to the cavity, y_1, y_2, ... to the modes.
    rate = lax.complex((y @ h.astype(complex)).imag, -(y @ h.astype(complex)).real)
    exchange = (y[:, 1:].conj() * rate[:, 1:]) @ numbers.astype(complex)
    phase = phase_factor(-cavity.frequency * ts)
    u = phase * y[:, 0]
    turning = lax.complex(jnp.zeros(()), cavity.frequency)
    green = GreenFunctions(
        u=u,
        du=phase * rate[:, 0] - turning * u,
        v=jnp.abs(y[:, 1:]) ** 2 @ numbers,
        dv=2.0 * exchange.real,
        interaction_noise=-2.0 * exchange.imag,
    )
    error, relative = _rounding(cavity, h, green, ts)
    return judged(
        ts, green, error, valid=is_valid(cavity) & are_times(ts), reached=relative <= rtol
    )


def _rounding(
    cavity: Cavity,
    h: Float[Array, "states states"],
    green: GreenFunctions,
    ts: Float[Array, " times"],
) -> tuple[GreenFunctions, Scalar]:
    """Errors that follow from a relative error eps of H, and the largest relative one.

    |dv| <= 2 |dy| max_k n_k^1/2 v^1/2; time derivatives have a factor |H| more.
    """
    cavity, h, green = lax.stop_gradient((cavity, h, green))
    _, _, numbers = cavity.modes
    size = jnp.linalg.norm(h)
    of_y = ROUNDING * (1.0 + (size + cavity.frequency) * ts)
    of_v = 2.0 * of_y * jnp.sqrt(jnp.max(numbers) * green.v) + of_y**2 * jnp.max(numbers)
    largest = jnp.max(green.v)
    of_rate = 2.0 * size * of_y * jnp.max(numbers)
    error = GreenFunctions(
        u=of_y,
        du=(size + cavity.frequency) * of_y,
        v=of_v,
        dv=of_rate,
        interaction_noise=of_rate,
    )
    relative = jnp.max(of_v) / jnp.where(largest > 0.0, largest, 1.0)
    return lax.stop_gradient((error, jnp.maximum(jnp.max(of_y), relative)))
