"""What `member_by_member` computes for batches in any of its arguments, and how much it holds."""

import jax
import jax.numpy as jnp
import numpy as np

from bathax.numerics.blocks import member_by_member

RATES, TIMES = jnp.asarray([0.1, 0.7, 2.0]), jnp.linspace(0.0, 1.0, 5)
WEIGHTS, OFFSET = jnp.asarray([1.0, -2.0, 0.5]), jnp.asarray(0.25)
MEMBERS = jnp.arange(1.0, 5.0)


def decays(rates_and_times, weights_and_offset):
    (rates, times), (weights, offset) = rates_and_times, weights_and_offset
    table = jnp.exp(-rates[:, None] * times[None, :])
    return {"sum": weights @ table + offset, "largest": jnp.max(table)}


in_turn = member_by_member(decays)


def by_rate(function):
    return lambda m: function((m * RATES, TIMES), (WEIGHTS, OFFSET))


def by_weight(function):
    return lambda m: function((RATES, TIMES), (m * WEIGHTS, OFFSET))


def by_both(function):
    return lambda m: function((RATES, m * TIMES), (WEIGHTS, m * OFFSET))


def by_weight_then_rate(function):
    def of_rate(m):
        return jax.vmap(lambda n: function((m * RATES, TIMES), (n * WEIGHTS, OFFSET)))(MEMBERS)

    return of_rate


def by_rate_then_weight(function):
    def of_weight(m):
        return jax.vmap(lambda n: function((n * RATES, TIMES), (m * WEIGHTS, OFFSET)))(MEMBERS)

    return of_weight


def test_members_in_turn_are_those_together():
    for batch in (by_rate, by_weight, by_both, by_weight_then_rate, by_rate_then_weight):
        expected = jax.vmap(batch(decays))(MEMBERS)
        for found in (jax.vmap(batch(in_turn)), jax.jit(jax.vmap(batch(in_turn)))):
            jax.tree.map(
                lambda a, b: np.testing.assert_allclose(a, b, 1e-14), found(MEMBERS), expected
            )


def test_one_table_at_a_time_is_held():
    rates, times, members = jnp.linspace(0.0, 1.0, 200), jnp.linspace(0.0, 1.0, 500), np.ones(64)
    table = 8 * rates.size * times.size

    def held(batch):
        lowered = jax.jit(jax.vmap(batch)).trace(members).lower(lowering_platforms=("cpu",))
        return lowered.compile().memory_analysis().temp_size_in_bytes

    weights = jnp.ones(rates.size)
    assert held(lambda m: in_turn((m * rates, times), (weights, m))["sum"]) < 8 * table
    assert held(lambda m: in_turn((rates, times), (m * weights, m))["sum"]) < 8 * table
