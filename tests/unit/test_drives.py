"""Functions of the time with names: values, derivatives, refusals, and where they may stand."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import CubicSpline

import bathax as bx
from bathax.numerics.refinement import sized

BATH = bx.Reservoir(bx.Ohmic(0.1, 2.0), temperature=1.0)
LEAD = bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.1, 0.2)
TS = jnp.array([0.0, 1.0, 2.5])
TIMES, VALUES = [0.0, 0.4, 1.1, 2.0, 3.0], [1.0, 1.3, 0.8, 1.1, 1.2]


@pytest.mark.parametrize(
    ("drive", "expected"),
    [
        (bx.Ramp(1.0, 2.0, 1.0, 0.5), lambda t: 1.5 + 0.5 * np.tanh((t - 1.0) / 0.5)),
        (bx.Sinusoid(1.0, 0.3, 1.2, 0.1), lambda t: 1.0 + 0.3 * np.sin(1.2 * t + 0.1)),
        (bx.Pulse(1, 2, 1, 0.5), lambda t: 1.0 + 2.0 * np.exp(-2.0 * (t - 1.0) ** 2)),
        (bx.Samples(TIMES, VALUES), CubicSpline(TIMES, VALUES, bc_type="clamped")),
    ],
    ids=["ramp", "sinusoid", "pulse", "samples"],
)
def test_values(drive, expected):
    for t in (0.0, 0.4, 1.0, 2.5):
        np.testing.assert_allclose(eqx.filter_jit(drive)(jnp.asarray(t)), expected(t), rtol=1e-14)


def test_at_several_times():
    wave = bx.Samples(TIMES, VALUES)
    each = [wave(t) for t in (0.0, 1.0, 2.5)]
    np.testing.assert_allclose(wave([0.0, 1.0, 2.5]), each, rtol=1e-15)
    np.testing.assert_allclose(wave(np.zeros((2, 3))), np.full((2, 3), VALUES[0]), rtol=1e-15)


def test_samples_rest_beyond_their_ends():
    drive = bx.Samples(TIMES, VALUES)
    for t, value in ((-1.0, 1.0), (3.0, 1.2), (7.0, 1.2)):
        np.testing.assert_allclose(drive(jnp.asarray(t)), value, rtol=1e-14)
        np.testing.assert_allclose(jax.grad(drive)(jnp.asarray(t)), 0.0, atol=1e-12)


@pytest.mark.slow
def test_the_same_as_a_function():
    """Of a cavity, of a level, of entries of h, of a force and of a switch."""
    wave = bx.Sinusoid(1.0, 0.3, 1.2)

    def plain(t):
        return 1.0 + 0.3 * jnp.sin(1.2 * t)

    def solved(of):
        return bx.solve(of(wave), START, TS), bx.solve(of(plain), START, TS)

    START = bx.Thermal(0.5)
    one, other = solved(lambda f: bx.Cavity(f, BATH))
    np.testing.assert_allclose(one.work, other.work, atol=1e-14)
    START = bx.Covariance([[0.3, 0.0], [0.0, 0.1]])
    for of in (
        lambda f: bx.LinearSystem([[f, 0.1], [0.1, 1.4]], bx.Channel(BATH, [1.0, 0.0])),
        lambda f: bx.coupled_cavities([f, 1.4], 0.1, BATH),
        lambda f: bx.chain([1.0, 1.4], f, BATH),
        lambda f: bx.LinearSystem(
            [[1.0, 0.1], [0.1, 1.4]], bx.Channel(BATH, [1.0, 0.0], switch=f), force=[f, 0.0]
        ),
    ):
        one, other = solved(of)
        np.testing.assert_allclose(one.work, other.work, atol=1e-14)
        np.testing.assert_allclose(one.n, other.n, atol=1e-14)


@pytest.mark.slow
def test_gradient_by_samples():
    """Of the work, by each value."""
    direction = jnp.array([0.1, -0.2, 0.3, 0.1, -0.1])

    def work(s):
        values = jnp.asarray(VALUES) + s * direction
        return bx.solve(bx.Cavity(bx.Samples(TIMES, values), BATH), bx.Thermal(0.5), TS).work[-1]

    step = 1e-4
    slope = (work(step) - work(-step)) / (2.0 * step)
    np.testing.assert_allclose(jax.grad(work)(0.0), slope, rtol=1e-7)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: bx.Ramp(1.0, 2.0, 3.0, 0.0), "`width` must be positive"),
        (lambda: bx.Pulse(1.0, np.inf, 3.0, 1.0), "`height` must be finite"),
        (lambda: bx.Sinusoid("fast", 1.0, 1.0), "`mean` must be a real number"),
        (lambda: bx.Samples([0.0, 1.0], [1.0, 1.0]), "`times` must be a list of four"),
        (lambda: bx.Samples([0, 1, 1, 2], [1] * 4), "`times` must be increasing, .* index 2"),
        (lambda: bx.Samples([0, 1, 2, 3], [1] * 5), "`values` must be a list of 4"),
        (lambda: bx.Samples([0, 1, 2, 3], [1, 1, np.nan, 1]), "`values` must be finite"),
        (lambda: jax.jit(lambda t: bx.Samples(t, [1] * 4).times)(jnp.arange(4.0)), "`times` must"),
        (
            lambda: bx.LinearSystem([[bx.Pulse(0, 1, 1, 1), 0.1], [0.1]], bx.Channel(LEAD, [1.0])),
            "`h` must have rows of one length",
        ),
        (
            lambda: bx.LinearSystem([[bx.Pulse(0, 1, 1, 1), 0.1]], bx.Channel(LEAD, [1.0])),
            "`h` must be a square matrix",
        ),
        (lambda: bx.chain([1.0, 1.0], [bx.Pulse(0, 1, 1, 1)] * 2, BATH), "or a list of 1"),
        (lambda: bx.double_dot([bx.Pulse(0, 1, 1, 1)], 0.1, LEAD, LEAD), "a list of two"),
        (
            lambda: bx.solve(
                bx.LinearSystem(
                    [[1.0, bx.Pulse(0, 1, 1, 1)], [0.0, 1.0]], bx.Channel(BATH, [1.0, 1.0])
                ),
                bx.Covariance(np.zeros((2, 2))),
                TS,
            ),
            "`h` must be Hermitian at all times, but is not at t = 0",
        ),
    ],
)
def test_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.slow
def test_shown_by_their_numbers():
    assert "frequency=Ramp(start=1, stop=2, center=3, width=0.5)" in repr(
        bx.Cavity(bx.Ramp(1.0, 2.0, 3.0, 0.5), BATH)
    )
    assert repr(bx.Samples([0, 1, 2, 3], [1, 1, 1, 1])) == (
        "Samples(times=[0, 1, 2, 3], values=[1, 1, 1, 1])"
    )


@pytest.mark.slow
def test_a_program_asks_for_modes_and_for_steps():
    """What a sweep chooses from its points before it traces; nothing that is given."""

    def work(stop, solver):
        cavity = bx.Cavity(bx.Ramp(1.0, stop, 1.0, 0.5), BATH)
        return bx.solve(cavity, bx.Thermal(0.5), TS, solver).work[-1]

    def asked(solver):
        with sized() as demands:
            jax.eval_shape(lambda stop: work(stop, solver), 2.0)
        return len(demands)

    assert asked(bx.Embedding()) == 2
    assert asked(bx.Embedding(modes=24)) == 1
    assert asked(bx.Embedding(modes=24, points=128)) == 0
    known = work(2.0, bx.Embedding())
    with sized([24, 256]):
        inside = jax.jit(lambda stop: work(stop, bx.Embedding()))(2.0)
    assert inside == pytest.approx(float(known), rel=1e-10)
