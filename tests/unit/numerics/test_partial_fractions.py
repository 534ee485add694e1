"""Sums of simple poles in every batch, their derivatives, and the size of what they make."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

import bathax as bx
from bathax.numerics.partial_fractions import AT_ONCE, partial_fractions

RANDOM = np.random.default_rng(0)
NODES = jnp.asarray(RANDOM.normal(size=7) - 1j)
MASSES = jnp.asarray(RANDOM.normal(size=7) + 1j * RANDOM.normal(size=7))
THREE = jnp.arange(3.0)


def points(count):
    return jnp.asarray(RANDOM.normal(size=count) + 1j)


def written_out(nodes, z, power=1):
    return (np.asarray(MASSES) / (np.asarray(z)[..., None] - np.asarray(nodes)) ** power).sum(-1)


def of(nodes, z):
    return partial_fractions((nodes, MASSES), z)


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, 4 * AT_ONCE + 1, 1_000])
def test_sums_in_every_batch(count):
    z, shifts = points(count), THREE.astype(complex)[:, None]
    many, moved = z[None, :] + shifts, NODES[None, :] - 1j * shifts
    close = {"rtol": 1e-13, "atol": 1e-13}
    np.testing.assert_allclose(of(NODES, z), written_out(NODES, z), **close)
    by_z, by_nodes = jax.vmap(of, (None, 0)), jax.vmap(of, (0, None))
    np.testing.assert_allclose(by_z(NODES, many), written_out(NODES, many), **close)
    exact = written_out(np.asarray(moved)[:, None, :], z)
    np.testing.assert_allclose(by_nodes(moved, z), exact, **close)
    exact = written_out(np.asarray(moved)[:, None, :], many)
    np.testing.assert_allclose(jax.vmap(of)(moved, many), exact, **close)
    exact = written_out(np.asarray(moved)[None, :, None, :], many[:, None])
    np.testing.assert_allclose(jax.vmap(by_nodes, (None, 0))(moved, many), exact, **close)


def test_derivatives_by_the_point():
    z = jnp.linspace(-1.0, 1.0, 5)

    def at(x):
        return of(NODES, x.astype(complex)[None])[0]

    def derivative(order):
        function = at
        for _ in range(order):
            function = jax.jacfwd(function)
        return jax.vmap(function)(z)

    for order, factor in [(1, -1.0), (2, 2.0), (3, -6.0)]:
        exact = factor * written_out(NODES, z, order + 1)
        np.testing.assert_allclose(derivative(order), exact, rtol=1e-12)


def test_derivatives_of_all_in_both_modes():
    def size(shift, factor, x):
        shift, factor, x = (number.astype(complex) for number in (shift, factor, x))
        z = jnp.linspace(-1.0, 1.0, 5).astype(complex) + 1j * (1.0 + x)
        found = partial_fractions((NODES + shift, MASSES * factor), z)
        return jnp.sum(jnp.abs(found) ** 2)

    by_point = partial(size, jnp.zeros(()), jnp.ones(()))
    check_grads(size, (jnp.asarray(0.1), jnp.asarray(1.3), jnp.asarray(0.2)), 2, rtol=1e-4)
    check_grads(by_point, (jnp.asarray(0.3),), 3, rtol=1e-4)
    check_grads(jax.vmap(by_point), (THREE,), 2, rtol=1e-4)
    hessians = jax.vmap(jax.jacfwd(jax.grad(by_point)))(THREE)
    np.testing.assert_allclose(hessians, jax.vmap(jax.jacrev(jax.grad(by_point)))(THREE))


@pytest.mark.parametrize("in_batch", [False, True])
def test_no_table_of_all_points_is_made(in_batch):
    density, z = bx.Ohmic(0.1, 5.0), np.linspace(-2.0, -1.0, 6_400).reshape(100, 64)
    sigma = jax.vmap(density.self_energy) if in_batch else density.self_energy
    traced = jax.jit(lambda z: sigma(z)).trace(z)
    cpu = traced.lower(lowering_platforms=("cpu",)).compile()
    nodes = density.contour(1024)[0].size
    assert cpu.memory_analysis().temp_size_in_bytes < 16 * nodes * z.size / 4
    cuda = traced.lower(lowering_platforms=("cuda",)).as_text()
    assert f"tensor<{nodes}x{z.size}x" in cuda
