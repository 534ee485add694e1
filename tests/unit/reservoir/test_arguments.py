"""Numbers, lists and integers in place of arrays."""

import numpy as np
import pytest

import bathax as bx

from .densities import PROBLEMS

METHODS = ["__call__", "level_shift", "self_energy"]
LIST = [1, 2, 3]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_densities_take_integers_and_lists(name, method):
    of = getattr(PROBLEMS[name].density, method)
    expected = of(np.array(LIST, float))
    np.testing.assert_array_equal(of(LIST), expected)
    np.testing.assert_array_equal(of(np.array(LIST)), expected)


def test_one_number():
    density = bx.Lorentzian(0.1, 0.2, 1)
    assert density(1) == density(w=1.0) == pytest.approx(0.1 / (2 * np.pi))
    assert density.level_shift(0.5) == pytest.approx(float(density.self_energy(0.5).real))
    np.testing.assert_allclose(
        bx.Ohmic(0.1, 5.0)(np.arange(4)), 0.1 * np.arange(4) * np.exp(-np.arange(4) / 5.0)
    )


@pytest.mark.slow
def test_occupations_and_systems():
    bath = bx.Reservoir(bx.Ohmic(0.1, 5.0), 2)
    np.testing.assert_allclose(bath.occupation(LIST), 1.0 / np.expm1(np.array(LIST) / 2.0))
    system = bx.Cavity(1, bath)
    for of in (system.spectral_density, system.noise_density, system.level_shift):
        np.testing.assert_array_equal(of(LIST), of(np.array(LIST, float)))
    assert system.noise_shift(1) == bath.noise_shift(1.0)
    assert bx.Fock(1).entropy(1, 0) == 0.0
    np.testing.assert_allclose(bx.Coherent(1).populations(1, 0, 2), np.exp(-1.0))


def test_only_densities_are_added():
    with pytest.raises(TypeError, match="unsupported operand"):
        bx.Ohmic(0.1, 5.0) + 3
