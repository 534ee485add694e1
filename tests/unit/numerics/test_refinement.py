"""Refinement picks the same resolution eagerly, compiled, and shared in a batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bathax.numerics.refinement import largest, refine

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
    for way in (used, jax.jit(used)):
        np.testing.assert_array_equal(way(jnp.asarray(difficulty)), [points // 2, points])


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
    np.testing.assert_array_equal(batch(jnp.asarray([0.1, 1.61, 0.3])), [[16, 32]] * 3)


@pytest.mark.parametrize("compiled", [False, True])
def test_nested_batches_share_too(compiled):
    batch = jax.vmap(jax.vmap(used))
    batch = jax.jit(batch) if compiled else batch
    difficulties = jnp.asarray([[0.1, 0.2, 0.3], [0.1, 5.0, 0.3]])
    np.testing.assert_array_equal(batch(difficulties), np.broadcast_to([32, 64], (2, 3, 2)))


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
    assert jax.jit(jax.grad(fine))(1.61) == pytest.approx(1 / 32)


def test_largest_is_the_value_itself_outside_a_batch():
    assert largest(jnp.asarray(2.0)) == 2.0
    np.testing.assert_array_equal(jax.vmap(largest)(jnp.asarray([1.0, 3.0])), [3.0, 3.0])
