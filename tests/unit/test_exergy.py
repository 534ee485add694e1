"""Exergy: the relative entropy to a thermal state, of cavities and of several modes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

BATH = bx.Reservoir(bx.Ohmic(0.02, 5.0), temperature=0.8)
LEAD = bx.Reservoir(bx.FlatBand(0.2, -5.0, 5.0), 0.3, 0.2)


def relative_entropy(p, q):
    """sum p ln(p / q)."""
    some = p > 0.0
    return np.sum(p[some] * np.log(p[some] / q[some]))


@pytest.mark.slow
def test_of_populations():
    """A driven cavity with two quanta at first, cut at 200 levels."""
    cavity = bx.Cavity(bx.Sinusoid(1.0, 0.3, 1.2), BATH)
    sol = bx.solve(cavity, bx.Fock(2), [0.0, 1.0, 5.0])
    found = bx.exergy(sol, BATH)
    for k, t in enumerate(sol.t):
        w = 1.0 + 0.3 * np.sin(1.2 * t)
        levels = np.arange(sol.populations.shape[1])
        thermal = (1.0 - np.exp(-w / 0.8)) * np.exp(-w * levels / 0.8)
        if sol.population_above[k] < 1e-12:
            expected = 0.8 * relative_entropy(np.asarray(sol.populations[k]), thermal)
            np.testing.assert_allclose(found.value[k], expected, atol=1e-9)
    assert np.all(found.error < 1e-9)


@pytest.mark.slow
def test_of_modes():
    """Two coupled levels, by the matrices of n and of the thermal state."""
    h = np.array([[0.3, 0.2 + 0.1j], [0.2 - 0.1j, -0.1]])
    dots = bx.LinearSystem(h, bx.Channel(LEAD, [1.0, 0.5j]), "fermion")
    sol = bx.solve(dots, bx.Covariance([[0.6, 0.1j], [-0.1j, 0.2]]), [0.0, 2.0])
    e, vectors = np.linalg.eigh(h)
    f = 1.0 / (np.exp((e - 0.2) / 0.3) + 1.0)
    log_f, log_g = ((vectors * np.log(x)) @ vectors.conj().T for x in (f, 1.0 - f))
    for n, value in zip(np.asarray(sol.n), bx.exergy(sol, LEAD).value, strict=True):
        p = np.linalg.eigvalsh(n)
        own = np.sum(p * np.log(p) + (1.0 - p) * np.log(1.0 - p))
        other = np.trace(n @ log_f + (np.eye(2) - n) @ log_g).real
        np.testing.assert_allclose(value, 0.3 * (own - other), rtol=1e-10)


@pytest.mark.slow
def test_a_thermal_state_has_none():
    sol = bx.solve(bx.Cavity(1.0, BATH), bx.Thermal(1.0 / np.expm1(1.0 / 0.8)), [0.0])
    assert abs(bx.exergy(sol, BATH).value[0]) < 1e-13
    cold = bx.Reservoir(bx.FlatBand(0.2, -5.0, 5.0), 0.0, 0.2)
    dot = bx.resonant_level(-0.5, cold)
    filled, empty = (
        bx.exergy(bx.solve(dot, bx.Covariance([[n]]), [0.0]), cold).value[0] for n in (1.0, 0.0)
    )
    np.testing.assert_allclose([filled, empty], [0.0, 0.7], atol=1e-13)


def test_derivative_and_batch():
    sol = bx.solve(bx.Cavity(1.0, BATH), bx.Fock(2), [0.0, 3.0])

    def value(T):
        return bx.exergy(sol, bx.Reservoir(bx.Ohmic(0.02, 5.0), T)).value[-1]

    slope = (value(0.8 + 1e-5) - value(0.8 - 1e-5)) / 2e-5
    np.testing.assert_allclose(jax.grad(value)(0.8), slope, rtol=1e-8)
    several = jax.vmap(value)(jnp.array([0.0, 0.8]))
    np.testing.assert_allclose(several, [value(0.0), value(0.8)], rtol=1e-12)


@pytest.mark.slow
def test_refused(tmp_path):
    sol = bx.solve(bx.Cavity(1.0, BATH), bx.Fock(2), [0.0, 3.0])
    with pytest.raises(ValueError, match="`reservoir` must be a thermal one"):
        bx.exergy(sol, bx.Reservoir(bx.Ohmic(0.1, 5.0), occupation=bx.Uniform(1.0)))
    bx.save(sol, tmp_path / "sol.nc")
    with pytest.raises(ValueError, match="`solution` must be a solution"):
        bx.exergy(bx.load(tmp_path / "sol.nc"), BATH)
    # No thermal state of bosons at this chemical potential.
    band = bx.Reservoir(bx.FlatBand(0.1, 2.0, 3.0), 1.0, 1.5)
    assert np.isnan(bx.exergy(sol, band).value).all()
