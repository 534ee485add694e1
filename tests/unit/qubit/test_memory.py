"""Negative rates and measures of memory, on maps in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

from .maps import dephasing, eternal, given, oscillating, semigroup

PI = np.pi
TS = jnp.linspace(0.0, 2.0 * PI, 202)[:-1]  # poles and zeros fall between samples


@pytest.fixture(scope="module")
def maps():
    shapes = {"oscillating": oscillating, "eternal": eternal, "dephasing": dephasing}
    return {name: given(elements, TS) for name, elements in shapes.items()}


@pytest.mark.parametrize("name", ["gamma_minus", "gamma_plus"])
def test_intervals_between_a_pole_and_a_zero(maps, name):
    intervals = bx.negative_rate_intervals(maps["oscillating"], name)
    expected = [(0.5 * PI, PI), (1.5 * PI, TS[-1])]
    np.testing.assert_allclose(intervals, expected, atol=2e-4)  # h^2 / 4


def test_the_determinant_passes_zero_between_samples(maps):
    assert bx.determinant_passage(maps["oscillating"]) == pytest.approx(0.5 * PI, abs=1e-6)
    third = bx.determinant_passage(maps["oscillating"], level=0.5)
    assert third == pytest.approx(PI / 3.0, abs=2e-4)


def test_a_determinant_passes_zero_beyond_its_error():
    def shallow(t):
        p = 0.5 * (1.0 + jnp.exp(-t) - 1e-11 * t)
        return p, p, p.astype(complex)

    ts = jnp.linspace(0.0, 40.0, 121)
    assert np.isnan(bx.determinant_passage(given(shallow, ts, error=1e-9)))
    assert np.isfinite(bx.determinant_passage(given(shallow, ts)))


def test_intervals_of_dephasing(maps):
    intervals = bx.negative_rate_intervals(maps["dephasing"], "gamma_z")
    np.testing.assert_allclose(intervals, [(0.5 * PI, PI), (1.5 * PI, TS[-1])], atol=2e-4)
    assert bx.negative_rate_intervals(maps["dephasing"], "gamma_minus") == []


def test_an_interval_open_on_both_sides(maps):
    ((start, end),) = bx.negative_rate_intervals(maps["eternal"], "gamma_z")
    assert 0.0 <= start <= TS[1]
    assert end == TS[-1]
    assert bx.negative_rate_intervals(maps["eternal"], "gamma_plus") == []


def test_a_rate_that_drowns_in_its_error_is_not_negative():
    dmap = given(semigroup(0.5, 0.2, -1e-9, 1.0), TS, error=1e-8)
    assert bx.negative_rate_intervals(dmap, "gamma_z") == []
    assert bx.rhp_measure(dmap) == 0.0


def test_unknown_rates_are_refused(maps):
    with pytest.raises(ValueError, match="name") as caught:
        bx.negative_rate_intervals(maps["eternal"], "gamma")
    assert "must be one of" in str(caught.value)


def test_revivals_of_populations_and_of_coherence(maps):
    """|cos t| comes back twice; D = cos t at the poles, c = cos t on the equator."""
    full = 1.0 + float(jnp.abs(jnp.cos(TS[-1])))
    np.testing.assert_allclose(bx.blp_measure(maps["oscillating"]), full, rtol=1e-3)
    np.testing.assert_allclose(bx.blp_measure(maps["dephasing"]), full, rtol=1e-3)


def test_revivals_converge_with_the_second_order():
    errors = []
    for points in (40, 160):
        dmap = given(dephasing, jnp.linspace(0.0, 0.8 * PI, points))
        errors.append(abs(float(bx.blp_measure(dmap)) - abs(np.cos(0.8 * PI))))
    assert errors[1] < errors[0] / 10.0


def test_the_best_pair_may_lie_between_poles_and_equator():
    """Revivals of D and of c at different times: the maximum over theta against a scan."""

    def elements(t):
        d, c = 0.5 + 0.2 * jnp.cos(2.0 * t), 0.5 + 0.2 * jnp.cos(3.0 * t)
        return 0.5 * (1.0 + d), 0.5 * (1.0 + d), c

    dmap = given(elements, TS)
    fine = jnp.linspace(0.0, TS[-1], 20001)
    weights = jnp.linspace(0.0, 1.0, 201)[:, None]
    d2, c2 = (0.5 + 0.2 * jnp.cos(2.0 * fine)) ** 2, (0.5 + 0.2 * jnp.cos(3.0 * fine)) ** 2
    distances = jnp.sqrt(weights * d2[None, :] + (1.0 - weights) * c2[None, :])
    scan = jnp.max(jnp.sum(jnp.maximum(jnp.diff(distances, axis=1), 0.0), axis=1))
    np.testing.assert_allclose(bx.blp_measure(dmap), scan, rtol=1e-5)


def test_the_eternal_map_has_memory_but_no_revival(maps):
    assert bx.blp_measure(maps["eternal"]) == 0.0
    exact = jnp.log(jnp.cosh(TS[-1]))  # int 2 tanh(t) / 2
    np.testing.assert_allclose(bx.rhp_measure(maps["eternal"]), exact, rtol=1e-4)


def test_a_semigroup_has_no_memory():
    dmap = given(semigroup(0.7, 0.2, 0.05, 1.0), TS)
    assert bx.blp_measure(dmap) == 0.0
    assert bx.rhp_measure(dmap) == 0.0


def test_divisibility_ends_at_a_zero_of_the_determinant(maps):
    assert bx.rhp_measure(maps["oscillating"]) == jnp.inf
    # c = cos t exactly at its zero is a gap between resolved samples
    assert bx.rhp_measure(given(dephasing, jnp.linspace(0.0, PI, 101))) == jnp.inf


def test_gradient_of_the_revival():
    """c = a + (1 - a) cos(t)^2 falls to a and rises to 1 again: the measure is 1 - a."""

    def measure(a):
        def elements(t):
            return jnp.ones_like(t), jnp.ones_like(t), a + (1.0 - a) * jnp.cos(t) ** 2

        return bx.blp_measure(given(elements, jnp.linspace(0.0, PI, 102)))

    value, slope = jax.jit(jax.value_and_grad(measure))(0.3)
    np.testing.assert_allclose([value, slope], [0.7, -1.0], rtol=1e-5)


def test_invalid_maps_have_no_measure():
    @jax.jit
    def measures(eta):
        qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0)))
        dmap = bx.dynamical_map(qubit, jnp.linspace(0.0, 1.0, 5), bx.VanHove())
        return bx.blp_measure(dmap), bx.rhp_measure(dmap)

    assert jnp.all(jnp.isnan(jnp.stack(measures(-1.0))))
    np.testing.assert_allclose(measures(0.1), 0.0, atol=1e-12)
