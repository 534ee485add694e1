"""Functions in blocks and of members: what they compute in any batch, and how much they hold."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from bathax.numerics.blocks import in_blocks, member_by_member

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


@pytest.fixture(params=["processor", "other devices"])
def device(request, monkeypatch):
    """Both of the programs for a batch, run on this processor."""
    if request.param == "other devices":
        monkeypatch.setattr(lax, "platform_dependent", lambda *args, default, **_: default(*args))


@pytest.mark.usefixtures("device")
def test_members_in_turn_are_those_together():
    for batch in (by_rate, by_weight, by_both, by_weight_then_rate, by_rate_then_weight):
        expected = jax.vmap(batch(decays))(MEMBERS)
        for found in (jax.vmap(batch(in_turn)), jax.jit(jax.vmap(batch(in_turn)))):
            jax.tree.map(
                lambda a, b: np.testing.assert_allclose(a, b, 1e-14), found(MEMBERS), expected
            )


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("count", [0, 3, 50])
def test_blocks_are_what_is_computed_at_once(count):
    def decay(rates, points):
        return jnp.stack([jnp.sum(jnp.exp(-rates[:, None] * points[0][None, :]), 0), points[1]])

    x, blocks = jnp.arange(float(count)), in_blocks(4)(decay)
    np.testing.assert_allclose(blocks(RATES, (x, x)), decay(RATES, (x, x)), 1e-14)
    for batch in (
        lambda f, m: f(RATES, (m * x, x)),
        lambda f, m: f(m * RATES, (x, x)),
        lambda f, m: f(m * RATES, (x, m * x)),
    ):
        found, expected = (jax.vmap(partial(batch, f))(MEMBERS) for f in (blocks, decay))
        np.testing.assert_allclose(found, expected, 1e-14)


def test_a_table_for_all_needs_no_loop():
    assert "scan" in str(jax.make_jaxpr(jax.vmap(by_rate(in_turn)))(MEMBERS))
    assert "scan" not in str(jax.make_jaxpr(jax.vmap(by_weight(in_turn)))(MEMBERS))


def test_one_table_at_a_time_is_held():
    rates, times, members = jnp.linspace(0.0, 1.0, 200), jnp.linspace(0.0, 1.0, 500), np.ones(64)
    table = 8 * rates.size * times.size

    def held(batch):
        lowered = jax.jit(jax.vmap(batch)).trace(members).lower(lowering_platforms=("cpu",))
        return lowered.compile().memory_analysis().temp_size_in_bytes

    weights = jnp.ones(rates.size)
    assert held(lambda m: in_turn((m * rates, times), (weights, m))["sum"]) < 8 * table
    assert held(lambda m: in_turn((rates, times), (m * weights, m))["sum"]) < 8 * table
