"""Levels, dots, chains and cavities: their matrices, derivatives, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

BATH = bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=1.0)
LEFT, RIGHT = (bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.1, mu) for mu in (0.5, -0.5))


def test_a_level_has_every_lead():
    dot = bx.resonant_level(0.3, [LEFT, RIGHT])
    assert (dot.statistics, dot.size) == ("fermion", 1)
    np.testing.assert_array_equal(dot.couplings, [[1.0], [1.0]])
    assert len(bx.resonant_level(0.3, LEFT).channels) == 1


def test_a_chain_has_reservoirs_at_its_ends():
    wire = bx.chain([1.0, 2.0, 3.0], [0.1, 0.2j], BATH, BATH)
    assert wire.statistics == "boson"
    np.testing.assert_array_equal(wire.h, [[1.0, 0.1, 0.0], [0.1, 2.0, 0.2j], [0.0, -0.2j, 3.0]])
    np.testing.assert_array_equal(wire.couplings, [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert len(bx.chain([1.0, 1.0], 0.1, BATH).channels) == 1
    np.testing.assert_array_equal(bx.chain([1.0], 0.1, BATH, BATH).couplings, [[1.0], [1.0]])


def test_a_double_dot_in_series_and_as_a_ring():
    serial = bx.double_dot([0.1, 0.2], 0.3, LEFT, RIGHT)
    np.testing.assert_array_equal(serial.couplings, np.eye(2))
    ring = bx.double_dot([0.1, 0.2], 0.3, LEFT, RIGHT, flux=np.pi)
    np.testing.assert_array_equal(ring.h, serial.h)
    left, right = np.asarray(ring.couplings)
    around = left[0].conj() * right[0] * right[1].conj() * left[1]
    np.testing.assert_allclose(np.angle(around) % (2 * np.pi), np.pi)


def test_cavities_have_one_bath_each_or_share_one():
    own = bx.coupled_cavities([1.0, 1.2], 0.1, [BATH, BATH])
    np.testing.assert_array_equal(own.h, [[1.0, 0.1], [0.1, 1.2]])
    np.testing.assert_array_equal(own.couplings, np.eye(2))
    common = bx.coupled_cavities([1.0, 1.2], 0.1, BATH)
    np.testing.assert_array_equal(common.couplings, [[1.0, 1.0]])


def test_entries_may_be_traced():
    def total(p):
        dots = bx.double_dot(p[:2], jax.lax.complex(p[2], p[3]), LEFT, RIGHT, flux=p[4])
        level = bx.resonant_level(p[0], LEFT)
        of_h = jnp.sum(jnp.abs(dots.h) ** 2) + level.h[0, 0].real
        return of_h + jnp.sum(dots.couplings[:, 0]).real

    slope = jax.grad(total)(jnp.array([0.1, 0.2, 0.3, 0.4, 0.5]))
    expected = [2 * 0.1 + 1.0, 2 * 0.2, 4 * 0.3, 4 * 0.4, -0.5 * np.sin(0.125)]
    np.testing.assert_allclose(slope, expected, rtol=1e-12)


REFUSED = {
    "a level that is a list": (
        lambda: bx.resonant_level([0.1], LEFT),
        "Argument `energy` must be a number, but is of shape (1,).",
    ),
    "a channel as a lead": (
        lambda: bx.resonant_level(0.1, [bx.Channel(LEFT, [1.0])]),
        "Argument `leads` must be one `Reservoir(J, temperature)` or several, but is a `Channel`.",
    ),
    "no lead": (
        lambda: bx.resonant_level(0.1, []),
        "Argument `channels` must be one `Channel` or several, but is none.",
    ),
    "three dots": (
        lambda: bx.double_dot([0.0, 0.0, 0.0], 0.1, LEFT, RIGHT),
        "Argument `energies` must be a list of two, but is of length 3.",
    ),
    "a size in place of energies": (
        lambda: bx.chain(5, 0.1, BATH),
        "Argument `energies` must be a list of numbers, one for each mode, but is of shape ().",
    ),
    "complex energies": (
        lambda: bx.chain([1.0, 1j], 0.1, BATH),
        "Argument `energies` must be a real number or an array of them, but is a `list`.",
    ),
    "too many hoppings": (
        lambda: bx.chain([1.0, 1.0], [0.1, 0.1], BATH),
        "Argument `hopping` must be a number or a list of 1, but is of shape (2,).",
    ),
    "bosons above the bottom of a band": (
        lambda: bx.chain([1.0, 1.0], 0.1, LEFT),
        "Argument `temperature` must be 0 for a spectral density with weight at w <= mu = 0.5, "
        "which has no thermal state, but is 0.1.",
    ),
    "infinite": (
        lambda: bx.chain([1.0, np.inf], 0.1, BATH),
        "Argument `h` must be finite, but is ",
    ),
    "too few baths": (
        lambda: bx.coupled_cavities([1.0, 1.0], 0.1, [BATH]),
        "Argument `reservoirs` must be one `Reservoir`, or a list of 2, one for each cavity, but "
        "is of length 1.",
    ),
    "flux": (
        lambda: bx.double_dot([0.0, 0.0], 0.1, LEFT, RIGHT, flux=[1.0]),
        "Argument `flux` must be a number, but is of shape (1,).",
    ),
}


@pytest.mark.parametrize(("make", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refusals(make, sentence):
    with pytest.raises(ValueError, match="Argument") as caught:
        make()
    assert str(caught.value).startswith(sentence)
