"""Sums over triples and their derivatives, alone and in batches, against dense products."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bathax.numerics.contraction import WIDTH, contracted, triples

SIZES, COUNT = (11, 7, 5), 150
FURTHER = 2


@pytest.fixture(scope="module")
def indices():
    """Some index has no triple, and some more than WIDTH^2 of them."""
    rng = np.random.default_rng(0)
    found = np.stack([rng.integers(0, size - 1, COUNT) for size in SIZES])
    found[0, : WIDTH**FURTHER + 1] = 3
    return found


@pytest.fixture(scope="module")
def functions(indices):
    """The sum over triples and the same with a dense array, sums of squares of theirs."""
    dense = np.zeros(SIZES)
    np.add.at(dense, tuple(indices), 1.0)
    over, tensor = triples(indices, SIZES), jnp.asarray(dense, complex)

    def of(product):
        return lambda a, b: jnp.sum(jnp.abs(product(a, b) + 1j) ** 2)

    sums = (lambda a, b: contracted(over, a, b)), lambda a, b: jnp.einsum("ijk,j,k", tensor, a, b)
    return sums, tuple(map(of, sums))


def factors(*batch):
    rng = np.random.default_rng(1)
    shapes = ((*batch, size) for size in SIZES[1:])
    return tuple(jnp.asarray(rng.normal(size=s) + 1j * rng.normal(size=s)) for s in shapes)


def assert_equal(transformed, functions, arguments):
    found, expected = (jax.jit(transformed(each))(*arguments) for each in functions)
    jax.tree.map(lambda *pair: np.testing.assert_allclose(*pair, rtol=1e-12), found, expected)


def test_sums(functions):
    sums, _ = functions
    assert_equal(lambda f: f, sums, factors())
    np.testing.assert_allclose(sums[0](*factors()), sums[1](*factors()), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("axes", [(0, 0), (1, None), (None, 0)], ids=["both", "first", "second"])
def test_batches(functions, axes):
    pairs = zip(factors(3), axes, strict=True)
    arguments = [x[0] if axis is None else jnp.moveaxis(x, 0, axis) for x, axis in pairs]
    assert_equal(lambda f: jax.vmap(f, axes), functions[0], arguments)
    both = (0, 1)
    assert_equal(lambda f: jax.vmap(jax.grad(f, both), axes), functions[1], arguments)


@pytest.mark.slow
def test_batches_of_batches(functions):
    assert_equal(lambda f: jax.vmap(jax.vmap(f)), functions[0], factors(2, 3))
    one, other = factors(3)[0], factors(2)[1]
    assert_equal(lambda f: jax.vmap(jax.vmap(f, (0, None)), (None, 0)), functions[0], (one, other))


@pytest.mark.slow
def test_derivatives(functions):
    both = (0, 1)
    _, squares = functions
    assert_equal(lambda f: jax.grad(f, both), squares, factors())

    def total(f):
        return lambda a, b: jnp.sum(jax.vmap(f)(a, b))

    assert_equal(lambda f: jax.grad(total(f), both), squares, factors(3))

    def along(f):
        return lambda a, b: jax.jvp(jax.grad(f, both), (a, b), factors())

    assert_equal(along, squares, factors())
    assert_equal(lambda f: jax.jacfwd(f, both, holomorphic=True), functions[0], factors())
