"""Refinement of concrete values, alone and in a batch, and sizes known before tracing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bathax.numerics.refinement import (
    PROBES,
    USUAL,
    Refining,
    envelope,
    largest,
    refine,
    sized,
)

SIZES = (4, 8, 16, 32, 64, 128)
LAST = SIZES[-1]


def solve_for(difficulty: jax.Array):
    """A computation with error difficulty / points, whose result shows the points it used."""
    return lambda points: (difficulty / points, jnp.asarray(points))


def discrepancy(coarse, fine):
    return (coarse[0] - fine[0]) * 10.0


def used(difficulty: jax.Array) -> jax.Array:
    """How many points the coarse and the fine result were computed with."""
    coarse, fine = refine(solve_for(difficulty), SIZES, discrepancy)
    return jnp.stack([coarse[1], fine[1]])


# The discrepancy 10 difficulty / points is at most 1 from this many points on.
CASES = [(0.1, 8), (0.81, 16), (1.61, 32), (5.0, 64), (12.8, 128), (1e6, LAST)]


@pytest.mark.parametrize(("difficulty", "points"), CASES)
def test_points_of_one_problem(difficulty, points):
    np.testing.assert_array_equal(used(jnp.asarray(difficulty)), [points // 2, points])
    # Compiled, nothing is known: the first two.
    np.testing.assert_array_equal(jax.jit(used)(jnp.asarray(difficulty)), SIZES[:2])


def test_eager_refinement_computes_no_more_than_it_needs():
    seen = []

    def solve(points):
        seen.append(points)
        return jnp.asarray(0.81) / points, jnp.asarray(points)

    refine(solve, SIZES, discrepancy)
    assert seen == [4, 8, 16]


@pytest.mark.parametrize("compiled", [False, True])
def test_batch_shares_the_points_of_its_most_demanding_member(compiled):
    batch = jax.vmap(used)
    batch = jax.jit(batch) if compiled else batch
    expected = SIZES[:2] if compiled else [16, 32]
    np.testing.assert_array_equal(batch(jnp.asarray([0.1, 1.61, 0.3])), [expected] * 3)


@pytest.mark.parametrize("compiled", [False, True])
def test_nested_batches_share_too(compiled):
    batch = jax.vmap(jax.vmap(used))
    batch = jax.jit(batch) if compiled else batch
    difficulties = jnp.asarray([[0.1, 0.2, 0.3], [0.1, 5.0, 0.3]])
    expected = SIZES[:2] if compiled else [32, 64]
    np.testing.assert_array_equal(batch(difficulties), np.broadcast_to(expected, (2, 3, 2)))


def test_results_of_a_batch_belong_to_its_members():
    difficulties = jnp.asarray([0.1, 1.61, 0.3])
    fine = jax.vmap(lambda d: refine(solve_for(d), SIZES, discrepancy)[1][0])(difficulties)
    np.testing.assert_allclose(fine, difficulties / 32)


def test_never_more_than_the_largest_number_of_points():
    np.testing.assert_array_equal(used(jnp.asarray(jnp.inf)), [LAST // 2, LAST])
    coarse, fine = refine(solve_for(jnp.asarray(1e6)), SIZES[:2], discrepancy)
    assert (coarse[1], fine[1]) == (4, 8)


def test_derivative_of_the_chosen_result():
    def fine(difficulty):
        return refine(solve_for(difficulty), SIZES, discrepancy)[1][0]

    assert jax.grad(fine)(1.61) == pytest.approx(1 / 32)
    assert jax.jit(jax.grad(fine))(1.61) == pytest.approx(1 / SIZES[1])


def test_largest_is_the_value_itself_outside_a_batch():
    assert largest(jnp.asarray(2.0)) == 2.0
    np.testing.assert_array_equal(jax.vmap(largest)(jnp.asarray([1.0, 3.0])), [3.0, 3.0])


class Counted:
    """A solver of the same computation, which counts the sizes it has tried."""

    def __init__(self, **settings):
        self.refining, self.tried = Refining(**settings), []

    def __call__(self, difficulty, demand=None):
        def attempt(points):
            self.tried.append(points)
            return jnp.asarray(points), difficulty / points

        return self.refining.climbed(attempt, difficulty if demand is None else demand)


@pytest.mark.parametrize(
    ("settings", "demand", "tried"),
    [
        ({}, 1.0, [128, 256, 512, 1024]),
        ({}, 700.0, [1024]),
        ({"max_points": 512}, 1.0, [128, 256, 512]),
        ({"max_points": 512}, 1e9, [512]),
        ({"max_points": 64}, 1.0, [64]),
        ({"points": 256}, 1.0, [256]),
    ],
)
def test_sizes_of_concrete_values(settings, demand, tried):
    solver = Counted(**settings)
    assert solver(jnp.asarray(1000.0), jnp.asarray(demand)) == tried[-1]
    assert solver.tried == tried


def test_points_that_change_nothing_are_not_doubled_further():
    """What limits a large error, like too few modes, is something else."""
    tried = []

    def attempt(points):
        tried.append(points)
        return points, jnp.asarray(200.0 * (1.0 + 8e-3 * 512 / points**2))

    assert Refining(rtol=1e-4).climbed(attempt, jnp.asarray(128.0)) == 256
    assert tried == [128, 256]


def test_one_size_inside_jit():
    solver = Counted()
    assert jax.jit(solver)(1e5) == USUAL
    assert solver.tried == [USUAL]
    assert jax.jit(Counted(max_points=1024))(1e5) == 1024
    assert jax.jit(Counted(points=256))(1e5) == 256


def test_sizes_are_given_in_the_order_of_asking():
    def both(difficulty):
        return Counted()(difficulty), Counted()(2.0 * difficulty), Counted(points=64)(difficulty)

    with sized([1000, 5000]) as demands:
        assert jax.jit(lambda d: both(d))(1.0) == (1024, 8192, 64)
    assert len(demands) == 2
    with sized([1000]):
        assert jax.jit(lambda d: both(d))(1.0) == (1024, USUAL, 64)
    assert jax.jit(lambda d: both(d))(1.0) == (USUAL, USUAL, 64)


def test_demands_are_values_of_the_program_that_asks():
    def wanted(difficulties):
        with sized() as demands:
            jax.vmap(Counted())(difficulties)
        return demands

    assert jax.jit(wanted)(jnp.asarray([3.0, 700.0, 5.0])) == [700.0]


def test_concrete_values_ask_for_nothing():
    with sized([4096]) as demands:
        assert Counted()(jnp.asarray(200.0)) == 256
    assert demands == []


def highest_before(values, ts, span):
    """The largest value at any of the times or probes up to each time, one by one."""
    probes = np.linspace(0.0, span, PROBES)
    own, between = values[: len(ts)], values[len(ts) :]
    return [max(own[: k + 1].max(), between[probes <= t].max()) for k, t in enumerate(ts)]


@pytest.mark.parametrize("count", [1, 7, 300])
def test_envelope(count):
    rng = np.random.default_rng(3)
    ts = np.sort(rng.uniform(0.0, 1.0, count))
    values = rng.uniform(size=(2, count + PROBES)) - 2.0
    ours = jax.jit(envelope)(jnp.asarray(values), jnp.asarray(ts), 1.0)
    np.testing.assert_array_equal(ours, [highest_before(row, ts, 1.0) for row in values])


def test_envelope_of_blocks():
    rng = np.random.default_rng(4)
    ts, values = np.sort(rng.uniform(0.0, 1.0, 10)), rng.uniform(size=3 + PROBES)
    each = np.concatenate([np.repeat(values[:3], 4)[:10], values[3:]])
    ours = jax.jit(envelope, static_argnums=3)(jnp.asarray(values), jnp.asarray(ts), 1.0, 4)
    np.testing.assert_array_equal(ours, highest_before(each, ts, 1.0))
