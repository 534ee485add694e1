"""Sizes of the hierarchy that are known before its parameters are, and one program for two."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.numerics.refinement import sized
from bathax.qubit import hierarchy
from bathax.qubit.index_set import count_elements, structure

TS = jnp.linspace(0.0, 6.0, 5)


def qubit(eta):
    return bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), 0.5))


def estimate(eta, solver):
    found = solver.map_elements(qubit(eta), TS)
    return found.elements.p11, found.error.p11[-1], found.status


def demands(eta, solver):
    with sized(None) as asked:
        estimate(eta, solver)
    return jnp.stack(asked)


def test_a_demand_is_met_and_enough():
    """The strongest coupling asks for more than the usual size, which reaches no 1e-6 there."""
    solver, etas = bx.Hierarchy(rtol=1e-6), jnp.array([0.001, 0.05])
    wanted = jax.jit(jax.vmap(lambda eta: demands(eta, solver)))(etas)
    assert np.all(np.diff(wanted, axis=0) > 0.0)
    sizes = [int(np.ceil(each)) for each in wanted[1]]

    @jax.jit
    def chosen(eta):
        with sized(sizes):
            return estimate(eta, solver)

    p11, error, status = chosen(etas[1])
    usual, _, failed = jax.jit(lambda eta: estimate(eta, solver))(etas[1])
    assert status == bx.Status.SUCCESS
    assert failed == bx.Status.TOLERANCE_NOT_REACHED
    alone = estimate(etas[1], solver)[0]
    np.testing.assert_allclose(p11, alone, rtol=0, atol=float(error) + 1e-6)
    np.testing.assert_allclose(usual, alone, rtol=0, atol=1e-4)


def test_who_is_asked():
    """The size and the number of steps, unless they are fixed; nothing outside `jit`."""
    solvers = {bx.Hierarchy(): 2, bx.Hierarchy(depth=3, modes=4): 1, bx.Hierarchy(steps=200): 1}
    for solver, count in solvers.items():
        found = jax.eval_shape(lambda eta, solver=solver: demands(eta, solver), jnp.asarray(0.01))
        assert found.shape == (count,)
    with sized(None) as asked:
        estimate(0.001, bx.Hierarchy(rtol=1e-2))
    assert not asked


@pytest.mark.parametrize(("available", "reduced"), [(30, True), (1, True), (3, False)])
def test_sizes_to_choose_from_grow(available, reduced):
    ladder = hierarchy._ladder(available, reduced, 20_000)
    depths, _, elements = (np.array(part) for part in zip(*ladder, strict=True))
    assert np.all(np.diff(depths) > 0)
    assert np.all(np.diff(elements) > 0)
    assert hierarchy.DEPTH in depths
    assert elements[-1] <= 20_000


def test_two_hierarchies_in_one_evolution():
    """Side by side they are what each of them is alone."""
    system = qubit(0.02)
    _, modes, _ = hierarchy.reduced(system, TS)
    sizes = hierarchy._size(3, 0.5, 6), hierarchy._size(4, 0.5, 8)
    both = hierarchy._elements(system.frequency, modes, TS, structure(*sizes), 60)
    assert structure(*sizes).size == sum(count_elements(*size) for size in sizes)
    for size, found in zip(sizes, both, strict=True):
        (alone,) = hierarchy._elements(system.frequency, modes, TS, structure(size), 60)
        np.testing.assert_allclose(found, alone, rtol=0, atol=1e-14)
