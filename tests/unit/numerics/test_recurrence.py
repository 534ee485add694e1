"""Series of a recurrence and their derivatives, alone and in batches, against dense products."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bathax.numerics.recurrence import TILE, Recurrence, Series, extended
from bathax.numerics.sparse import Entries, SparseMatrix, pattern

SIZE, TERMS, VALUES = 9, 7, 5
CHOSEN = np.array([0, 3])


@pytest.fixture(scope="module")
def entries():
    """Some columns multiply the conjugate, and many entries are equal."""
    rng = np.random.default_rng(0)
    row, column = np.nonzero(rng.uniform(size=(SIZE, 2 * SIZE)) < 0.4)
    parameter = rng.integers(0, VALUES, len(row))
    return Entries(row, column, parameter, np.ones(len(row)))


@pytest.fixture(scope="module")
def pair(entries):
    """The series of parameters and of a start, and the same with a dense matrix."""
    backs, weights = jnp.linspace(0.1, 0.4, TERMS), jnp.linspace(1.0, -0.5, TERMS)
    shift = jnp.asarray(0.3)

    def found(parameters, now):
        matrix = SparseMatrix.of(pattern(entries, SIZE), parameters)
        start = Series(0.5 * now, now, jnp.zeros_like(now))
        series, parts = extended(Recurrence(matrix, shift, backs), start, weights, CHOSEN)
        return *series, parts

    def expected(parameters, now):
        values = parameters[entries.parameter]
        matrix = jnp.zeros((SIZE, 2 * SIZE), complex).at[entries.row, entries.column].add(values)
        before, total, parts = 0.5 * now, jnp.zeros_like(now), []
        for back, weight in zip(backs.astype(complex), weights.astype(complex), strict=True):
            total, parts = total + weight * now, [*parts, now[CHOSEN]]
            after = matrix @ jnp.concatenate([now, now.conj()]) + shift.astype(complex) * now
            before, now = now, after - back * before
        return before, now, total, jnp.stack(parts)

    return found, expected


def arguments(*batch):
    rng = np.random.default_rng(1)
    shapes = ((*batch, count) for count in (VALUES, SIZE))
    return tuple(jnp.asarray(rng.normal(size=s) + 1j * rng.normal(size=s)) for s in shapes)


def assert_equal(transformed, pair, arguments):
    found, expected = (jax.jit(transformed(each))(*arguments) for each in pair)
    jax.tree.map(lambda *both: np.testing.assert_allclose(*both, atol=1e-11), found, expected)


def total(function):
    """A number that depends on all results."""
    return lambda *args: sum(jnp.sum(jnp.abs(part + 1j) ** 2) for part in function(*args))


def test_series(pair):
    assert_equal(lambda f: f, pair, arguments())


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 3, TILE, 2 * TILE + 1])
@pytest.mark.parametrize("axes", [(0, 0), (0, None), (None, 0)], ids=["both", "matrix", "start"])
def test_batches(pair, size, axes):
    given = (x[0] if axis is None else x for x, axis in zip(arguments(size), axes, strict=True))
    assert_equal(lambda f: jax.vmap(f, axes), pair, tuple(given))


@pytest.mark.slow
def test_a_batch_of_batches(pair):
    assert_equal(lambda f: jax.vmap(jax.vmap(f)), pair, arguments(2, 3))


@pytest.mark.slow
@pytest.mark.parametrize("batch", [(), (3,), (TILE + 1,)])
def test_derivatives(pair, batch):
    """Gradients, tangents, and tangents of gradients, of members of a batch too."""

    def of(function):
        grad = jax.grad(total(function), argnums=(0, 1))

        def all_of(*given):
            turned = tuple(1j * x for x in given)
            return jax.jvp(function, given, turned), jax.jvp(grad, given, turned)

        return jax.vmap(all_of) if batch else all_of

    assert_equal(of, pair, arguments(*batch))
