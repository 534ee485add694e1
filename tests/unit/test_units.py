"""Units of experiments: constants of nature, circuits, molecules, and where the 2 pi is."""

import jax.numpy as jnp
import numpy as np
import pytest
import xarray

import bathax as bx
from bathax.units import ENERGIES, RATES, TIMES, is_converted


@pytest.mark.parametrize(
    ("energy", "unit", "expected"),
    [
        ("GHz", "GHz", 1.0),
        ("GHz", "K", 20.836619),  # k_B / h
        ("mK", "GHz", 47.992430),
        ("cm^-1", "K", 0.69503480),  # k_B / (h c)
        ("GHz", "cm^-1", 29.9792458),
        ("meV", "K", 0.086173333),
        ("eV", "cm^-1", 1.2398420e-4),
        ("THz", "meV", 0.24179892),
        ("GHz", "ns", 2.0 * np.pi),
        ("MHz", "us", 2.0 * np.pi),
        ("cm^-1", "ps", 0.18836516),  # 2 pi c
        ("eV", "fs", 1.5192674),  # 1 / hbar
        ("GHz", "1/ns", 1.0 / (2.0 * np.pi)),
        ("meV", "1/ps", 0.65821196),  # hbar
    ],
)
def test_constants_of_nature(energy, unit, expected):
    np.testing.assert_allclose(bx.Units(energy)[unit], expected, rtol=1e-7)


@pytest.mark.parametrize("energy", ENERGIES)
def test_a_rate_times_its_time_is_one_in_any_unit(energy):
    units = bx.Units(energy)
    for time in TIMES:
        np.testing.assert_allclose(units[time] * units[f"1/{time}"], 1.0, rtol=1e-14)
    # What has no dimension does not depend on the unit: h nu / k_B T and nu t.
    np.testing.assert_allclose(units["GHz"] / units["mK"], 47.992430, rtol=1e-7)
    np.testing.assert_allclose(units["GHz"] * units["ns"], 2.0 * np.pi, rtol=1e-14)


def test_a_transmon():
    """5 GHz at 50 mK: 0.83% thermal quanta; its coherence turns once in 0.2 ns; T_1 = 20 us."""
    units = bx.Units("GHz")
    golden_rule = 1.0 / 20.0 * units["1/us"]
    eta = golden_rule / (2.0 * np.pi * 5.0 * np.exp(-5.0 / 50.0))
    qubit = bx.Qubit(5.0, bx.Reservoir(bx.Ohmic(eta, 50.0)))
    n = bx.BoseEinstein(50.0 * units["mK"])(qubit.frequency)
    np.testing.assert_allclose(n, 1.0 / np.expm1(4.7992430), rtol=1e-6)
    ts = jnp.array([0.0, 0.2 * units["ns"], 20.0 * units["us"]])
    dmap = bx.dynamical_map(qubit, ts, bx.VanHove())
    np.testing.assert_allclose(dmap.p11[2], np.exp(-1.0), rtol=1e-9)
    np.testing.assert_allclose(dmap.gamma_minus / units["1/us"], 0.05, rtol=1e-9)
    free = jnp.exp(-1j * (5.0 * ts[1]).astype(complex))
    np.testing.assert_allclose(free, 1.0, atol=1e-12)


def test_a_molecule():
    """A vibration of 200 cm^-1 at 300 K has 0.62 quanta, and a period of 167 fs."""
    units = bx.Units("cm^-1")
    n = bx.BoseEinstein(300.0 * units["K"])(200.0)
    np.testing.assert_allclose(n, 1.0 / np.expm1(200.0 / 208.51044), rtol=1e-7)
    period = 2.0 * np.pi / 200.0 / units["fs"]
    np.testing.assert_allclose(period, 166.78205, rtol=1e-7)
    # The same vibration in meV.
    other = bx.Units("meV")
    same = bx.BoseEinstein(300.0 * other["K"])(200.0 * other["cm^-1"])
    np.testing.assert_allclose(same, n, rtol=1e-12)


def solved(units):
    bath = bx.Reservoir(bx.Ohmic(1e-3, 20.0), temperature=50.0 * units["mK"])
    ts = jnp.linspace(0.0, 10.0, 21) * units["ns"]
    return bx.solve(bx.Cavity(5.0, bath), bx.Fock(2), ts, bx.BornMarkov())


def test_a_dataset_in_units_of_an_experiment():
    units = bx.Units("GHz")
    solution = solved(units)
    found = units.convert(solution.to_dataset())
    np.testing.assert_allclose(found.time, np.linspace(0.0, 10.0, 21), rtol=1e-12)
    np.testing.assert_allclose(found.energy, solution.energy)
    np.testing.assert_allclose(found.temperature, solution.temperature / units["mK"])
    np.testing.assert_allclose(found.energy_rate, solution.energy_rate * units["ns"])
    np.testing.assert_allclose(found.temperature_error, solution.error.temperature / units["mK"])
    assert [
        found[name].attrs["units"] for name in ("time", "energy", "temperature", "dv", "u")
    ] == [
        "ns",
        "GHz",
        "mK",
        "1/ns",
        "1",
    ]
    assert found.energy.attrs["long_name"] == "internal energy E"
    np.testing.assert_allclose(found.entropy_rate, solution.entropy_rate * units["ns"])


def test_the_order_of_variables_does_not_matter():
    units = bx.Units("cm^-1")
    t, energy = [0.0, 1.0, 2.0], ("time", [3.0, 4.0, 5.0])
    dataset = xarray.Dataset(coords={"time": t}).assign(energy=energy, x=energy)
    found = units.convert(dataset)
    np.testing.assert_allclose(found.time, np.array(t) / units["ps"])
    np.testing.assert_array_equal(found.energy, energy[1])
    np.testing.assert_array_equal(found.x, energy[1])
    assert "units" not in found.x.attrs


def test_a_figure_in_units_of_an_experiment():
    units = bx.Units("GHz")
    energy, entropy, temperature, *_ = solved(units).plot(units=units).axes
    assert energy.get_xlabel() == "$t$ (ns)"
    assert energy.get_ylabel() == "$E$ (GHz)"
    assert entropy.get_ylabel() == "$S$ ($k_B$)"
    assert temperature.get_ylabel() == "$T$ (mK)"
    np.testing.assert_allclose(energy.lines[0].get_xdata()[-1], 10.0)


def test_names_of_units():
    assert bx.Units("GHz") == bx.Units("GHz", "ns", "mK")
    assert bx.Units("J") == bx.Units("J", "s", "K")
    assert all(map(is_converted, (*ENERGIES, *TIMES, *RATES, "GHz/ns", "k_B/ps")))
    assert not any(map(is_converted, ("energy", "1/energy", "energy^2", "1", "", "energy / eta")))
    for wrong in (
        lambda: bx.Units("Ghz"),
        lambda: bx.Units("GHz", "min"),
        lambda: bx.Units()["nm"],
    ):
        with pytest.raises(ValueError, match="must be one of"):
            wrong()
    with pytest.raises(ValueError, match="Argument `temperature` must be one of K, mK, but is 'C'"):
        bx.Units("GHz", "ns", "C")
