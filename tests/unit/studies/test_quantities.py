"""The table of quantities: every row is complete, and can be computed where it says so."""

from dataclasses import fields
from math import inf

import jax
import jax.numpy as jnp
import pytest
from matplotlib.mathtext import MathTextParser

import bathax as bx
from bathax.qubit.dynamical_map import MapQuantities
from bathax.solution.results import Quantities, QubitQuantities
from bathax.studies import lookup
from bathax.studies.observe import observe
from bathax.studies.quantities import (
    OF_MAP,
    OF_SOLUTION,
    OF_STEADY,
    OF_SYSTEM,
    QUANTITIES,
    STATE_FUNCTIONS,
)
from bathax.thermodynamics.linear import LinearQuantities, Observables

BATH = bx.Reservoir(bx.Ohmic(0.02, 5.0), temperature=1.0)
LEADS = [bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.1, 0.0) for _ in range(2)]
DOTS = bx.double_dot([0.0, 0.1], 0.3, *LEADS)
CASES = {
    "cavity": (bx.Cavity(1.0, BATH), bx.Fock(2), bx.Volterra(points=64)),
    "qubit": (bx.Qubit(1.0, BATH), bx.Excited(), bx.VanHove()),
    "modes": (DOTS, bx.Covariance(jnp.zeros((2, 2))), bx.Volterra(points=64)),
}
SIZES = {"mode": 2, "other_mode": 2, "channel": 2}


@pytest.mark.parametrize("name", QUANTITIES)
def test_a_row_has_words_a_unit_and_a_label(name):
    row = QUANTITIES[name]
    assert row.long_name
    assert row.unit.name
    assert row.systems
    assert set(row.systems) <= {*CASES, "driven", "driven modes"}
    MathTextParser("path").parse(row.label)
    assert lookup.about(name) == {"long_name": row.long_name, "units": row.unit.name}


def test_words_say_of_which_quantity_they_are():
    assert len({row.long_name for row in QUANTITIES.values()}) == len(QUANTITIES)
    for row in QUANTITIES.values():
        assert lookup.symbol_of(row.long_name) == row.symbol
    assert lookup.symbol_of("another") == ""


@pytest.mark.slow
@pytest.mark.parametrize("kind", CASES)
def test_every_quantity_of_a_system_can_be_computed(kind):
    """Of a point without bound states; traced, not computed."""
    system, initial, solver = CASES[kind]
    names = lookup.names_of(kind)
    found = jax.eval_shape(
        lambda system: observe(names, system, initial, jnp.linspace(0.0, 1.0, 4), solver), system
    )
    for name in names:
        row, value, has_times = QUANTITIES[name], found[name], lookup.has_times(name)
        own = (2,) * len(row.indices) if kind == "modes" else (64,) * (value.ndim - has_times)
        own = (2,) if row.has_levels and kind == "qubit" else own
        assert value.shape == (*((4,) if has_times else ()), *own), name
        assert len(own) == (len(row.indices) if kind == "modes" else row.has_levels), name
        # The map of a real u is real.
        matrix = kind == "modes" and row.is_hermitian
        assert row.is_complex or matrix or not jnp.iscomplexobj(value), name


def test_elements_of_several_modes():
    names = ["particle_current_1", "n_0_0", "n_0_1", "v_1_1", "u_0_1", "steady_n_0_1"]
    system, initial, solver = CASES["modes"]
    found = jax.eval_shape(
        lambda system: observe(names, system, initial, jnp.linspace(0.0, 1.0, 4), solver), system
    )
    complex_ = [name for name in names if jnp.iscomplexobj(found[name])]
    assert complex_ == ["n_0_1", "u_0_1", "steady_n_0_1"]
    assert [found[name].shape for name in names] == [(4,)] * 5 + [()]
    assert found["particle_current_1_error"].shape == (4,)


def test_names_of_elements():
    assert lookup.located("n_0_12") == ("n", (0, 12))
    assert lookup.located("energy") == ("energy", ())
    for name in ("another_1", "n_0", "number_0", "p11"):
        assert lookup.located(name) == (name, ())
    assert lookup.elements("particle_current", SIZES) == [f"particle_current_{k}" for k in (0, 1)]
    assert lookup.elements("energy", SIZES) == ["energy"]
    about = lookup.about("n_0_1")
    assert about == {"long_name": "covariance <a_j' a_i> of the modes at 0, 1", "units": "1"}
    assert lookup.symbol_of(about["long_name"]) == "n_{0,1}"
    assert lookup.measured_symbol("abs_u_0_0") == "u_{0,0}"
    assert lookup.measured_symbol("current_noise_1_1") == "S_{1,1}"
    assert lookup.measured_symbol("particle_current_1") == r"\dot N_{1}"
    assert lookup.unit_of("energy_current_0_error").name == "energy^2"
    assert lookup.limits_of("n_0_0") == (0.0, inf)
    assert lookup.limits_of("n_0_1") == (-inf, inf)


@pytest.mark.parametrize("name", ["n_0_2", "particle_current_2"])
def test_elements_that_do_not_exist_are_refused(name):
    system, initial, _ = CASES["modes"]
    with pytest.raises(ValueError, match=rf"Argument `{name}` must be an element of"):
        jax.eval_shape(lambda _: observe([name], system, initial, jnp.ones(1)), 0.0)


def test_elements_are_measured_of_several_modes():
    known = lookup.measurable(["modes"], SIZES)
    assert {"number", "n_1_1", "abs_n_0_1", "particle_current_0", "interaction_energy_1"} <= known
    assert (
        not {"n", "particle_current", "particle_current_2", "n_0_1", *OF_STEADY, *OF_SYSTEM} & known
    )


def declared(*classes):
    """What is given with an error."""
    return {one.name for kind in classes for one in fields(kind)}


def test_what_results_give_is_in_the_table():
    assert declared(Quantities, QubitQuantities) <= {*OF_SOLUTION}
    assert declared(Observables) - {"interaction_energy"} <= {
        lookup.attribute_of(name) for name in OF_STEADY
    }
    assert declared(MapQuantities) <= {lookup.attribute_of(name) for name in OF_MAP}
    results = {"cavity": Quantities, "qubit": QubitQuantities, "modes": LinearQuantities}
    for kind, result in results.items():
        assert declared(result) <= {*lookup.names_of(kind)}
        assert set(STATE_FUNCTIONS) <= declared(result)


def test_labels_are_in_units_of_the_system():
    assert [QUANTITIES[name].label for name in STATE_FUNCTIONS] == [
        r"$E\,/\,\hbar\omega_s$",
        r"$S\,/\,k_B$",
        r"$k_BT\,/\,\hbar\omega_s$",
        r"$F\,/\,\hbar\omega_s$",
    ]


def test_limits_of_a_complex_quantity_are_those_of_its_modulus():
    assert lookup.limits_of("u") == (-inf, inf)
    assert lookup.limits_of("abs_u") == (0.0, 1.0)
    assert lookup.limits_of("energy") == (0.0, inf)
    assert lookup.limits_of("abs_energy") == (-inf, inf)
    assert lookup.limits_of("another") == (-inf, inf)


def test_what_has_levels_is_no_column_of_data():
    assert {"number", "abs_coherence"} <= lookup.measurable(["qubit"])
    assert not {"populations", "abs_populations", "u"} & lookup.measurable(["qubit"])


def test_order_of_variables():
    names = ["status", "dcoherence", "u_error", "u", "energy", "u_by_eta", "coherence"]
    assert lookup.in_order(names) == [
        *("status", "u", "u_by_eta", "u_error"),
        *("coherence", "energy", "dcoherence"),
    ]


def test_critical_points_that_depend_on_the_case_come_last():
    assert [row.critical for row in lookup.critical_of("cavity")] == [
        "resonant occupation",
        "kT0 above which T(t) has no pole",
    ]
