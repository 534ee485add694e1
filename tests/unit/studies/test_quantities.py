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
    OF_MODES,
    OF_SOLUTION,
    OF_SYSTEM,
    QUANTITIES,
    STATE_FUNCTIONS,
)

BATH = bx.Reservoir(bx.Ohmic(0.02, 5.0), temperature=1.0)
CASES = {
    "cavity": (bx.Cavity(1.0, BATH), bx.Fock(2), bx.Volterra(points=64)),
    "qubit": (bx.Qubit(1.0, BATH), bx.Excited(), bx.VanHove()),
}


@pytest.mark.parametrize("name", QUANTITIES | OF_MODES)
def test_a_row_has_words_a_unit_and_a_label(name):
    row = (QUANTITIES | OF_MODES)[name]
    assert row.long_name
    assert row.unit.name
    assert row.systems
    assert set(row.systems) <= {*CASES, "modes"}
    MathTextParser("path").parse(row.label)
    assert lookup.about(name) == {"long_name": row.long_name, "units": row.unit.name}


def test_words_say_of_which_quantity_they_are():
    assert len({row.long_name for row in QUANTITIES.values()}) == len(QUANTITIES)
    for row in QUANTITIES.values():
        assert lookup.symbol_of(row.long_name) == row.symbol
    assert lookup.symbol_of("another") == ""


@pytest.mark.parametrize("kind", CASES)
def test_every_quantity_of_a_system_can_be_computed(kind):
    """Of a point without bound states; traced, not computed."""
    system, initial, solver = CASES[kind]
    names = lookup.names_of(kind)
    found = jax.eval_shape(
        lambda system: observe(names, system, initial, jnp.linspace(0.0, 1.0, 4), solver), system
    )
    for name in names:
        row, value = QUANTITIES[name], found[name]
        assert value.shape[:1] == (() if name in OF_SYSTEM else (4,)), name
        assert value.ndim == (name not in OF_SYSTEM) + row.has_levels, name
        # The map of a real u is real.
        assert row.is_complex or not jnp.iscomplexobj(value), name


def declared(*classes):
    """What is given with an error."""
    return {one.name for kind in classes for one in fields(kind)}


def test_what_results_give_is_in_the_table():
    assert declared(Quantities, QubitQuantities) <= {*OF_SOLUTION}
    assert declared(MapQuantities) <= {lookup.attribute_of(name) for name in OF_MAP}
    for kind, result in (("cavity", Quantities), ("qubit", QubitQuantities)):
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
    assert {"number", "abs_coherence"} <= lookup.measurable("qubit")
    assert not {"populations", "abs_populations", "u"} & lookup.measurable("qubit")


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
