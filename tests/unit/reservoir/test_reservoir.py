"""What a reservoir accepts, says and delegates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax._checks import is_valid
from bathax.numerics.grid import TimeGrid

GRID = TimeGrid(jnp.asarray(0.1), 64)
NO_THERMAL_STATE = (
    "Argument `temperature` must be 0 for a spectral density with weight at w <= 0, which has no "
    "thermal state, but is {}."
)


def tabulated(first: float) -> bx.Tabulated:
    return bx.Tabulated(jnp.asarray([0.0, 1.0, 2.0]), jnp.asarray([first, 1.0, 0.0]))


BELOW_ZERO = {
    "Lorentzian": lambda: bx.Lorentzian(0.1, 0.5, 1.0),
    "band below zero": lambda: bx.SemicircleBand(0.1, 0.4, 0.5),
    "table from above zero at w = 0": lambda: tabulated(0.1),
    "table below zero": lambda: bx.Tabulated([-1.0, 1.0, 2.0], [0.0, 1.0, 0.0]),
    "sum": lambda: bx.Ohmic(0.1, 5.0) + bx.Lorentzian(0.1, 0.5, 1.0),
    "multiple": lambda: 2.0 * bx.SemicircleBand(0.1, 0.4, 0.5),
}
ABOVE_ZERO = {
    "Ohmic": lambda: bx.Ohmic(0.1, 5.0),
    "sub-Ohmic": lambda: bx.Ohmic(0.1, 5.0, 0.5),
    "Drude-Lorentz": lambda: bx.DrudeLorentz(0.1, 5.0),
    "band": lambda: bx.SemicircleBand(0.1, 1.0, 0.5),
    "band from zero": lambda: bx.SemicircleBand(0.1, 0.5, 0.5),
    "band edge": lambda: bx.BandEdge(0.1, 1.0, 5.0),
    "table": lambda: tabulated(0.0),
    "sum": lambda: bx.Ohmic(0.1, 5.0) + bx.SemicircleBand(0.1, 1.0, 0.5),
}


@pytest.mark.parametrize("name", BELOW_ZERO)
def test_thermal_state_below_zero_frequency_is_refused(name):
    bath = bx.Reservoir(BELOW_ZERO[name](), temperature=1.5)
    for system in (bx.Cavity, bx.Qubit):
        with pytest.raises(ValueError, match="thermal") as caught:
            system(1.0, bath)
        assert str(caught.value) == NO_THERMAL_STATE.format(1.5)


def test_bosons_need_a_chemical_potential_below_the_band():
    """Above it only fermions have a thermal state."""
    bath = bx.Reservoir(bx.SemicircleBand(0.1, 1.0, 0.5), 1.5, chemical_potential=0.6)
    message = NO_THERMAL_STATE.replace("w <= 0", "w <= mu = 0.6").format(1.5)
    with pytest.raises(ValueError, match="thermal") as caught:
        bx.LinearSystem([[1.0]], bx.Channel(bath, [1.0]))
    assert str(caught.value) == message
    assert bx.LinearSystem([[1.0]], bx.Channel(bath, [1.0]), "fermion").size == 1
    below = bx.Reservoir(bx.SemicircleBand(0.1, 1.0, 0.5), 1.5, chemical_potential=0.4)
    assert is_valid(bx.Cavity(1.0, below))
    assert below.occupation(1.0) == pytest.approx(1.0 / np.expm1(0.6 / 1.5), rel=1e-14)
    with pytest.raises(ValueError, match="Argument `chemical_potential` must be finite"):
        bx.Reservoir(bx.Ohmic(0.1, 5.0), 1.0, jnp.inf)


@pytest.mark.parametrize("name", BELOW_ZERO)
def test_vacuum_and_other_occupations_below_zero_frequency(name):
    vacuum = bx.Reservoir(BELOW_ZERO[name]())
    assert vacuum.temperature == 0.0
    assert is_valid(vacuum)
    filled = bx.Reservoir(BELOW_ZERO[name](), occupation=bx.Uniform(0.5))
    assert jnp.isnan(filled.temperature)
    assert is_valid(filled)


@pytest.mark.parametrize("name", ABOVE_ZERO)
def test_thermal_states_above_zero_frequency(name):
    bath = bx.Reservoir(ABOVE_ZERO[name](), temperature=1.5)
    assert bath.temperature == 1.5
    assert is_valid(bath)
    assert jnp.isfinite(jax.jit(lambda bath: bath.noise_kernel(GRID))(bath)).all()


@pytest.mark.parametrize("name", BELOW_ZERO)
def test_traced_thermal_states_are_marked(name):
    @jax.jit
    @jax.vmap
    def valid(temperature):
        return is_valid(bx.Reservoir(BELOW_ZERO[name](), temperature))

    np.testing.assert_array_equal(valid(jnp.asarray([0.0, 1.0, -1.0])), [True, False, False])


def test_traced_densities_are_marked():
    @jax.jit
    @jax.vmap
    def valid(center):
        return is_valid(bx.Reservoir(bx.SemicircleBand(0.1, center, 0.5), 1.0))

    np.testing.assert_array_equal(valid(jnp.asarray([0.4, 0.5, 1.0])), [False, True, True])


def test_negative_temperature():
    message = "Argument `temperature` must be non-negative and finite, but is -1.0."
    with pytest.raises(ValueError, match="temperature") as caught:
        bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=-1.0)
    assert str(caught.value) == message


def test_kernels_are_those_of_the_density():
    bath = bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=2.0)
    density, occupation = bath.spectral_density, bath.occupation
    np.testing.assert_array_equal(bath.memory_kernel(GRID), density.memory_kernel(GRID))
    np.testing.assert_array_equal(bath.noise_kernel(GRID), density.noise_kernel(GRID, occupation))


# --- parameters of the densities --------------------------------------------------------------

PARAMETERS = [
    (bx.Ohmic, {"eta": 0.1, "cutoff": 5.0, "exponent": 1.0}, ("cutoff", "exponent")),
    (bx.BandEdge, {"eta": 0.1, "edge": 1.0, "cutoff": 5.0}, ("edge", "cutoff")),
    (bx.Lorentzian, {"gamma0": 0.1, "width": 0.5, "center": 1.0}, ("width",)),
    (bx.DrudeLorentz, {"eta": 0.1, "cutoff": 5.0}, ("cutoff",)),
    (bx.SemicircleBand, {"eta": 0.1, "center": 1.0, "half_width": 0.5}, ("half_width",)),
]
FIELDS = [
    (make, values, field, field in positive)
    for make, values, positive in PARAMETERS
    for field in values
]


def words(field: str, positive: bool) -> str:
    if field == "center":
        return "finite"
    return "positive and finite" if positive else "non-negative and finite"


def bad_values(field: str, positive: bool) -> list[float]:
    values = [float("nan"), float("inf"), *([] if field == "center" else [-1.0])]
    return [*values, 0.0] if positive else values


@pytest.mark.parametrize(("make", "values", "field", "positive"), FIELDS)
def test_values_out_of_range_are_refused(make, values, field, positive):
    for bad in bad_values(field, positive):
        with pytest.raises(ValueError, match=field) as caught:
            make(**values | {field: bad})
        assert (
            str(caught.value)
            == f"Argument `{field}` must be {words(field, positive)}, but is {bad}."
        )


@pytest.mark.parametrize(("make", "values", "field", "positive"), FIELDS)
def test_arrays_are_refused(make, values, field, positive):  # noqa: ARG001
    with pytest.raises(ValueError, match=field) as caught:
        make(**values | {field: np.ones(2)})
    assert str(caught.value) == f"Argument `{field}` must be a scalar, but is of shape (2,)."


@pytest.mark.parametrize(("make", "values", "field", "positive"), FIELDS)
def test_traced_values_out_of_range_are_marked(make, values, field, positive):
    batch = jnp.asarray([values[field], *bad_values(field, positive)])
    valid = jax.jit(jax.vmap(lambda x: is_valid(make(**values | {field: x}))))(batch)
    np.testing.assert_array_equal(valid, [True] + [False] * (batch.size - 1))


@pytest.mark.parametrize("bad", [-2.0, float("nan")])
def test_factor_of_a_multiple(bad):
    message = f"Argument `factor` must be non-negative and finite, but is {bad}."
    with pytest.raises(ValueError, match="factor") as caught:
        bad * bx.Ohmic(0.1, 5.0)
    assert str(caught.value) == message
