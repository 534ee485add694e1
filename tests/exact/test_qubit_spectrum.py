"""Two-time functions of a qubit: the vacuum, Gibbs states by diagonalisation, and KMS."""

from itertools import combinations_with_replacement, pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.qubit.correlations import two_time

BAND = bx.SemicircleBand(eta=0.02, center=1.0, half_width=0.5)
DELAYS = jnp.linspace(0.0, 20.0, 6)


def cavity_function(density, ts):
    """u(t) of a cavity in the vacuum."""
    return bx.solve(bx.Cavity(1.0, bx.Reservoir(density)), bx.Fock(1), ts, bx.Volterra(1e-11)).u


@pytest.mark.slow
def test_in_the_vacuum_an_atom_absorbs_like_a_mode():
    qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.05, 5.0)))
    found = bx.qubit_correlation(qubit, DELAYS, bx.Hierarchy(depth=3, modes=25))
    np.testing.assert_allclose(found.value, 0.0, rtol=0.0, atol=1e-12)
    u = cavity_function(bx.Ohmic(0.05, 5.0), DELAYS)
    assert jnp.max(jnp.abs(found.greater - u)) <= 10.0 * found.error
    np.testing.assert_allclose(found.greater, u, rtol=0.0, atol=1e-6)


@pytest.mark.slow
def test_in_the_vacuum_an_excited_atom_emits_the_product_of_amplitudes():
    """<s+(s) s-(t)> = u(s)* u(t), and <s-(t) s+(s)> = u(t - s) from the ground state."""
    qubit, ts = bx.Qubit(1.0, bx.Reservoir(BAND)), jnp.array([12.0])
    solver = bx.Hierarchy(depth=3, modes=20)
    excited, ground = (
        two_time(qubit, state, ts, jnp.asarray(1.0), solver).fine
        for state in (bx.Excited(), bx.Ground())
    )
    u = cavity_function(BAND, excited.grid.times)
    lower = np.tril_indices(len(u))
    product = u[:, None] * u.conj()[None, :]
    np.testing.assert_allclose(excited.number[lower], product[lower], rtol=0.0, atol=1e-9)
    lag = u[lower[0] - lower[1]]
    np.testing.assert_allclose(ground.vacancy[lower], lag, rtol=0.0, atol=1e-9)


def sector(quanta, w, V):
    """Energies and states of atom and modes with so many quanta, atom in the ground state first."""
    modes = range(len(w))
    empty, filled = (
        [
            tuple(np.bincount(each, minlength=len(w)))
            for each in combinations_with_replacement(modes, n)
        ]
        if n >= 0
        else []
        for n in (quanta, quanta - 1)
    )
    place = {n: i for i, n in enumerate(empty)}
    energy = [np.dot(n, w) for n in empty] + [1.0 + np.dot(n, w) for n in filled]
    H = np.diag(energy)
    for i, n in enumerate(filled, len(empty)):
        for k in modes:
            j = place[*n[:k], n[k] + 1, *n[k + 1 :]]
            H[i, j] = H[j, i] = V[k] * np.sqrt(n[k] + 1.0)
    return len(empty), *np.linalg.eigh(H)


def gibbs(temperature, delays, modes=12, quanta=4):
    """Both functions in the Gibbs state of atom and band together, on Gauss nodes of the band."""
    angle = np.pi / (modes + 1) * np.arange(1, modes + 1)
    w = 1.0 + 0.5 * np.cos(angle)
    V = np.sqrt(0.04 / (modes + 1)) * np.sin(angle)
    sectors = [sector(n, w, V) for n in range(quanta + 1)]
    weight = sum(np.sum(np.exp(-E / temperature)) for _, E, _ in sectors)
    emitted, absorbed = np.zeros((2, len(delays)), complex)
    for (_, E, below), (ground, F, above) in pairwise(sectors):
        # s- takes |1, n> of the one sector to |0, n> of the other, which are listed alike.
        lowered = below[: len(F) - ground].T @ above[ground:]
        phases = np.exp(-1j * np.subtract.outer(F, E).T[None] * np.asarray(delays)[:, None, None])
        sums = np.einsum("sba,ba->sba", phases, lowered**2)
        emitted += np.einsum("sba,a->s", sums, np.exp(-F / temperature)) / weight
        absorbed += np.einsum("sba,b->s", sums, np.exp(-E / temperature)) / weight
    return emitted, absorbed


@pytest.mark.slow
def test_thermal_correlations_are_those_of_the_joint_gibbs_state():
    qubit = bx.Qubit(1.0, bx.Reservoir(BAND, temperature=0.15))
    found = bx.qubit_correlation(qubit, DELAYS, bx.Hierarchy(rtol=1e-5))
    for value, exact in zip((found.value, found.greater), gibbs(0.15, DELAYS), strict=True):
        assert np.max(np.abs(value - exact)) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize(("eta", "temperature"), [(0.01, 1.0), (0.05, 1.0), (0.02, 0.5)])
def test_kubo_martin_schwinger(eta, temperature):
    """A = e^{w/T} S within the errors: the qubit knows the temperature at every frequency."""
    qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature=temperature))
    w = np.array([0.5, 0.8, 1.0, 1.3, 2.0])
    found = bx.qubit_spectrum(qubit, w)
    assert found.status == bx.Status.SUCCESS
    heated = np.exp(w / temperature) * found.emission
    np.testing.assert_allclose(found.absorption, heated, rtol=2e-4)
    assert np.all(
        np.abs(found.absorption - heated) <= (1.0 + np.exp(w / temperature)) * found.error
    )


@pytest.mark.slow
def test_spectra_are_the_transforms_of_the_functions():
    r"""\int e^{-iws} S dw over w = w_s + tan: at s = 0 populations, which add up to 1."""
    qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.05, 5.0), temperature=1.0))
    solver, count = bx.Hierarchy(rtol=1.0, depth=4, modes=6), 6000
    theta = np.pi * ((np.arange(count) + 0.5) / count - 0.5)
    w, weights = 1.0 + np.tan(theta), np.pi / count / np.cos(theta) ** 2
    delays = jnp.array([0.0, 0.5, 1.0])
    spectrum = bx.qubit_spectrum(qubit, w, solver, horizon=60.0)
    functions = bx.qubit_correlation(qubit, delays, solver)
    phases = weights * np.exp(-1j * np.outer(delays, w))
    pairs = ((spectrum.emission, functions.value), (spectrum.absorption, functions.greater))
    for spectral, expected in pairs:
        found = phases @ np.asarray(spectral)
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-5)
    end = bx.steady_state(qubit, solver).excited_population
    np.testing.assert_allclose(functions.value[0], end, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(functions.greater[0], 1.0 - end, rtol=0.0, atol=1e-12)


@pytest.mark.slow
def test_transformations():
    """Under `jit` and `vmap`, derivatives, and an invalid point of a batch."""
    solver = bx.Hierarchy(rtol=1.0, depth=3, modes=4)

    def line(eta):
        qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature=1.0))
        return bx.qubit_spectrum(qubit, 0.8, solver).emission

    batch = jax.jit(jax.vmap(line))(jnp.array([0.02, -1.0]))
    np.testing.assert_allclose(batch[0], line(0.02), rtol=1e-9)
    assert jnp.isnan(batch[1])
    step = 1e-5
    expected = (line(0.02 + step) - line(0.02 - step)) / (2.0 * step)
    np.testing.assert_allclose(jax.grad(line)(0.02), expected, rtol=1e-5)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="increasing"):
        bx.qubit_correlation(bx.Qubit(1.0, bx.Reservoir(BAND)), [1.0, 0.5])
    modes = bx.DiscreteModes([1.0], [0.1])
    with pytest.raises(ValueError, match="no steady state"):
        bx.qubit_spectrum(bx.Qubit(1.0, bx.Reservoir(modes, temperature=1.0)), 1.0)
