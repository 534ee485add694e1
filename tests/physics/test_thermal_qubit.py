"""What must hold for the exact map of a qubit, whatever the reservoir."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.qubit import generator, hierarchy, index_set, structure
from tests.programs import LONG

TS = jnp.array([1.0, 3.0, 6.0])
FIXED = bx.Hierarchy(depth=6, modes=14, steps=160)


def ohmic(eta, cutoff=5.0, temperature=1.0, frequency=1.0):
    return bx.Qubit(frequency, bx.Reservoir(bx.Ohmic(eta, cutoff), temperature))


@partial(jax.jit, static_argnums=1, compiler_options=LONG)
def mapped(qubit, solver):
    """The map by a hierarchy of a fixed size."""
    return bx.dynamical_map(qubit, TS, solver)


TABLE = jnp.linspace(0.0, 20.0, 41)
RESERVOIRS = {
    "sub-ohmic": bx.Reservoir(bx.Ohmic(0.02, 5.0, 0.5), 0.5),
    "band": bx.Reservoir(bx.SemicircleBand(0.01, 1.2, 0.5), 1.0),
    "tabulated": bx.Reservoir(bx.Tabulated(TABLE, bx.Ohmic(0.02, 2.0)(TABLE)), 1.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RESERVOIRS)
def test_second_order_is_met_at_weak_coupling(name):
    """At a hundredth of the coupling the second-order master equation is right to eta^2."""
    bath = RESERVOIRS[name]
    weak = bx.Reservoir(0.01 * bath.spectral_density, occupation=bath.occupation)
    qubit = bx.Qubit(1.0, weak)
    exact = mapped(qubit, bx.Hierarchy(depth=3, modes=20, steps=400))
    second = bx.dynamical_map(qubit, TS, bx.TimeConvolutionless(points=2048))
    for element in ("p11", "p00", "coherence"):
        change = jnp.abs(getattr(exact, element) - getattr(second, element))
        assert jnp.max(change) < 0.5 * jnp.max(1.0 - exact.p11) ** 2 + 1e-7
    assert jnp.all(exact.complete_positivity_margin > -1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("eta", "temperature"), [(0.02, 0.5), (0.1, 2.0)])
def test_error_estimate_is_honest(eta, temperature):
    qubit = ohmic(eta, temperature=temperature)
    truth = mapped(qubit, bx.Hierarchy(depth=10, modes=12, steps=320))
    for depth, modes in ((4, 6), (7, 10)):
        dmap = mapped(qubit, bx.Hierarchy(depth=depth, modes=modes, steps=320))
        for name in ("p11", "p00", "coherence", "dp11", "determinant"):
            error = jnp.abs(getattr(dmap, name) - getattr(truth, name))
            assert jnp.all(error <= 3.0 * getattr(dmap.error, name)), (depth, name)


@pytest.mark.slow
def test_error_estimates_of_rates_are_honest():
    rough, fine = (bx.dynamical_map(ohmic(0.01), TS, bx.Hierarchy(rtol=r)) for r in (1e-6, 1e-8))
    for name in ("gamma_minus", "gamma_plus", "gamma_z", "shift"):
        error, estimate = jnp.abs(getattr(rough, name) - getattr(fine, name)), rough.error
        assert jnp.all(error <= 10.0 * getattr(estimate, name)), name
        assert jnp.all(getattr(estimate, name) < 1e-5), name


@pytest.mark.slow
def test_gradients_of_the_determinant():
    """Reverse mode against eighth-order differences, for which modes are fitted anew.

    Along a direction in which all parameters change.
    """
    solver = bx.Hierarchy(depth=5, modes=18, steps=120)

    def determinant(parameters):
        eta, cutoff, temperature, frequency = parameters
        qubit = ohmic(eta, cutoff, temperature, frequency)
        elements = solver.map_elements(qubit, TS[:2]).value
        return elements.p11 + elements.p00 - 1.0

    point = np.array([0.02, 5.0, 1.0, 1.0])
    along = point * np.array([0.01, 0.006, -0.008, 0.004])
    exact = jax.jit(jax.jacrev(determinant), compiler_options=LONG)(point)
    steps, weights = np.array([1.0, 2.0, 3.0, 4.0]), np.array([4 / 5, -1 / 5, 4 / 105, -1 / 280])
    moved = point + np.concatenate([steps, -steps])[:, None] * along
    above, below = np.split(jax.jit(jax.vmap(determinant), compiler_options=LONG)(moved), 2)
    change = weights @ (above - below)
    scale = np.abs(along) @ np.maximum(np.max(np.abs(exact), axis=0), 1.0)
    assert np.max(np.abs(exact @ along - change)) < 1e-6 * scale


@pytest.mark.slow
def test_a_batch_of_couplings_and_a_bad_one():
    def p11(eta):
        estimate = FIXED.map_elements(ohmic(eta), TS)
        return estimate.value.p11, estimate.status

    etas = jnp.array([0.005, 0.02, -0.1])
    batch, status = jax.jit(jax.vmap(p11), compiler_options=LONG)(etas)
    alone, _ = p11(0.02)
    np.testing.assert_allclose(batch[1], alone, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(status == bx.Status.INVALID, [False, False, True])
    assert jnp.all(jnp.isnan(batch[2]))
    assert jnp.all(jnp.isfinite(batch[:2]))


@pytest.mark.parametrize(("temperature", "second"), [(3.5, 2.0), (20.0, 3.0)])
def test_every_size_tried_has_more_modes_than_the_one_before(temperature, second):
    """Where modes fall off so fast that a quantum in the next weighs more than two in the first."""
    qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.006, 3.0, 0.65), temperature))
    _, _, sizes = hierarchy.prepared(bx.Hierarchy(), qubit, jnp.array([10.0]))
    sizes = sizes.first
    counts = [len(weights) for _, weights in sizes]
    assert sizes[0][1][1] > second
    assert np.all(np.diff(counts) >= 1)
    counted, built = index_set.count_elements(*sizes[0]), structure.structure(sizes[0])
    assert counted == built.size < index_set.count_elements(*sizes[-1]) <= 20_000


@pytest.mark.slow
def test_out_of_reach_is_a_status_or_an_exception():
    """What was found is kept, with the error that it has."""
    solver = bx.Hierarchy(rtol=1e-6, max_size=60)
    with pytest.warns(bx.ToleranceWarning, match="`max_size`"):
        found = bx.dynamical_map(ohmic(0.1), TS, solver)
    assert found.status == bx.Status.TOLERANCE_NOT_REACHED
    finer = bx.dynamical_map(ohmic(0.1), TS, bx.Hierarchy(depth=7, modes=14))
    known = np.max(found.error.p11) + np.max(finer.error.p11)
    assert 1e-6 < np.max(np.abs(found.p11 - finer.p11)) < 3.0 * known
    with pytest.raises(bx.ToleranceError, match="`max_size`"):
        bx.dynamical_map(ohmic(0.1), TS, solver, throw=True)
    estimate = bx.Hierarchy(rtol=1e-9, depth=4, modes=6).map_elements(ohmic(0.1), TS)
    assert estimate.status == bx.Status.TOLERANCE_NOT_REACHED


def test_too_few_steps_are_not_taken_for_a_result():
    estimate = bx.Hierarchy(depth=4, modes=8, steps=2).map_elements(ohmic(0.02), TS)
    assert estimate.status == bx.Status.TOLERANCE_NOT_REACHED
    assert jnp.all(jnp.isnan(estimate.value.p11))


@pytest.mark.parametrize(("depth", "count"), [(4, 8), (7, 8)])
def test_no_mode_of_the_hierarchy_grows(depth, count):
    """Bounded for all times: no eigenvalue of the generator has a positive real part."""
    qubit, ts = ohmic(0.02), jnp.array([1000.0])
    _, modes, _ = hierarchy.reduced(qubit, ts)
    size = index_set.size_of(depth, (depth - 1) / (count - 1), count)
    pattern = structure.regression(size).structure
    dense = generator.generator(qubit.frequency, modes, pattern).leading_block(pattern.size)
    assert generator.norm_bound(qubit.frequency, modes, size) >= np.linalg.norm(dense, 2)
    assert np.max(np.linalg.eigvals(dense).real) < 1e-10


def test_bounded_and_at_rest_after_a_long_time():
    """At t = 1000, some 200 lifetimes, what the generator leaves is its null vector."""
    qubit, solver = ohmic(0.02), bx.Hierarchy(depth=5, modes=8)
    late = bx.dynamical_map(qubit, [100.0, 1000.0], solver)
    populations = np.array([late.p11, 1.0 - late.p00])
    assert np.all((populations > 0.0) & (populations < 1.0))
    same_modes = bx.steady_state(qubit, solver, horizon=1000.0).excited_population
    np.testing.assert_allclose(populations[:, 1], same_modes, atol=1e-7)
    end = bx.steady_state(qubit, solver)
    np.testing.assert_allclose(populations[:, 1], end.excited_population, atol=float(end.error))
    assert jnp.abs(late.determinant[1]) < 1e-10
    assert jnp.abs(late.coherence[1]) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "argument"),
    [({"rtol": -1.0}, "rtol"), ({"depth": 1}, "depth"), ({"modes": 0}, "modes")],
)
def test_settings_are_checked(options, argument):
    with pytest.raises(ValueError, match=f"`{argument}`"):
        bx.Hierarchy(**options)
