"""Heat through a cavity against the golden rule and exact facts."""

import jax
import jax.numpy as jnp
import pytest

import bathax as bx


def cavity(eta, *temperatures):
    density = bx.Ohmic(eta, 5.0)
    return bx.Cavity(1.0, [bx.Reservoir(density, temperature) for temperature in temperatures])


@pytest.mark.slow
def test_heat_flows_from_hot_to_cold_at_the_golden_rule_rate():
    weak = cavity(0.001, 3.0, 1.0)
    rate = jnp.pi * bx.Ohmic(0.001, 5.0)(jnp.ones(()))
    expected = float(rate * (1.0 / jnp.expm1(1.0 / 3.0) - 1.0 / jnp.expm1(1.0)))
    assert bx.heat_current(weak).value == pytest.approx(expected, rel=0.02)
    assert bx.heat_current(weak, source=1).value == pytest.approx(-expected, rel=0.02)
    assert bx.heat_current(cavity(0.01, 2.0, 2.0), resolution=2**8).value == 0.0


@pytest.mark.slow
def test_what_leaves_some_reservoirs_enters_the_others():
    three = cavity(0.02, 3.0, 1.0, 0.5)
    currents = [bx.heat_current(three, source, 2**10) for source in range(3)]
    assert sum(float(current.value) for current in currents) == pytest.approx(0.0, abs=1e-13)
    assert currents[0].value > 0.0 > currents[2].value


def test_the_error_estimate_tells_of_a_narrow_resonance():
    narrow = cavity(2e-4, 3.0, 1.0)
    exact, (coarse, error) = bx.heat_current(narrow).value, bx.heat_current(narrow, resolution=2**9)
    assert 0.01 * exact < abs(coarse - exact) < error


def test_a_bad_point_of_a_batch_is_nan():
    def current(eta):
        return bx.heat_current(cavity(eta, 3.0, 1.0), resolution=2**8)

    value, error = jax.vmap(current)(jnp.asarray([0.05, -0.05]))
    assert jnp.isnan(value).tolist() == jnp.isnan(error).tolist() == [False, True]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((2,), "Argument `source` must be the index of one of 2 reservoirs, but is 2."),
        ((0, 1), "Argument `resolution` must be an integer, 2 or more, but is 1."),
    ],
)
def test_wrong_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        bx.heat_current(cavity(0.05, 3.0, 1.0), *arguments)


def test_separate_modes_have_no_steady_state():
    modes = bx.Reservoir(bx.DiscreteModes([0.9, 1.2], [0.2, 0.1]), 1.0)
    with pytest.raises(ValueError, match="`spectral_density` must be continuous"):
        bx.heat_current(bx.Cavity(1.0, [modes, modes]))
