r"""Transmission, noise of currents and thermoelectric coefficients of several modes.

With the scattering matrix s = 1 - i M, M_ab = 2 pi sqrt(J_a J_b) c_a' G c_b, the transmission from
channel b to channel a is T_ab = |M_ab|^2. Currents fluctuate even in a steady state. Their
correlations at zero frequency are, with the upper sign for fermions
(Buettiker, Phys. Rev. B 46, 12485),

S_ab = 1/(2 pi) \int dw sum_cd A^a_cd A^b_dc n_c (1 -+ n_d),
A^a_cd = delta_ac delta_ad - s_ac* s_ad.

Close to equilibrium currents are linear in differences of mu and T, with the coefficients
L_k = 1/(2 pi) \int dw T_12 (w - mu)^k (-dn/dw) of two channels.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import RealLike, Scalar, as_float, holds, is_valid, require
from bathax._display import Record
from bathax._programs import program
from bathax.linear.landauer import Integrals, relative_error
from bathax.linear.spectrum import Spectrum, require_leads
from bathax.reservoir.occupation import Thermal
from bathax.system.linear import LinearSystem


def transmission(system: LinearSystem, w: RealLike) -> Float[Array, "*w channels channels"]:
    r"""T_ab(w) = 4 pi^2 J_a J_b |c_a' G c_b|^2, G = 1 / (w - h - sum_channels c c' Sigma(w + i0)).

    Off the diagonal it is the probability that a quantum of frequency `w` goes from the reservoir
    of channel b to that of channel a; the current is 1/(2 pi) \int dw sum_b T_ab (n_b - n_a). It is
    zero where one of the densities is. On the diagonal it belongs to the scattering matrix
    1 - 2 pi i sqrt(J_a J_b) c_a' G c_b, whose rows have norm 1. Works under `jit`, `vmap` and
    `grad`; an invalid system gives NaN. Separate modes are refused.

    A level in the middle of two equal leads transmits everything:

    >>> leads = [bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.1, mu) for mu in (0.5, -0.5)]
    >>> dot = bx.LinearSystem([[0.0]], [bx.Channel(lead, [1.0]) for lead in leads], "fermion")
    >>> [round(float(bx.transmission(dot, w)[0, 1]), 4) for w in (0.0, 0.5)]
    [1.0, 0.533]
    """
    require_leads(system)
    return _transmission(system, as_float(w, "w"))


@program
def _transmission(system: LinearSystem, w: Float[Array, "*w"]) -> Float[Array, "..."]:
    spectrum = Spectrum.at_frequencies(system, w.ravel())
    found = jnp.moveaxis(jnp.abs(_scattered(system, spectrum)) ** 2, -1, 0)
    found = jnp.where(is_valid(system), found, jnp.nan)
    return found.reshape(*w.shape, *found.shape[1:])


def _scattered(system: LinearSystem, spectrum: Spectrum) -> Complex[Array, "channels channels w"]:
    """M_ab = 2 pi sqrt(J_a J_b) c_a' G c_b."""
    positive = spectrum.densities > 0.0
    root = jnp.sqrt(2.0 * jnp.pi * jnp.where(positive, spectrum.densities, 1.0))
    root = jnp.where(positive, root, 0.0).astype(complex)
    amplitudes = jnp.einsum("ai,ibq->abq", system.couplings.conj(), spectrum.columns)
    return root[:, None] * root[None] * amplitudes


class CurrentNoise(Record):
    r"""Correlations of particle currents at zero frequency.

    `value` is S_ab = \int dt <dI_a(t) dI_b(0)>, symmetrised, of the gains I of the reservoirs of
    two channels, and `error` an estimate of the absolute error of all of them.

    >>> leads = [bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.1, mu) for mu in (0.5, -0.5)]
    >>> dot = bx.LinearSystem([[0.0]], [bx.Channel(lead, [1.0]) for lead in leads], "fermion")
    >>> bool(bx.current_noise(dot).error < 1e-10)
    True
    """

    value: Float[Array, "channels channels"]
    error: Scalar


def current_noise(system: LinearSystem) -> CurrentNoise:
    r"""S_ab = \int dt <dI_a(t) dI_b(0)> of the particle currents in the steady state, symmetrised.

    The variance of the number of particles that a reservoir has gained grows by S_aa in unit time,
    its mean by I_a. S_ab = 1/(2 pi) \int dw sum_cd A^a_cd A^b_dc n_c (1 -+ n_d), minus for
    fermions, A^a_cd = delta_ac delta_ad - s_ac* s_ad with the scattering matrix s of `transmission`
    (Buettiker, Phys. Rev. B 46, 12485). The error estimate, constant to differentiation, is about
    the square of the change from half the nodes, plus what is missing from the completeness of the
    spectrum. Works under `jit`, `vmap` and `grad`; an invalid system gives NaN.

    At T = 0 a tunnel contact has the noise of Poisson, S = I, and an open channel none:

    >>> leads = [bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.0, mu) for mu in (0.1, -0.1)]
    >>> channels = [bx.Channel(leads[0], [1.0]), bx.Channel(leads[1], [0.01])]
    >>> dot = bx.LinearSystem([[0.0]], channels, "fermion")
    >>> noise, end = bx.current_noise(dot), bx.steady_state(dot)
    >>> f"{noise.value[1, 1] / end.particle_current[1]:.3f}"
    '1.000'
    """
    require_leads(system)
    return _noise(system)


@program
def _noise(system: LinearSystem) -> CurrentNoise:
    spectrum = Spectrum.of(system)
    m, n = _scattered(system, spectrum), spectrum.occupations
    unit = jnp.eye(n.shape[0], dtype=complex)
    sign = -1.0 if system.statistics == "fermion" else 1.0
    exchanged = n[:, None] * (1.0 + sign * n[None])
    # A^a_cd without the difference of numbers close to 1.
    own = 1j * jnp.einsum("ac,adq->acdq", unit, m)
    emitted = own + own.conj().swapaxes(1, 2) - m.conj()[:, :, None] * m[:, None]
    rate = jnp.einsum("acdq,bdcq,cdq->abq", emitted, emitted, exchanged.astype(complex))
    found = jnp.einsum("rq,abq->rab", spectrum.weights, rate.real) / (2.0 * jnp.pi)
    value = 0.5 * (found[0] + found[0].T)
    return CurrentNoise(*_judged(system, spectrum, value, found))


class ThermoelectricCoefficients(Record):
    r"""How two channels in equilibrium answer to small differences of mu and T.

    `moments` are L_0, L_1, L_2, L_k = 1/(2 pi) \int dw T_12 (w - mu)^k (-dn/dw), `error` estimates
    of their absolute errors, and `temperature` is T. For d mu and d T the currents of particles and
    heat are I = L_0 d mu + L_1 d T / T and Q = L_1 d mu + L_2 d T / T.

    >>> leads = [bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.1, 0.0) for _ in range(2)]
    >>> dot = bx.LinearSystem([[0.5]], [bx.Channel(lead, [1.0]) for lead in leads], "fermion")
    >>> found = bx.thermoelectric_coefficients(dot)
    >>> f"{found.thermopower:.4f}, {found.figure_of_merit:.4f}"
    '0.5448, 0.0925'
    """

    moments: Float[Array, " 3"]
    error: Float[Array, " 3"]
    temperature: Scalar

    @property
    def conductance(self) -> Scalar:
        """dI / d mu, L_0."""
        return self.moments[0]

    @property
    def thermopower(self) -> Scalar:
        """-d mu / d T without a current, L_1 / (T L_0)."""
        return self.moments[1] / (self.temperature * self.moments[0])

    @property
    def heat_conductance(self) -> Scalar:
        """dQ / d T without a current of particles, (L_2 - L_1^2 / L_0) / T."""
        return self._left / (self.temperature * self.moments[0])

    @property
    def figure_of_merit(self) -> Scalar:
        """Z T = L_1^2 / (L_0 L_2 - L_1^2)."""
        return self.moments[1] ** 2 / self._left

    @property
    def maximal_efficiency(self) -> Scalar:
        """That of a heat engine, of Carnot's: (sqrt(Z T + 1) - 1) / (sqrt(Z T + 1) + 1)."""
        root = jnp.sqrt(self.figure_of_merit + 1.0)
        return (root - 1.0) / (root + 1.0)

    @property
    def _left(self) -> Scalar:
        return self.moments[0] * self.moments[2] - self.moments[1] ** 2


def thermoelectric_coefficients(system: LinearSystem) -> ThermoelectricCoefficients:
    r"""L_k = 1/(2 pi) \int dw T_12 (w - mu)^k (-dn/dw) of two channels at one T > 0 and one mu.

    They give the conductance, the thermopower and the efficiency of a heat engine. At T = 0 the
    conductance is T_12(mu) / (2 pi), from `transmission`. Works under `jit`, `vmap` and `grad`; an
    invalid system gives NaN, as do reservoirs that are not in equilibrium inside `jit`.

    >>> leads = [bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.01, 0.0) for _ in range(2)]
    >>> dot = bx.LinearSystem([[0.0]], [bx.Channel(lead, [1.0]) for lead in leads], "fermion")
    >>> round(float(2.0 * jnp.pi * bx.thermoelectric_coefficients(dot).conductance), 3)
    0.999
    """
    require_leads(system)
    count = len(system.channels)
    require("channels", "two", count, count == 2)
    require("reservoirs", "thermal", "others", len(_thermal(system)) == count)
    words = "two reservoirs of one temperature > 0 and one chemical potential"
    require("channels", words, "others", holds(_is_equilibrium, system))
    return _thermoelectric(system)


def _thermal(system: LinearSystem) -> list[Thermal]:
    found = (bath.occupation for bath in system.reservoirs)
    return [occupation for occupation in found if isinstance(occupation, Thermal)]


def _is_equilibrium(system: LinearSystem) -> Bool[Array, ""]:
    first, second = _thermal(system)
    equal = (first.temperature == second.temperature) & (first.level == second.level)
    return equal & (first.temperature > 0.0)


@program
def _thermoelectric(system: LinearSystem) -> ThermoelectricCoefficients:
    occupation, spectrum = _thermal(system)[0], Spectrum.of(system)
    passed = jnp.abs(_scattered(system, spectrum)[0, 1]) ** 2
    w = jnp.where(passed > 0.0, spectrum.w, system.reservoirs[0].spectral_density.extent[1])
    _, slope = jax.jvp(occupation, (w,), (jnp.ones_like(w),))
    above, window = w - occupation.level, -passed * slope / (2.0 * jnp.pi)
    rates = jnp.stack([window, above * window, above**2 * window])
    found = jnp.einsum("rq,kq->rk", spectrum.weights, rates)
    value, error = _judged(system, spectrum, found[0], found)
    known = jnp.where(_is_equilibrium(system), 0.0, jnp.nan)
    return ThermoelectricCoefficients(
        value + known, jnp.broadcast_to(error, value.shape), occupation.temperature
    )


def _judged(
    system: LinearSystem, spectrum: Spectrum, value: Array, found: Float[Array, "rules ..."]
) -> tuple[Array, Array]:
    """A value and its error, both NaN for an invalid system."""
    every = Integrals.over(system, spectrum)
    size = jnp.max(jnp.abs(value))
    error = size * (relative_error((every.complete, found), (jnp.ones(()), size)) + every.lost)
    known = jnp.where(is_valid(system), 0.0, jnp.nan)
    return value + known, lax.stop_gradient(error) + known
