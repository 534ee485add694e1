"""Any J(w): against closed forms, a reservoir made of modes, and other solvers."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax._checks import Scalar, is_valid, parameter
from bathax.numerics.grid import TimeGrid
from tests.programs import LONG

GRID = TimeGrid(jnp.asarray(0.02), 512)
TIMES = jnp.linspace(0.5, 8.0, 16)


def ohmic(w):
    return 0.1 * w * jnp.exp(-w / 5.0)


def gaussian(w):
    return 0.001 * w**3 * jnp.exp(-((w / 5.0) ** 2))


class Family(eqx.Module):
    """eta w^s e^{-w/5}, of which parameters are fields."""

    eta: Scalar = parameter()
    exponent: Scalar = parameter()

    def __call__(self, w):
        return self.eta * w**self.exponent * jnp.exp(-w / 5.0)


DENSITY = bx.Function(gaussian, scale=5.0)


def kernels(density):
    return jnp.stack(
        [density.memory_kernel(GRID), density.noise_kernel(GRID, bx.BoseEinstein(0.7))]
    )


@pytest.mark.slow
@pytest.mark.parametrize("exponent", [0.5, 1.0, 3.0])
def test_kernels_are_those_of_the_closed_form(exponent):
    """Also of a power law with a singular n(w), for w^s w_c^{1-s}."""
    own = bx.Function(Family(0.1, exponent), scale=5.0)
    closed = bx.Ohmic(0.1 * 5.0 ** (exponent - 1.0), 5.0, exponent)
    found, exact = (np.asarray(jax.jit(kernels)(density)) for density in (own, closed))
    scale = np.abs(exact).max(axis=1, keepdims=True)
    np.testing.assert_allclose(found / scale, exact / scale, rtol=0, atol=1e-12)


@pytest.mark.slow
def test_values_shift_and_support():
    density, exact = bx.Function(ohmic, scale=5), bx.Ohmic(0.1, 5.0)
    w = [-1, 0, 1, 7]
    np.testing.assert_allclose(density(w), exact(w), rtol=1e-15)
    np.testing.assert_allclose(density.level_shift(w), exact.level_shift(w), atol=1e-12)
    band = bx.Function(lambda w: jnp.sqrt((w - 1.0) * (3.0 - w)), lower=1.0, upper=3.0)
    np.testing.assert_allclose(band.weight, np.pi / 2, rtol=1e-12)
    np.testing.assert_allclose(band([0.5, 2.0, 3.5]), [0.0, 1.0, 0.0])
    assert (2.0 * band + density)(2.0) == 2.0 + density(2.0)


@pytest.mark.slow
def test_a_gaussian_cutoff_against_a_reservoir_made_of_modes():
    """u and v of a cavity from the eigenvectors of 600 modes: independent of every kernel here."""
    nodes, weights = np.polynomial.legendre.leggauss(600)
    w = 16.0 * (nodes + 1.0)
    coupling = np.sqrt(16.0 * weights * 0.001 * w**3 * np.exp(-((w / 5.0) ** 2)))
    matrix = np.diag(np.concatenate([[1.0], w]))
    matrix[0, 1:] = matrix[1:, 0] = coupling
    energies, modes = np.linalg.eigh(matrix)
    phases = np.exp(-1j * np.outer(TIMES, energies))
    amplitudes = (phases * modes[0]) @ modes.T  # of every mode in a(t)
    v = np.abs(amplitudes[:, 1:]) ** 2 @ (1.0 / np.expm1(w / 2.0))
    found = bx.solve(bx.Cavity(1.0, bx.Reservoir(DENSITY, 2.0)), bx.Fock(1), TIMES)
    assert found.status == bx.Status.SUCCESS
    np.testing.assert_allclose(found.u, amplitudes[:, 0], rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.v, v, rtol=0, atol=1e-10)


def last_v(density):
    cavity = bx.Cavity(1.0, bx.Reservoir(density, 2.0))
    return bx.Volterra(points=512).green_functions(cavity, TIMES).value.v[-1]


def by_closure(eta):
    return last_v(bx.Function(lambda w: eta * w * jnp.exp(-w / 5.0), scale=5.0))


@pytest.mark.slow
def test_what_a_function_closes_over_is_differentiated():
    def exact(eta):
        return last_v(bx.Ohmic(eta, 5.0))

    def by_field(eta):
        return last_v(bx.Function(Family(eta, 1.0), scale=5.0))

    etas = jnp.array([0.1, 0.05])
    expected = jax.jit(jax.vmap(jax.value_and_grad(exact)))(etas)
    for of in (by_closure, by_field):
        found = jax.jit(jax.vmap(jax.value_and_grad(of)))(etas)
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-10)


@pytest.mark.slow
def test_it_is_fitted():
    def model(eta):
        return {"v": jnp.stack([by_closure(eta)]), "t": TIMES[-1:]}

    measured = bx.Data(TIMES[-1:], v=(model(0.07)["v"], 0.01))
    found = bx.fit(model, measured, {"eta": 0.1}, starts=1)
    np.testing.assert_allclose(found.parameters["eta"], 0.07, rtol=1e-6)


@pytest.mark.slow
def test_the_map_of_a_qubit():
    """By the hierarchy as of the closed form, and in the vacuum as |u|^2."""
    size = bx.Hierarchy(depth=3, modes=8, rtol=1e-2)

    def p11(density):
        return bx.dynamical_map(bx.Qubit(1.0, bx.Reservoir(density, 0.5)), TIMES, size).p11

    compiled = jax.jit(p11, compiler_options=LONG)
    own, closed = bx.Function(Family(0.01, 1.0), scale=5.0), bx.Ohmic(0.01, 5.0)
    np.testing.assert_allclose(compiled(own), compiled(closed), rtol=0, atol=1e-5)
    vacuum = bx.Reservoir(DENSITY)
    u = bx.solve(bx.Cavity(1.0, vacuum), bx.Fock(1), TIMES).u
    dmap = bx.dynamical_map(bx.Qubit(1.0, vacuum), TIMES)
    np.testing.assert_allclose(dmap.p11, np.abs(u) ** 2, rtol=0, atol=1e-9)


@pytest.mark.slow
def test_bad_functions_of_a_batch_are_marked():
    def valid(eta):
        return is_valid(bx.Function(lambda w: eta * w * jnp.exp(-w), upper=3.0))

    marked = jax.jit(jax.vmap(valid))(jnp.array([1.0, -1.0, jnp.nan]))
    np.testing.assert_array_equal(marked, [True, False, False])
