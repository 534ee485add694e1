"""Sizes of the hierarchy that are known before its parameters are, and one program for two."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.numerics.refinement import sized
from bathax.qubit import generator, hierarchy, hierarchy_size, index_set
from bathax.qubit.index_set import count_elements
from bathax.qubit.structure import regression, structure
from tests.programs import LONG

TS = jnp.linspace(0.0, 6.0, 5)


def qubit(eta):
    return bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), 0.5))


def estimate(eta, solver):
    found = solver.map_elements(qubit(eta), TS)
    return found.value.p11, found.error.p11[-1], found.status


def demands(eta, solver):
    with sized(None) as asked:
        estimate(eta, solver)
    return jnp.stack(asked)


@pytest.mark.slow
def test_a_demand_is_met_and_enough():
    """The strongest coupling asks for more than the usual size, which reaches no 1e-6 there."""
    solver, etas = bx.Hierarchy(rtol=1e-6), jnp.array([0.001, 0.05])
    asking = jax.jit(lambda eta: demands(eta, solver))
    wanted = np.array([asking(eta) for eta in etas])
    assert np.all(np.diff(wanted, axis=0) > 0.0)
    sizes = [int(np.ceil(each)) for each in wanted[1]]

    def chosen(eta):
        with sized(sizes):
            return estimate(eta, solver)

    def unaware(eta):
        return estimate(eta, solver)

    p11, error, status = jax.jit(chosen, compiler_options=LONG)(etas[1])
    usual, _, failed = jax.jit(unaware, compiler_options=LONG)(etas[1])
    assert status == bx.Status.SUCCESS
    assert failed == bx.Status.TOLERANCE_NOT_REACHED
    alone = estimate(etas[1], solver)[0]
    np.testing.assert_allclose(p11, alone, rtol=0, atol=float(error) + 1e-6)
    np.testing.assert_allclose(usual, alone, rtol=0, atol=1e-4)


@pytest.mark.slow
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


@pytest.mark.slow
def test_two_hierarchies_in_one_evolution():
    """Side by side they are what each of them is alone."""
    system = qubit(0.02)
    _, modes, _ = hierarchy.reduced(system, TS)
    sizes = index_set.size_of(3, 0.5, 6), index_set.size_of(4, 0.5, 8)
    known, numerics = (system.frequency, modes, TS), (32, 1e-12, jnp.asarray(1.0))
    both = hierarchy._elements(known, structure(*sizes), *numerics)
    assert structure(*sizes).size == sum(count_elements(*size) for size in sizes)
    for size, found in zip(sizes, both, strict=True):
        (alone,) = hierarchy._elements(known, structure(size), *numerics)
        allowed = (found.error + alone.error)[..., None]
        assert np.all(np.abs(found.values - alone.values) < allowed)
        assert np.max(allowed) < 1e-10


@pytest.mark.slow
def test_derivatives_of_the_larger_of_two_hierarchies():
    """They are those of both in one evolution; the smaller one, for the error, has none."""
    system = qubit(0.02)
    _, modes, _ = hierarchy.reduced(system, TS)
    sizes = index_set.size_of(3, 0.5, 6), index_set.size_of(4, 0.5, 8)

    def along_strength(solve):
        def values(strength):
            found = solve((system.frequency, modes.scaled(strength), TS))
            return [each.values for each in found]

        return jax.jvp(values, (jnp.ones(()),), (jnp.ones(()),))

    numerics = (32, 1e-12, jnp.asarray(1.0))
    values, (none, change) = along_strength(
        lambda known: hierarchy._solved(known, sizes, *numerics)
    )
    expected, (_, expected_change) = along_strength(
        lambda known: hierarchy._elements(known, structure(*sizes), *numerics)
    )
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-11)
    np.testing.assert_allclose(change, expected_change, rtol=0, atol=1e-10)
    assert np.max(np.abs(change)) > 0.01
    assert not np.any(none)


def test_one_of_two_conjugates_is_enough():
    """The product with a Hermitian operator, against that of the whole generator."""
    system, size = qubit(0.02), index_set.size_of(4, 0.5, 6)
    _, modes, _ = hierarchy.reduced(system, TS)
    both, half = regression(size), structure(size)
    kept = index_set.elements(*size, charge=0)
    places = {each: k for k, each in enumerate(zip(*(part.tolist() for part in kept), strict=True))}
    swapped = np.array([places[n, m, index_set.TRANSPOSED[c]] for m, n, c in places])
    rng = np.random.default_rng(0)
    x = rng.normal(size=len(places)) + 1j * rng.normal(size=len(places))
    x = x + x[swapped].conj()
    whole = generator.generator(system.frequency, modes, both.structure)
    expected = whole.leading_block(both.populations).T @ x
    first = np.count_nonzero(kept.is_first)
    assert 2 * first == both.populations + np.count_nonzero(swapped == np.arange(len(x)))
    short = np.zeros(half.size, complex)
    short[:first] = x[kept.is_first]
    found = generator.generator(system.frequency, modes, half) @ jnp.asarray(short)
    np.testing.assert_allclose(found[:first], expected[kept.is_first], rtol=0, atol=1e-12)


# --- Sizes where the parameters are known ------------------------------------------------------


def weights(tilt, modes):
    return tuple(1.0 + tilt * k for k in range(modes))


def scripted(error, asked):
    """A hierarchy whose result is wrong by a known function of its size."""

    def solve(*sizes):
        asked.extend(sizes)
        return tuple(error(count_elements(*size), size[0]) for size in sizes)

    return solve


def climb(error, rtol, sizes):
    asked = []
    found = hierarchy_size.climbed(scripted(error, asked), sizes, lambda a, b: abs(a - b), rtol)
    return found, asked


@pytest.mark.parametrize(
    ("depth", "tilt", "modes", "max_size"),
    [(7, 1.7, 23, 20_000), (23, 0.0, 4, 20_000), (23, 0.0, 30, 20_000), (23, 0.7, 30, 500)],
)
def test_first_sizes_are_cheap_and_respect_the_limit(depth, tilt, modes, max_size):
    sizes = hierarchy_size.first_sizes(depth, weights(tilt, modes), max_size)
    counts = [count_elements(*size) for size in sizes.first]
    assert sizes.first[0][0] <= depth
    assert np.all(np.diff(counts) > 0)
    assert counts[-1] <= min(hierarchy_size.CHEAP, max_size)


@pytest.mark.parametrize(
    "modes", [(1.0,), (1.0, 1.0, 1.0), (1.0, 1.0, 1.4, 1.4), (1.0, 1.2, 1.5), (1.0, 5.0, 9.0, 9.0)]
)
@pytest.mark.parametrize("stride", [1, 3])
def test_no_size_is_tried_twice(modes, stride):
    """Also where modes count alike, and where there are no more of them."""
    sizes = hierarchy_size.first_sizes(9, modes, 20_000, stride)
    with pytest.warns(bx.ToleranceWarning):
        _, asked = climb(lambda _, depth: 0.5**depth, 1e-200, sizes._replace(max_size=2000))
    assert np.all(np.diff([depth for depth, _ in asked]) >= stride)
    assert np.all(np.diff([count_elements(*size) for size in asked]) > 0)


def test_sizes_differ_by_what_errors_show():
    """A quantum that lowers the error by 7 suffices; three are needed for 0.6 each."""
    assert hierarchy_size.stride(1.0) == 1
    assert hierarchy_size.stride(0.5) == 2
    assert hierarchy_size.stride(0.26) == 3


def test_the_limit_is_never_exceeded_and_the_outlook_is_told():
    """An error that falls fast enough for hope, until the limit is met."""
    sizes = hierarchy_size.first_sizes(23, weights(1.4, 30), 20_000)
    with pytest.warns(bx.ToleranceWarning, match=r"`max_size` of 20,000 allows some \de-\d\d in"):
        _, asked = climb(lambda _, depth: 10.0 ** (-depth / 2), 1e-12, sizes)
    assert max(count_elements(*size) for size in asked) <= 20_000


def test_what_is_hopeless_is_refused_early():
    """An error that falls by a fifth with each quantum never reaches 1e-5."""
    sizes = hierarchy_size.first_sizes(23, weights(1.4, 30), 20_000)
    with pytest.warns(bx.ToleranceWarning, match="was not reached: depth"):
        _, asked = climb(lambda _, depth: 0.8**depth, 1e-5, sizes)
    assert max(count_elements(*size) for size in asked) < 10_000


def test_a_slow_climb_takes_longer_steps():
    """Eight quanta of depth lower the error by a factor of 10 only."""
    sizes = hierarchy_size.Sizes(
        (index_set.size_of(4, 0.0, 1), index_set.size_of(5, 0.0, 1)), (1.0,), 900
    )
    (_, fine), asked = climb(lambda _, depth: 10.0 ** (-depth / 8), 1e-9, sizes)
    depths = [depth for depth, _ in asked]
    assert fine < 1e-9
    assert max(np.diff(depths) / depths[:-1]) > 0.5


def test_the_last_sizes_may_be_closer():
    """Of strides of three quanta none is left after the next: two of two quanta suffice."""
    sizes = hierarchy_size.first_sizes(5, weights(1.4, 30), 20_000, stride=3)
    depth = sizes.first[-1][0]
    limited = sizes._replace(max_size=count_elements(*sizes.at(depth + 4)))
    rtol = 1.2 * 0.5 ** (depth + 3)
    (near, fine), asked = climb(lambda _, deep: 0.5**deep, rtol, limited)
    assert [deep for deep, _ in asked][-3:] == [depth, depth + 2, depth + 4]
    assert fine <= abs(near - fine) <= rtol


def next_after(rate):
    """The depth tried after three trials whose errors fell by e^-rate with each quantum."""
    sizes = hierarchy_size.first_sizes(5, weights(0.5, 30), 10**6, stride=3)
    trials = []
    for depth in (5, 8, 11):
        error, count = 1e-5 * np.exp(rate * (11 - depth)), count_elements(*sizes.at(depth))
        trials.append(hierarchy_size.Trial(sizes.at(depth), 3, count, error, error, 1.0))
    return hierarchy_size.next_size(sizes, trials, 4e-6)[0]


def test_a_size_that_suffices_comes_before_a_whole_stride():
    assert next_after(1.4) == 13


@pytest.mark.parametrize("rate", [1e-9, 1e-3])
def test_errors_that_hardly_fall_take_a_stride_at_least(rate):
    """The depth that they would need is not counted: it is far out of reach."""
    assert next_after(rate) >= 14


@pytest.mark.parametrize("fall", [0.3, 0.45, 0.6])
def test_the_error_follows_from_the_fall(fall):
    """Of errors that fall in proportion: two to eight times the true one, not more."""
    sizes = hierarchy_size.first_sizes(3, weights(1.4, 30), 20_000)
    (near, fine), _ = climb(lambda _, depth: 1e-3 * fall**depth, 1e-6, sizes)
    assert fine <= abs(near - fine) <= 1e-6
    assert abs(near - fine) < 8.0 * fine


def test_a_change_is_the_error_of_the_smaller_size():
    """Also after a long step: errors that fall by e^{-0.4} with each quantum."""
    depths, one = (6, 9, 12, 24), (1.0,)
    trials = [
        hierarchy_size.Trial((deep, one), deep - few, deep, np.exp(-0.4 * few), 1e-9, 1.0)
        for few, deep in pairwise(depths)
    ]
    for count in (2, 3):
        assert hierarchy_size.Fall.of(trials[:count]).rate == pytest.approx(0.4)


def test_no_fall_no_extrapolation():
    """Nor of changes that are too large to tell; a change by chance counts as a tenth of it."""

    def of(*changes):
        trials = [
            hierarchy_size.Trial((5, (1.0,)), 2, 10, change, change, 1.0) for change in changes
        ]
        return hierarchy_size.share(trials[:-1], 2, changes[-1])

    assert of(1e-3) == of(1e-3, 2e-3) == of(0.3, 1e-3) == of(np.inf, 1e-3) == 1.0
    assert of(1e-2, 9e-3, 1e-3) == 1.0
    assert of(1e-2, 1e-3) == pytest.approx(hierarchy_size.SAFETY * 0.1)
    assert of(1e-2, 1e-9) == hierarchy_size.LEAST
