r"""States, maps and environments as objects of QuTiP, and reservoirs from its environments.

QuTiP couples an operator of the system to X = sum_k V_k (b_k + b_k'), whose correlation function is

C(t) = (1/pi) \int dw J_Q(w) [(n + 1) e^{-iwt} + n e^{iwt}] = g(t) + g~(t) + conj(g~(t)),

so that J_Q = pi J. Systems of bathax exchange quanta with the b_k; with the same environment QuTiP
has the terms that do not conserve quanta as well.
"""

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import qutip

from bathax._checks import RealLike, require, require_kind
from bathax.qubit.dynamical_map import DynamicalMap
from bathax.qubit.rates import NAMES, Rates
from bathax.reservoir.lorentzian import DrudeLorentz, Lorentzian
from bathax.reservoir.occupation import Thermal
from bathax.reservoir.ohmic import Ohmic
from bathax.reservoir.reservoir import Reservoir
from bathax.reservoir.spectral_density import SpectralDensity
from bathax.reservoir.tabulated import Tabulated

# Nodes for a correlation function: per unit of phase, and at least.
NODES, FEWEST = 4, 1024


def states(matrices: Any) -> list[qutip.Qobj]:
    """Density matrices at each time, in the basis of quanta."""
    return [qutip.Qobj(matrix) for matrix in np.asarray(matrices)]


# --- Maps of a qubit ---------------------------------------------------------------------------


def superoperators(dmap: DynamicalMap) -> list[qutip.Qobj]:
    """The map at each time, which acts on `qutip.operator_to_vector(rho)`."""
    p11, p00 = np.asarray(dmap.p11), np.asarray(dmap.p00)
    c = np.asarray(dmap.coherence, complex)
    require("t", "a list of times of one map", f"of shape {p11.shape}", p11.ndim == 1)
    # Vectors of QuTiP have the columns of rho one below another: rho_00, rho_10, rho_01, rho_11.
    matrices = np.zeros((len(c), 4, 4), complex)
    matrices[:, 0, 0], matrices[:, 0, 3] = p00, 1.0 - p11
    matrices[:, 3, 0], matrices[:, 3, 3] = 1.0 - p00, p11
    matrices[:, 1, 1], matrices[:, 2, 2] = c, c.conj()
    return [qutip.Qobj(matrix, dims=[[[2], [2]]] * 2) for matrix in matrices]


def generator(rates: Rates) -> qutip.QobjEvo:
    """The generator of the master equation (see `DynamicalMap`), as a function of time."""
    lower, excited = qutip.destroy(2), qutip.num(2)
    jumps = (lower, lower.dag(), 2.0 * excited - 1.0)
    operators = [qutip.lindblad_dissipator(jump) for jump in jumps]  # pyright: ignore
    operators.append(qutip.liouvillian(excited))  # pyright: ignore
    curves = (getattr(rates, name) for name in NAMES)
    return qutip.QobjEvo([[o, _scalar(f)] for o, f in zip(operators, curves, strict=True)])


def _scalar(curve: Callable[[Any], Any]) -> Callable[[float], float]:
    return lambda t: float(curve(t))


# --- Reservoirs --------------------------------------------------------------------------------


def environment(bath: Reservoir) -> qutip.BosonicEnvironment:
    """The environment with the same correlation function, in closed form where QuTiP has one."""
    occupation, density = bath.occupation, bath.spectral_density
    is_thermal, temperature = occupation.planck is not None, float(bath.temperature)
    words = "one of bosons without a chemical potential"
    require("reservoir", words, occupation, is_thermal or not isinstance(occupation, Thermal))
    if is_thermal and isinstance(density, Ohmic):
        strength = np.pi * float(density.eta)
        shape = float(density.cutoff), float(density.exponent)
        return qutip.OhmicEnvironment(temperature, strength, *shape)
    if is_thermal and isinstance(density, DrudeLorentz):
        cutoff = float(density.cutoff)
        lam = 0.5 * np.pi * float(density.eta) * cutoff
        return qutip.DrudeLorentzEnvironment(temperature, lam, cutoff)
    is_exponential = isinstance(density, Lorentzian) and bath.occupation.is_analytic
    if is_exponential or density.modes is not None:
        return _exponential(bath, temperature if is_thermal else None)
    return Environment(bath, temperature if is_thermal else None)


def _exponential(bath: Reservoir, temperature: Any) -> qutip.BosonicEnvironment:
    """C(t) of separate modes or of a Lorentzian, a sum of exponentials."""
    nodes, masses, filled = (np.asarray(part, complex) for part in bath.exponentials(0))
    # Real and imaginary parts of the sum of (m + m n) e^{-izt} + conj(m n e^{-izt}).
    decays = np.concatenate([1j * nodes, -1j * nodes.conj()])
    both = masses + 2.0 * filled
    real = 0.5 * np.concatenate([both, both.conj()])
    imaginary = -0.5j * np.concatenate([masses, -masses.conj()])
    return qutip.ExponentialBosonicEnvironment(real, decays, imaginary, decays, T=temperature)


class Environment(qutip.BosonicEnvironment):
    """The environment of any reservoir, with functions that bathax computes."""

    def __init__(self, bath: Reservoir, temperature: Any) -> None:
        super().__init__(temperature)
        self.reservoir = bath

    def spectral_density(self, w: Any) -> Any:
        """pi J(w) at w > 0, and 0 elsewhere."""
        w = np.asarray(w, float)
        return (np.where(w > 0.0, np.pi * self._density(w), 0.0))[()]

    def power_spectrum(self, w: Any, *, eps: float = 1e-10) -> Any:
        """2 pi [J(w) (n(w) + 1) + J(-w) n(-w)]; a thermal one at w = 0 is that at `eps`."""
        w = np.asarray(w, float)
        w = np.where(w == 0.0, eps, w)
        emitted, absorbed = self._density(w), self._density(-w)
        # n is not needed where there is nothing to be filled.
        n, m = (
            np.where(J > 0.0, self._occupation(x), 0.0) for J, x in ((emitted, w), (absorbed, -w))
        )
        return (2.0 * np.pi * (emitted * (n + 1.0) + absorbed * m))[()]

    def correlation_function(self, t: Any, **options: Any) -> Any:
        """g(t) + g~(t) + conj(g~(t)), its conjugate at t < 0."""
        del options
        t = np.asarray(t, float)
        flat = np.abs(t).ravel()
        turns = float(self.reservoir.spectral_density.bandwidth) * np.max(flat, initial=0.0)
        resolution = FEWEST + math.ceil(NODES * turns)
        nodes, masses, filled = map(np.asarray, self.reservoir.exponentials(resolution))
        waves = np.exp(-1j * flat[:, None] * nodes)
        noise = waves @ filled
        values = (waves @ masses + noise + noise.conj()).reshape(t.shape)
        return np.where(t < 0.0, values.conj(), values)[()]

    def _density(self, w: Any) -> np.ndarray:
        return np.asarray(self.reservoir.spectral_density(jnp.asarray(w)))

    def _occupation(self, w: Any) -> np.ndarray:
        return np.asarray(self.reservoir.occupation(jnp.asarray(w)))


def reservoir(environment: Any, frequencies: RealLike | None = None) -> Reservoir:
    """The reservoir with the same correlation function as an environment of QuTiP."""
    kind = qutip.BosonicEnvironment
    require_kind("environment", "a `qutip.BosonicEnvironment`", environment, kind)
    if isinstance(environment, Environment):
        return environment.reservoir
    known = environment.T is not None
    require("environment", "one with a temperature `T`", "without", known)
    return Reservoir(_density(environment, frequencies), environment.T)


def _density(environment: Any, frequencies: Any) -> SpectralDensity:
    """J = J_Q / pi: a formula if there is one, else a table."""
    if isinstance(environment, qutip.OhmicEnvironment):
        return Ohmic(environment.alpha / np.pi, environment.wc, environment.s)
    if isinstance(environment, qutip.DrudeLorentzEnvironment):
        eta = 2.0 * environment.lam / (np.pi * environment.gamma)
        return DrudeLorentz(eta, environment.gamma)
    words = "given for an environment without a formula in bathax, to make a table"
    require("frequencies", words, "left out", frequencies is not None)
    w = np.asarray(frequencies, float)
    return Tabulated(w, environment.spectral_density(w) / np.pi)
