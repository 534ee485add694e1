"""The map of a qubit and its rates, from map elements in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.qubit.dynamical_map import default_solver

from .maps import QUBIT, Given, given, oscillating, semigroup

TS = jnp.linspace(0.0, 3.0, 7)
RATES = {"gamma_minus": 0.7, "gamma_plus": 0.2, "gamma_z": 0.05, "shift": 1.3}
RHO = jnp.array([[0.3, 0.1 + 0.2j], [-0.4j, 0.7 - 0.1j]])  # not even Hermitian


@pytest.fixture(scope="module")
def dmap():
    return given(semigroup(*RATES.values()), TS)


@pytest.mark.parametrize("name", RATES)
def test_constant_rates_are_read_off(dmap, name):
    np.testing.assert_allclose(getattr(dmap, name), RATES[name], rtol=1e-13)
    assert jnp.all(getattr(dmap.error, name) < 1e-11)


def test_elements_and_words(dmap):
    np.testing.assert_allclose(dmap.determinant, jnp.exp(-0.9 * TS), rtol=1e-14)
    np.testing.assert_allclose(dmap.ddeterminant, -0.9 * jnp.exp(-0.9 * TS), rtol=1e-14)
    assert jnp.all(dmap.rates_resolved & dmap.coherence_resolved)
    assert dmap.message == bx.Status.SUCCESS.message


def test_kraus_choi_and_apply_are_the_same_map(dmap):
    kraus, image = dmap.kraus(), dmap.apply(RHO)
    complete = jnp.einsum("tkai,tkaj->tij", kraus.conj(), kraus)
    np.testing.assert_allclose(complete, np.broadcast_to(np.eye(2), complete.shape), atol=1e-15)
    by_kraus = jnp.einsum("tkai,ij,tkbj->tab", kraus, RHO, kraus.conj())
    np.testing.assert_allclose(by_kraus, image, atol=1e-15)
    choi = dmap.choi().reshape(-1, 2, 2, 2, 2)  # input, output; input, output
    np.testing.assert_allclose(jnp.einsum("tiajb,ij->tab", choi, RHO), image, atol=1e-15)
    np.testing.assert_allclose(jnp.trace(image, axis1=1, axis2=2), jnp.trace(RHO), rtol=1e-14)


@pytest.mark.parametrize(
    ("element", "expected"), [((1, 1), "p11"), ((0, 0), "p00"), ((1, 0), "coherence")]
)
def test_index_one_is_the_excited_state(dmap, element, expected):
    rho = jnp.zeros((2, 2)).at[element].set(1.0)
    np.testing.assert_array_equal(dmap.apply(rho)[:, *element], getattr(dmap, expected))


def test_complete_positivity_is_the_smallest_eigenvalue_of_choi(dmap):
    smallest = jnp.linalg.eigvalsh(dmap.choi())[:, 0]
    np.testing.assert_allclose(dmap.complete_positivity_margin, smallest, atol=1e-15)
    # The semigroup with gamma_z = -0.4 takes some entangled states out of the states.
    broken = given(semigroup(0.7, 0.2, -0.4, 1.0), TS[1:])
    assert jnp.all(broken.complete_positivity_margin < -1e-3)
    smallest = jnp.linalg.eigvalsh(broken.choi())[:, 0]
    np.testing.assert_allclose(broken.complete_positivity_margin, smallest, atol=1e-15)


def test_kraus_operators_survive_where_p00_vanishes():
    swap = given(lambda t: (0.0 * t, 0.0 * t, 0.0 * t), TS)
    np.testing.assert_allclose(swap.apply(RHO)[0, 1, 1], RHO[0, 0])
    kraus = swap.kraus()
    image = jnp.einsum("tkai,ij,tkbj->tab", kraus, RHO, kraus.conj())
    np.testing.assert_allclose(image, swap.apply(RHO), atol=1e-15)


def test_rates_are_masked_where_the_determinant_vanishes():
    ts = jnp.array([0.5, 0.5 * jnp.pi, 2.0])
    dmap = given(oscillating, ts, error=1e-6)
    np.testing.assert_array_equal(dmap.rates_resolved, [True, False, True])
    np.testing.assert_array_equal(dmap.coherence_resolved, [True, True, True])
    for name in ("gamma_minus", "gamma_plus", "gamma_z"):
        np.testing.assert_array_equal(jnp.isnan(getattr(dmap, name)), [False, True, False])
        np.testing.assert_array_equal(jnp.isinf(getattr(dmap.error, name)), [False, True, False])
    np.testing.assert_allclose(dmap.shift, 1.0, rtol=1e-13)
    np.testing.assert_allclose(dmap.gamma_minus[::2], 0.5 * jnp.tan(ts[::2]), rtol=1e-12)


def test_late_rates_are_masked_once_they_are_not_known_to_one_percent():
    ts = jnp.linspace(0.0, 40.0, 81)
    dmap = given(semigroup(0.7, 0.2, 0.0, 1.0), ts, error=1e-8)
    resolved = np.asarray(dmap.rates_resolved)
    assert resolved[0]
    assert np.flatnonzero(~resolved).min() > np.flatnonzero(resolved).max()
    known = dmap.gamma_minus[resolved], dmap.error.gamma_minus[resolved]
    assert jnp.all(known[1] < 0.03)
    assert jnp.all(jnp.abs(dmap.gamma_z[resolved]) <= dmap.error.gamma_z[resolved])


@pytest.mark.parametrize("seed", range(3))
def test_errors_bound_what_wrong_elements_do(seed):
    """Elements off by their error, in random directions, move no rate by more than its error."""
    signs = np.random.default_rng(seed).uniform(-1e-7, 1e-7, 8)

    def wrong(t):
        p11, p00, c = semigroup(*RATES.values())(t)
        s = jnp.sin(t)
        shift = jax.lax.complex(signs[2] * s, signs[3] * s)
        return p11 + signs[0] * s, p00 + signs[1] * s, c + shift

    dmap = given(wrong, TS, error=2e-7)
    for name, value in RATES.items():
        assert jnp.all(jnp.abs(getattr(dmap, name) - value) <= getattr(dmap.error, name))


def test_gradients_pass_masks_and_roots():
    ts = jnp.array([0.0, 1.0, 0.5 * jnp.pi])

    def total(x):
        dmap = given(lambda t: oscillating(x * t), ts, error=1e-9)
        masked = jnp.where(dmap.rates_resolved, dmap.gamma_minus, 0.0)
        return jnp.sum(masked) + jnp.sum(jnp.abs(dmap.kraus()) ** 2)

    # sum |K|^2 is 2 whatever x is, and tan(x t) / 2 grows.
    expected = 0.5 * jnp.tan(1.0) + 0.5 / jnp.cos(1.0) ** 2
    assert jax.jit(jax.grad(total))(1.0) == pytest.approx(float(expected), rel=1e-9)


def test_a_batch_is_a_map_of_maps():
    def one(gamma):
        return given(semigroup(gamma, 0.2, 0.0, 1.0), TS)

    batch = jax.jit(jax.vmap(one))(jnp.array([0.3, 0.6]))
    np.testing.assert_allclose(batch.gamma_minus[1], 0.6, rtol=1e-12)
    kraus, image = batch.kraus(), batch.apply(RHO)
    by_kraus = jnp.einsum("btkai,ij,btkcj->btac", kraus, RHO, kraus.conj())
    np.testing.assert_allclose(by_kraus, image, atol=1e-15)
    assert batch.choi().shape == (2, 7, 4, 4)
    assert batch.complete_positivity_margin.shape == (2, 7)


BAD = [
    ([], "Argument `ts` must be a list of at least one time, but is of shape (0,)."),
    ([0.0, 2.0, 1.0], "Argument `ts` must be increasing, but is 1 at index 2."),
    ([-1.0, 1.0], "Argument `ts` must be non-negative, but is -1 at index 0."),
]


@pytest.mark.parametrize(("ts", "sentence"), BAD)
def test_bad_times(ts, sentence):
    with pytest.raises(ValueError, match="ts") as caught:
        bx.dynamical_map(QUBIT, ts, Given(oscillating))
    assert str(caught.value) == sentence


def test_states_of_another_size(dmap):
    with pytest.raises(ValueError, match="rho") as caught:
        dmap.apply(jnp.eye(3))
    assert str(caught.value) == "Argument `rho` must be a 2 x 2 matrix, but is of shape (3, 3)."


def test_default_solver():
    assert isinstance(default_solver(QUBIT), bx.Vacuum)


@pytest.mark.slow
def test_sign_changes_of_the_determinant_are_resolved():
    """At strong coupling there are as many, at the same times, with a looser tolerance."""
    ts, bath = np.linspace(0.0, 20.0, 401), bx.Reservoir(bx.Ohmic(0.1, 5.0), 1.0)
    passages = []
    for rtol in (1e-4, 1e-5):
        dmap = bx.dynamical_map(bx.Qubit(1.0, bath), ts, bx.Hierarchy(rtol=rtol))
        D, error = np.asarray(dmap.determinant), np.asarray(dmap.error.determinant)
        last = np.flatnonzero(D[1:] * D[:-1] < 0.0)
        for part in np.split(np.arange(ts.size), last + 1):
            assert np.any(np.abs(D[part]) > error[part])
        passages.append(ts[last] + (ts[1] - ts[0]) * D[last] / (D[last] - D[last + 1]))
    assert passages[1].size == 3
    np.testing.assert_allclose(*passages, rtol=0, atol=0.02)
