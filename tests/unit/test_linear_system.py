"""What systems of several modes accept and refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax._checks import is_valid

BATH = bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=1.0)
LEAD = bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), temperature=0.1, chemical_potential=0.5)
FERMIONS = bx.Reservoir(bx.Ohmic(0.1, 5.0), occupation=bx.FermiDirac(1.0))
FULL = bx.Reservoir(bx.Ohmic(0.1, 5.0), occupation=bx.Uniform(2.0))
TWO = bx.LinearSystem([[1.0, 0.2], [0.2, 1.0]], bx.Channel(BATH, [1.0, 0.0]))
DOT = bx.LinearSystem([[0.3]], bx.Channel(LEAD, [1.0]), statistics="fermion")

REFUSED = {
    "not square": (
        lambda: bx.LinearSystem([[1.0, 0.0]], bx.Channel(BATH, [1.0, 0.0])),
        "Argument `h` must be a square matrix, but is of shape (1, 2).",
    ),
    "not Hermitian": (
        lambda: bx.LinearSystem([[1.0, 0.1j], [0.1j, 1.0]], bx.Channel(BATH, [1.0, 0.0])),
        "Argument `h` must be Hermitian, but is ",
    ),
    "coupling of the wrong length": (
        lambda: bx.LinearSystem([[1.0]], bx.Channel(BATH, [1.0, 0.0])),
        "Argument `coupling` must be a list of 1, a number for each mode, but is of length 2.",
    ),
    "no channel": (
        lambda: bx.LinearSystem([[1.0]], []),
        "Argument `channels` must be one `Channel` or several, but is none.",
    ),
    "a reservoir as a channel": (
        lambda: bx.LinearSystem([[1.0]], [BATH]),
        "Argument `channels` must be one `Channel` or several, but is a `Reservoir`.",
    ),
    "other statistics": (
        lambda: bx.LinearSystem([[1.0]], bx.Channel(BATH, [1.0]), "anyon"),
        'Argument `statistics` must be "boson" or "fermion", but is \'anyon\'.',
    ),
    "bosons above the bottom of a band": (
        lambda: bx.LinearSystem([[1.0]], bx.Channel(LEAD, [1.0])),
        "Argument `temperature` must be 0 for a spectral density with weight at w <= mu = 0.5, "
        "which has no thermal state, but is 0.1.",
    ),
    "two fermions in a mode": (
        lambda: bx.solve(DOT, bx.Covariance([[1.5]]), [1.0]),
        "Argument `initial` must be a state of at most one fermion in every mode, but is ",
    ),
    "a state of other modes": (
        lambda: bx.solve(TWO, bx.Covariance([[1.0]]), [1.0]),
        "Argument `initial` must be a state of 2 modes, but is one of 1.",
    ),
    "a negative number of quanta": (
        lambda: bx.Covariance([[-0.1]]),
        "Argument `n` must be without negative eigenvalues, but is ",
    ),
    "a coupling that is no number": (
        lambda: bx.Channel(BATH, [jnp.nan]),
        "Argument `coupling` must be finite, but is [nan",
    ),
    "several chemical potentials": (
        lambda: bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.1, [0.1, 0.2]),
        "Argument `chemical_potential` must be a scalar, but is of shape (2,).",
    ),
    "energies so small that any matrix might be Hermitian": (
        lambda: bx.LinearSystem([[0.0, 1e-11], [0.0, 0.0]], bx.Channel(BATH, [1.0, 0.0])),
        "Argument `h` must be Hermitian, but is ",
    ),
    "energies so large that their squares are infinite": (
        lambda: bx.LinearSystem([[0.0, 1e200], [0.0, 0.0]], bx.Channel(BATH, [1.0, 0.0])),
        "Argument `h` must be Hermitian, but is ",
    ),
    "fermions as bosons": (
        lambda: bx.LinearSystem([[1.0]], bx.Channel(FERMIONS, [1.0])),
        "Argument `reservoir` must be of bosons, but is of fermions.",
    ),
    "two fermions in each mode of a reservoir": (
        lambda: bx.LinearSystem([[1.0]], bx.Channel(FULL, [1.0]), "fermion"),
        "Argument `occupation` must be an occupation of at most one fermion in every mode, but is ",
    ),
    "a Fock state": (
        lambda: bx.solve(TWO, bx.Fock(1), [1.0]),
        "Argument `initial` must be a Gaussian state of the modes, `Covariance(n)`, but is a "
        "`Mixture`.",
    ),
    "a solver of one mode": (
        lambda: bx.solve(TWO, bx.Covariance(np.eye(2)), [1.0], bx.Resonance()),
        "Argument `solver` must be a solver of several modes, `Volterra()` or `Embedding()`, "
        "but is a `Resonance`.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_sentences(name):
    call, sentence = REFUSED[name]
    with pytest.raises(ValueError, match="Argument") as caught:
        call()
    assert str(caught.value).startswith(sentence)


def test_fermions_fill_their_reservoirs_by_their_own_statistics():
    occupation = DOT.reservoirs[0].occupation
    assert isinstance(occupation, bx.FermiDirac)
    assert occupation(0.5) == pytest.approx(0.5)
    assert bx.FermiDirac(0.0, 0.5)(jnp.array([0.4, 0.6])).tolist() == [1.0, 0.0]
    assert TWO.reservoirs[0].occupation == BATH.occupation


@pytest.mark.slow
def test_a_bad_point_of_a_batch_is_marked():
    def number(hopping, filling):
        h = jnp.stack([jnp.stack([1.0 + 0j, hopping]), jnp.stack([0.2 + 0j, 1.0 + 0j])])
        modes = bx.LinearSystem(h, bx.Channel(BATH, [1.0, 0.0]))
        initial = bx.Covariance(filling * jnp.eye(2))
        sol = bx.solve(modes, initial, [1.0], bx.Volterra(points=256))
        return sol.number[0], sol.status

    hoppings = jnp.array([0.2 + 0j, 0.1j, 0.2 + 0j])
    numbers, status = jax.jit(jax.vmap(number))(hoppings, jnp.array([1.0, 1.0, -1.0]))
    np.testing.assert_array_equal(status, [0, 2, 2])
    np.testing.assert_array_equal(jnp.isnan(numbers), [False, True, True])


def test_more_than_one_fermion_in_a_batch_is_marked():
    def entropy(filling, reservoir):
        bath = bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), occupation=bx.Uniform(reservoir))
        dot = bx.LinearSystem([[0.3]], bx.Channel(bath, [1.0]), "fermion")
        initial = bx.Covariance(jnp.reshape(filling, (1, 1)))
        sol = bx.solve(dot, initial, [1.0], bx.Volterra(points=256))
        return sol.status, sol.entropy[0]

    status, found = jax.jit(jax.vmap(entropy))(
        jnp.array([0.5, 1.5, 0.5]), jnp.array([0.5, 0.5, 2.0])
    )
    np.testing.assert_array_equal(status, [0, 2, 2])
    np.testing.assert_array_equal(jnp.isnan(found), [False, True, True])


def test_a_current_that_vanishes_exactly():
    """It does not ask for a finer grid without end."""
    bath = bx.Reservoir(bx.FlatBand(0.3, -3.0, 3.0), occupation=bx.Uniform(0.5))
    dot = bx.LinearSystem([[0.1]], bx.Channel(bath, [1.0]), "fermion")
    sol = bx.solve(dot, bx.Covariance([[0.5]]), jnp.linspace(0.0, 12.0, 7))
    assert sol.status == 0
    np.testing.assert_allclose(sol.particle_current, 0.0, atol=1e-13)
    np.testing.assert_allclose(sol.n[:, 0, 0], 0.5, atol=1e-13)


def test_validity_of_a_lead():
    assert is_valid(DOT)
    edges = jnp.array([4.0, 6.0])
    valid = jax.vmap(lambda low: is_valid(bx.FlatBand(0.5, low, 5.0)))(edges)
    np.testing.assert_array_equal(valid, [True, False])


def test_numbers_are_finite_where_their_squares_are_not():
    system = bx.LinearSystem([[1e200]], bx.Channel(BATH, [1e200j]))
    assert system.h[0, 0] == 1e200
    assert system.couplings[0, 0] == 1e200j


@pytest.mark.slow
def test_one_mode_of_bosons_takes_every_state_of_a_cavity():
    channels = [bx.Channel(BATH, [c]) for c in (0.6, 0.3j)]
    modes = bx.LinearSystem([[1.2]], channels)
    cavity = bx.Cavity(
        1.2, [bx.Reservoir(s * BATH.spectral_density, BATH.temperature) for s in (0.36, 0.09)]
    )
    ts = [0.0, 1.0, 5.0]
    for state in (bx.Fock(3), bx.Coherent(0.5 + 1.0j), bx.Squeezed(0.4)):
        one, other = bx.solve(modes, state, ts), bx.solve(cavity, state, ts)
        np.testing.assert_allclose(one.entropy, other.entropy, atol=1e-12)
        np.testing.assert_allclose(one.number, other.number, atol=1e-12)
    gaussian = bx.solve(modes, bx.Covariance([[2.0]]), ts)
    thermal = bx.solve(modes, bx.Thermal(2.0), ts)
    np.testing.assert_allclose(thermal.entropy, gaussian.entropy, atol=1e-12)
    with pytest.raises(ValueError, match=r"Argument `h` must be constant in time here"):
        bx.solve(bx.LinearSystem([[bx.Ramp(1.0, 2.0, 1.0, 1.0)]], channels), bx.Fock(1), ts)
