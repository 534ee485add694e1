"""What the reservoirs gain, against exact diagonalisation; errors, gradients, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.qubit.correlations import two_time

from .modes import TEMPERATURE, Evolution, W

COUPLINGS = np.array([0.15, 0.2])
EXCITED = 0.7
STATE = bx.QubitState([[1.0 - EXCITED, 0.2], [0.2, EXCITED]])
QUBIT = bx.Qubit(1.0, bx.Reservoir(bx.DiscreteModes(W, COUPLINGS), TEMPERATURE))
DEEP = bx.Hierarchy(depth=12)


@pytest.fixture(scope="module")
def exact():
    return Evolution(COUPLINGS, EXCITED)


@pytest.mark.slow
def test_two_time_functions(exact):
    found = two_time(QUBIT, STATE, jnp.array([3.0]), jnp.asarray(1.0), DEEP)
    assert found.status == bx.Status.SUCCESS
    times, last = found.fine.grid.times, found.fine.grid.points - 1
    for row, column in [(last, last // 3), (last // 3, last), (5, 2), (last, 0), (20, 20)]:
        t, s = float(times[row]), float(times[column])
        for name in ("number", "vacancy"):
            value = getattr(found.fine, name)[row, column]
            assert abs(value - getattr(exact, name)(t, s)) < 1e-9, (name, t, s)


@pytest.mark.slow
def test_occupations_are_those_of_exact_diagonalisation(exact):
    ts = jnp.array([0.0, 1.3, 3.0])
    field = bx.reservoir_occupation(QUBIT, STATE, ts, W, DEEP)
    start = exact.occupations(0.0)
    for i, t in enumerate(ts.tolist()):
        gained = exact.occupations(t) - start
        np.testing.assert_allclose(COUPLINGS**2 * field.per_coupling[0, i], gained, atol=1e-9)
        assert field.quanta[0, i] == pytest.approx(gained.sum(), abs=1e-9)
        slope = (exact.occupations(t + 1e-4) - exact.occupations(t - 1e-4)) / 2e-4
        rate = COUPLINGS**2 * field.per_coupling_rate[0, i]
        np.testing.assert_allclose(rate, slope, atol=1e-8)
    assert jnp.max(jnp.abs(field.sum_rule_defect)) < 1e-9
    assert field.message == bx.Status.SUCCESS.message
    with pytest.raises(ValueError, match="delta functions"):
        field.change  # noqa: B018


def test_each_reservoir_has_its_share(exact):
    """Two modes of one reservoir as two reservoirs."""
    baths = [
        bx.Reservoir(bx.DiscreteModes([w], [v]), TEMPERATURE)
        for w, v in zip(W, COUPLINGS, strict=True)
    ]
    field = bx.reservoir_occupation(bx.Qubit(1.0, baths), STATE, [2.0], W, DEEP)
    gained = exact.occupations(2.0) - exact.occupations(0.0)
    np.testing.assert_allclose(field.quanta[:, 0], gained, atol=1e-9)
    each = jnp.diagonal(field.per_coupling[:, 0]) * COUPLINGS**2
    np.testing.assert_allclose(each, gained, atol=1e-9)


def test_error_estimates_are_honest():
    ts = jnp.array([1.0, 2.0])
    rough, fine = (
        bx.reservoir_occupation(QUBIT, STATE, ts, W, bx.Hierarchy(depth=depth)) for depth in (3, 12)
    )
    assert rough.status == bx.Status.TOLERANCE_NOT_REACHED
    for name in ("per_coupling", "per_coupling_rate", "quanta", "quanta_rate"):
        error = jnp.abs(getattr(rough, name) - getattr(fine, name))
        assert jnp.all(error <= 2.0 * getattr(rough.error, name)), name


@pytest.mark.slow
def test_gradient_and_bad_points_inside_jit():
    solver = bx.Hierarchy(depth=3, steps=64)

    def gained(v):
        bath = bx.Reservoir(bx.DiscreteModes([0.8], jnp.stack([v])), TEMPERATURE)
        field = bx.reservoir_occupation(bx.Qubit(1.0, bath), STATE, [1.0], [0.8], solver)
        return field.quanta[0, 0], field.status

    slope, _ = jax.jit(jax.grad(gained, has_aux=True))(0.2)
    values = jax.jit(gained)
    difference = (values(0.2 + 1e-4)[0] - values(0.2 - 1e-4)[0]) / 2e-4
    assert float(slope) == pytest.approx(float(difference), rel=1e-6)
    number, status = values(jnp.inf)
    assert jnp.isnan(number)
    assert status == bx.Status.INVALID


BAD = [
    ([1.0], [], "frequencies", "a list of at least one frequency, but is of shape (0,)."),
    ([1.0], [jnp.inf], "frequencies", "finite, but is inf at index 0."),
    ([1.0], [0.0], "frequencies", "where every occupation is finite, but is [0.]."),
    ([2.0, 1.0], [1.0], "ts", "increasing, but is 1 at index 1."),
]


@pytest.mark.parametrize(("ts", "frequencies", "name", "words"), BAD)
def test_refusals(ts, frequencies, name, words):
    with pytest.raises(ValueError, match=name) as caught:
        bx.reservoir_occupation(QUBIT, STATE, ts, frequencies)
    assert str(caught.value) == f"Argument `{name}` must be {words}"
