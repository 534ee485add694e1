"""A qubit with a few modes against sums, a matrix exponential, and the hierarchy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

import bathax as bx
from bathax.qubit.dynamical_map import default_solver
from bathax.qubit.exact_diagonalisation import Modes

from .test_hierarchy import jaynes_cummings

TS = jnp.array([0.7, 3.0, 8.0])
# Frequencies and couplings of two modes, temperature, frequency of the qubit.
POINT = jnp.array([0.8, 1.3, 0.1, 0.15, 0.25, 1.0])
DEGENERATE = jnp.array([1.0, 1.0, 0.1, 0.1, 0.25, 1.0])
FIXED = bx.ExactDiagonalisation(quanta=5)


def qubit(point):
    modes = bx.DiscreteModes(point[:2], point[2:4])
    return bx.Qubit(point[5], bx.Reservoir(modes, point[4]))


@jax.jit
def elements(point, ts=TS):
    found = FIXED.map_elements(qubit(point), ts).value
    parts = (found.p11, found.p00, found.c, found.dp11, found.dp00, found.dc)
    return jnp.stack([part.astype(complex) for part in parts])


jacobian = jax.jit(jax.jacfwd(elements))


def brute_force(point, quanta=5, mixtures=None):
    """P11, P00 and c of states with at most so many quanta, of modes with levels to spare.

    The modes are thermal, or in `mixtures` of Fock states.
    """
    w1, w2, v1, v2, kT, splitting = map(float, point)
    lower = [np.diag(np.sqrt(np.arange(1.0, n)), 1) for n in (2, quanta + 2, quanta + 2)]
    units = [np.eye(len(a)) for a in lower]
    s, b1, b2 = (
        np.kron(np.kron(*(lower[j] if j == k else units[j] for j in (0, 1))), units[2])
        if k < 2
        else np.kron(np.kron(units[0], units[1]), lower[2])
        for k in range(3)
    )
    hop = s.T @ (v1 * b1 + v2 * b2)
    h = splitting * s.T @ s + w1 * b1.T @ b1 + w2 * b2.T @ b2 + hop + hop.T
    n1, n2 = np.divmod(np.arange((quanta + 2) ** 2), quanta + 2)
    chance = np.exp(-(w1 * n1 + w2 * n2) / kT) * np.expm1(-w1 / kT) * np.expm1(-w2 / kT)
    if mixtures is not None:
        one, two = (np.pad(p, (0, quanta + 2 - len(p))) for p in mixtures)
        chance = one[n1] * two[n2]
    field = np.diag(np.where(n1 + n2 <= quanta, chance, 0.0))

    def traced(start, watched, u):
        return np.trace(
            np.kron(watched, np.eye(len(field))) @ u @ np.kron(start, field) @ u.conj().T
        )

    ground, excited = np.diag([1.0, 0.0]), np.diag([0.0, 1.0])
    raised = np.array([[0.0, 0.0], [1.0, 0.0]])
    pairs = ((excited, excited), (ground, ground), (raised, raised.T))
    evolutions = [scipy.linalg.expm(-1j * h * t) for t in np.asarray(TS)]
    return np.array([[traced(*pair, u) for u in evolutions] for pair in pairs])


@pytest.mark.parametrize("point", [POINT, DEGENERATE], ids=["apart", "degenerate"])
def test_matrix_exponential(point):
    np.testing.assert_allclose(elements(point)[:3], brute_force(point), rtol=0, atol=1e-12)


def test_time_derivatives():
    """The rates of change against eighth-order differences, and the derivative by the times."""
    step = 0.02
    pairs = ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280))
    change = sum(
        w * (elements(POINT, TS + k * step) - elements(POINT, TS - k * step)) for k, w in pairs
    )
    np.testing.assert_allclose(elements(POINT)[3:], change[:3] / step, rtol=0, atol=1e-10)
    _, by_time = jax.jvp(lambda ts: elements(POINT, ts), (TS,), (jnp.ones_like(TS),))
    np.testing.assert_allclose(by_time, change / step, rtol=0, atol=1e-10)


@pytest.mark.parametrize("point", [POINT, DEGENERATE], ids=["apart", "degenerate"])
def test_gradients(point):
    """Against eighth-order differences, also where eigenvalues coincide."""
    exact = jacobian(point)
    pairs = ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280))
    for k, scale in enumerate((1e-2, 1e-2, 2e-3, 2e-3, 2e-3, 1e-2)):
        along = jnp.zeros(6).at[k].set(scale)
        change = sum(
            w * (elements(point + j * along) - elements(point - j * along)) for j, w in pairs
        )
        np.testing.assert_allclose(exact[..., k], change / scale, rtol=0, atol=1e-8)


@pytest.mark.slow
def test_reverse_mode_batches_and_bad_points():
    def p11(point):
        return elements(point)[0, -1].real

    points = jnp.stack([POINT, DEGENERATE, POINT.at[4].set(-1.0)])
    batch = jax.jit(jax.vmap(elements))(points)
    np.testing.assert_allclose(batch[1], elements(DEGENERATE), rtol=0, atol=1e-13)
    assert jnp.all(jnp.isnan(batch[2].real))
    forward = jacobian(DEGENERATE)[0, -1].real
    reverse = jax.jit(jax.grad(p11))
    np.testing.assert_allclose(reverse(DEGENERATE), forward, rtol=0, atol=1e-12)
    assert jnp.all(jnp.isnan(jax.jit(jax.jacfwd(reverse))(POINT)[2:4]))


@pytest.mark.parametrize("w", [1.0, 1.3])
def test_one_thermal_mode_at_late_times(w):
    ts = np.array([0.0, 3.0, 5000.0])
    bath = bx.Reservoir(bx.DiscreteModes([w], [0.1]), temperature=1.0)
    dmap = bx.dynamical_map(bx.Qubit(1.0, bath), ts, bx.ExactDiagonalisation(rtol=1e-11))
    for value, exact in zip(
        (dmap.p11, dmap.p00, dmap.coherence), jaynes_cummings(ts, 0.1, w, 1.0), strict=True
    ):
        np.testing.assert_allclose(value, exact, rtol=0, atol=2e-11)
    assert dmap.status == bx.Status.SUCCESS


def mixed(probabilities, w=1.0, V=0.1):
    bath = bx.Reservoir(bx.DiscreteModes([w], [V]), occupation=bx.FockMixture(probabilities))
    return bx.Qubit(1, bath)


@pytest.mark.parametrize("p", [[0, 0, 1], [0.5, 0.0, 0.3, 0.2], [1]])
def test_one_mode_in_a_mixture_of_fock_states(p):
    """Sums over Rabi oscillations, at resonance."""
    dmap = bx.dynamical_map(mixed(p), TS)
    n, t = np.arange(len(p)), np.asarray(TS)[:, None]
    below, above = (np.cos(0.1 * np.sqrt(n + k) * t) for k in (0, 1))
    for found, each in ((dmap.p11, above**2), (dmap.p00, below**2)):
        np.testing.assert_allclose(found, each @ p, rtol=0, atol=1e-12)
    turned = (above * below @ p) * np.exp(-1j * np.asarray(TS))
    np.testing.assert_allclose(dmap.coherence, turned, rtol=0, atol=1e-12)
    assert dmap.status == 0
    assert jnp.max(dmap.error.p11) < 1e-12


def test_two_modes_in_mixtures_of_fock_states():
    mixtures = np.array([0.1, 0.0, 0.9]), np.array([0.3, 0.5, 0.0, 0.2])
    baths = [
        bx.Reservoir(bx.DiscreteModes([w], [V]), occupation=bx.FockMixture(p))
        for w, V, p in zip(POINT[:2], POINT[2:4], mixtures, strict=True)
    ]
    dmap = bx.dynamical_map(bx.Qubit(POINT[5], baths), TS)
    found = jnp.stack([dmap.p11.astype(complex), dmap.p00.astype(complex), dmap.coherence])
    np.testing.assert_allclose(found, brute_force(POINT, 5, mixtures), rtol=0, atol=1e-12)


@pytest.mark.slow
def test_a_mixture_of_geometric_chances_is_thermal():
    """And its derivative by the chances is that of the oscillations."""
    p = np.exp(-2.0 * np.arange(40)) * -np.expm1(-2.0)
    thermal = bx.Qubit(1, bx.Reservoir(bx.DiscreteModes([1.0], [0.1]), temperature=0.5))
    solver = bx.ExactDiagonalisation(rtol=1e-13)
    found, expected = (bx.dynamical_map(one, TS, solver) for one in (mixed(p), thermal))
    np.testing.assert_allclose(found.coherence, expected.coherence, rtol=0, atol=1e-12)

    def p11(x):
        return bx.dynamical_map(mixed(jnp.stack([1.0 - x, x])), TS, FIXED).p11[1]

    t = float(TS[1])
    slope = np.cos(0.1 * np.sqrt(2.0) * t) ** 2 - np.cos(0.1 * t) ** 2
    assert float(jax.grad(p11)(0.3)) == pytest.approx(slope, abs=1e-12)
    batch = jax.jit(jax.vmap(p11))(jnp.array([0.3, 1.5]))
    assert jnp.isnan(batch).tolist() == [False, True]


def test_other_solvers_refuse_mixtures_of_fock_states():
    bath = mixed([0.0, 1.0]).reservoirs
    for solve in (
        lambda: bx.dynamical_map(mixed([0.0, 1.0]), TS, bx.Hierarchy()),
        lambda: bx.dynamical_map(mixed([0.0, 1.0]), TS, bx.Vacuum()),
        lambda: bx.solve(bx.Cavity(1.0, bath), bx.Fock(0), TS),
        lambda: bx.solve(bx.Cavity(1.0, bath), bx.Fock(0), TS, bx.Volterra()),
    ):
        with pytest.raises(ValueError, match=r"Gaussian|empty|T = 0"):
            solve()
    with pytest.raises(ValueError, match="sum to 1"):
        bx.FockMixture([0.5, 0.6])


@pytest.mark.slow
def test_the_estimate_is_what_is_left_out():
    """Few quanta miss what more of them have; the hierarchy agrees within both estimates."""
    system = qubit(POINT)
    few = bx.dynamical_map(system, TS, bx.ExactDiagonalisation(quanta=2))
    more = bx.dynamical_map(system, TS)
    hierarchy = bx.dynamical_map(system, TS, bx.Hierarchy())
    assert few.status == bx.Status.TOLERANCE_NOT_REACHED
    for name in ("p11", "p00", "coherence", "dp11", "dp00", "dcoherence"):
        for other in (few, hierarchy):
            error = jnp.abs(getattr(other, name) - getattr(more, name))
            assert jnp.all(error <= getattr(other.error, name) + getattr(more.error, name)), name


def test_where_it_is_the_default():
    assert isinstance(default_solver(qubit(POINT)), bx.ExactDiagonalisation)
    hot = qubit(POINT.at[4].set(300.0))
    assert isinstance(default_solver(hot), bx.Hierarchy)
    solver = bx.ExactDiagonalisation(max_size=20)
    assert solver.kept(Modes.of(hot)) == 8
    ohmic = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), 1.0))
    with pytest.raises(ValueError, match="must be `DiscreteModes`"):
        bx.dynamical_map(ohmic, TS, solver)
