r"""Critical points of a cavity: where a bound state appears, and where T(t) stops diverging.

A bound state appears at the edge e of the support where e - w_s - Sigma(e) changes sign. Sigma is
proportional to J, so that this happens when J is multiplied by (e - w_s) / Sigma(e). For an Ohmic
reservoir that is the critical coupling w_s / (w_c Gamma(s)).

T(t) = E' / S' diverges where S is largest. After the first transient a cavity relaxes with its
least damped resonance z_p = w_p - i Gamma / 2 and residue R_p,

<a'a> - <a'a>_inf = |R_p|^2 (<a'a>_0 - n_p) e^{-Gamma t} + terms in cos(w_p t) and sin(w_p t).

The resonant occupation is n_p = 2 Re \hat g~(z_p) / Gamma, with the Laplace transform
\hat g~(z) = \int_0^inf g~(t) e^{izt} dt continued analytically to the resonance. The oscillating
terms, an interference of the resonance with the branch cut, average to zero over a period.

Late states are nearly geometric, so that S rises where E rises. If <a'a>_0 < n_p both rise to the
end. If <a'a>_0 > n_p both fall in the end; a pure state begins with S = 0, so that S has a maximum,
where E' < 0. At weak coupling n_p = n(w_s), the border in AHZ Fig. 5.
"""

import jax.numpy as jnp
from jax import lax

from bathax._checks import RealLike, Scalar, as_float, holds, is_valid, require
from bathax._programs import program
from bathax.cavity.cut import noise_exponentials
from bathax.cavity.poles import discrete
from bathax.cavity.resonance import require_continued
from bathax.cavity.sheet import Sheet
from bathax.numerics.critical import find_critical
from bathax.numerics.exponential_sum import transform
from bathax.reservoir.reservoir import Reservoir
from bathax.system.models import Cavity
from bathax.system.system import System, require_system

NODES = 512
# Temperatures are searched from the one of weak coupling divided by this to it multiplied by this.
RANGE = 1e3


def critical_coupling(system: System, edge: int = 0) -> Scalar:
    r"""The factor on J at which a bound state appears beyond an edge, (e - w_s) / Sigma(e).

    `edge` is 0 for the lowest end of the support, below which an Ohmic reservoir has its bound
    state, or -1 for the highest end. The bound state exists above the factor returned: 0 if it
    exists at any coupling, because w_s is beyond the edge, and infinity if it never does. With
    J = eta j the critical coupling eta_c is eta times the result (AHZ below Eq. 15).

    Works under `jit`, `vmap` and `grad`. Other edges are refused: a gap between two bands has a
    bound state in a range of couplings.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> round(float(bx.critical_coupling(cavity)), 4)  # w_s / (eta w_c): eta_c is 2 eta
    2.0
    """
    ends = Sheet.of(system).edges
    require("edge", "0 or -1", edge, edge in (0, -1))
    require("system", "coupled to a density with an edge", "coupled to none", ends.shape[0] > 0)
    return _coupling_factor(system, edge)


@program
def _coupling_factor(system: System, edge: int) -> Scalar:
    ends = Sheet.of(system).edges
    distance = ends[edge] - system.frequency
    pull = system.self_energy(ends[edge].astype(complex)).real
    outside = distance > 0.0 if edge == 0 else distance < 0.0
    pulled = distance * pull > 0.0
    factor = distance / jnp.where(pulled, pull, 1.0)
    factor = jnp.where(outside, 0.0, jnp.where(pulled, factor, jnp.inf))
    return jnp.where(is_valid(system), factor, jnp.nan)


@program
def resonant_occupation(cavity: Cavity) -> Scalar:
    r"""The resonant occupation n_p = 2 Re \hat g~(z_p) / Gamma of the least damped resonance.

    A cavity that starts with fewer quanta approaches its steady state from below, one with more
    from above (see this module). n(w_s) at weak coupling; NaN where there is a bound state, or no
    resonance. Works under `jit`, `vmap` and `grad`.

    >>> J = bx.Lorentzian(gamma0=0.32, width=1.0, center=1.0)
    >>> cavity = bx.Cavity(1.0, bx.Reservoir(J, occupation=bx.Uniform(2.0)))
    >>> round(float(bx.resonant_occupation(cavity)), 4)
    2.0
    """
    sheet = Sheet.of(cavity)
    require_continued(cavity)
    bound, found = discrete(sheet)
    least = jnp.argmin(jnp.where(found.exist, -found.frequencies.imag, jnp.inf))
    exists, away = found.exist[least], lax.complex(cavity.frequency, -cavity.frequency)
    z = jnp.where(exists, found.frequencies[least], away)[None]
    kernel = noise_exponentials(sheet, NODES)[0]
    occupation = -transform(kernel, z)[0].real / z[0].imag
    usable = exists & ~jnp.any(bound.exist) & is_valid(cavity)
    return jnp.where(usable, occupation, jnp.nan)


def critical_temperature(cavity: Cavity, number: RealLike) -> Scalar:
    """kT0* of the reservoirs, above which T(t) no longer diverges on its way to the steady state.

    The cavity starts in a pure state with <a'a> = `number` > 0 quanta, such as a Fock state. All
    reservoirs are thermal at one temperature, which is varied; those of the cavity given do not
    matter. Below kT0* the entropy, averaged over a period 2 pi / w_p, has a maximum after the first
    transient: there T = E'/S' diverges, and before it T is negative. Above kT0* there is none. At
    kT0* the time of the maximum is infinite, and `resonant_occupation` is `number`. For eta -> 0 it
    is w_s / ln(1 + 1/number) (AHZ Fig. 5). Near the critical coupling the resonance is as wide as
    its frequency and decays within a period: there kT0* is defined by `resonant_occupation` alone.

    NaN above the critical coupling. Works under `jit`, `vmap` and `grad`.

    >>> weak = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.0002, 5.0)))
    >>> round(float(bx.critical_temperature(weak, number=5)), 2)  # 1 / ln(6/5) = 5.485 for eta -> 0
    5.48
    """
    require_system(cavity)
    number = as_float(number, "number")
    require("number", "positive", number, holds(lambda n: n > 0.0, number))
    return _temperature(cavity, number)


@program
def _temperature(cavity: Cavity, number: Scalar) -> Scalar:
    def excess(logarithm: Scalar) -> Scalar:
        return resonant_occupation(at_temperature(cavity, jnp.exp(logarithm))) - number

    weak = jnp.log(cavity.frequency / jnp.log1p(1.0 / number))
    reach = jnp.log(RANGE)
    return jnp.exp(find_critical(excess, (weak - reach, weak + reach)))


def at_temperature(cavity: Cavity, temperature: RealLike) -> Cavity:
    """The cavity with all its reservoirs in thermal states of one `temperature`.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> cold = bx.at_temperature(cavity, 2.0)
    >>> float(cold.reservoirs[0].temperature)
    2.0
    """
    return Cavity(
        cavity.frequency,
        [Reservoir(bath.spectral_density, temperature) for bath in cavity.reservoirs],
    )
