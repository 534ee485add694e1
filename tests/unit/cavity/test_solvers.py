"""How `Volterra` chooses its grid, takes many times, and what its program holds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax._status import Status
from bathax.cavity import solvers
from bathax.cavity.solvers import points_needed
from bathax.numerics.refinement import USUAL, sized

NAMES = ("u", "du", "v", "dv", "interaction_noise")
BATH = bx.Reservoir(bx.Ohmic(0.02, 5.0), 1.0)
CAVITY = bx.Cavity(1.0, BATH)

GUESSED = {
    "Ohmic": (CAVITY, 10.0),
    "slow cutoff": (bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 0.5, 3.0), 1.0)), 60.0),
    "Lorentzian": (bx.Cavity(1.0, bx.Reservoir(bx.Lorentzian(5.0, 1.0, 1.0))), 60.0),
    "far band": (bx.Cavity(50.0, bx.Reservoir(bx.SemicircleBand(0.1, 50.0, 1.0))), 50.0),
    "band edge": (bx.Cavity(1.0, bx.Reservoir(bx.BandEdge(0.05, 0.8, 2.0), 0.3)), 60.0),
    "table": (
        bx.Cavity(1.0, bx.Reservoir(bx.Tabulated(jnp.arange(6.0), [0.0, 3, 3, 2, 1, 0]))),
        10.0,
    ),
    "modes": (
        bx.Cavity(1.0, bx.Reservoir(bx.DiscreteModes([0.7, 0.9, 1.3], [0.1, 0.2, 0.1]), 0.5)),
        100.0,
    ),
}


def enough(cavity, ts, points):
    solver = bx.Volterra(points=points)
    return int(solver.green_functions(cavity, ts).status) == Status.SUCCESS


@pytest.mark.slow
@pytest.mark.parametrize("name", GUESSED)
def test_first_guess_does_and_is_not_much_too_large(name):
    cavity, stop = GUESSED[name]
    ts = jnp.linspace(0.0, stop, 41)
    guess = 2 ** int(np.ceil(np.log2(points_needed(cavity, ts))))
    assert enough(cavity, ts, guess)
    assert not enough(cavity, ts, max(guess // 4, 64))


@pytest.fixture(scope="module")
def whole_and_blocks():
    """An estimate and the derivative of the sum of v: of all times at once, and of 16 at a time."""

    def estimate(eta):
        cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), 1.0))
        # Errors are large enough to be compared to 1e-6: those of 2,048 points are known to 1e-5.
        solver = bx.Volterra(points=1024, rtol=1e-6)
        return solver.green_functions(cavity, jnp.linspace(0.0, 10.0, 50))

    def with_derivative(eta):
        derivative = jax.jit(jax.grad(lambda eta: jnp.sum(estimate(eta).value.v)))
        return estimate(eta), derivative(eta)

    whole = with_derivative(0.02)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solvers, "BLOCK", 16)
        # Programs hold the size of blocks.
        jax.clear_caches()
        blocks = with_derivative(0.02)
    jax.clear_caches()
    return whole, blocks


@pytest.mark.slow
def test_times_in_blocks_are_the_same_times(whole_and_blocks):
    (whole, _), (blocks, _) = whole_and_blocks
    assert blocks.status == whole.status == 0
    for name in NAMES:
        value = getattr(whole.value, name)
        np.testing.assert_allclose(getattr(blocks.value, name), value, rtol=0, atol=1e-13)
        ours, plain = getattr(blocks.error, name), getattr(whole.error, name)
        assert jnp.all(ours >= plain * (1 - 1e-6)), name
        np.testing.assert_allclose(ours[-1], plain[-1], rtol=1e-6)


@pytest.mark.slow
def test_derivative_of_times_in_blocks(whole_and_blocks):
    (_, whole), (_, blocks) = whole_and_blocks
    assert blocks == pytest.approx(float(whole), rel=1e-12)


def test_usual_size_inside_jit_and_its_status():
    def status(stop):
        return bx.Volterra().green_functions(CAVITY, jnp.linspace(0.0, 1.0, 5) * stop).status

    assert jax.jit(status)(10.0) == Status.SUCCESS
    assert jax.jit(status)(100.0) == Status.TOLERANCE_NOT_REACHED
    with sized([4 * USUAL]) as demands:
        assert jax.jit(lambda stop: status(stop))(60.0) == Status.SUCCESS
    assert len(demands) == 1


def test_programs_are_without_what_nobody_asks_for():
    """The noise takes exponentials, which programs of u and du do not have."""

    def exponentials(name):
        def asked(eta):
            cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), 1.0))
            solution = bx.Volterra(points=128).green_functions(cavity, jnp.linspace(0.0, 10.0, 5))
            return getattr(solution.value, name)

        return jax.jit(asked).lower(0.02).compile().cost_analysis()["transcendentals"]

    assert exponentials("u") == exponentials("du") < exponentials("v")
