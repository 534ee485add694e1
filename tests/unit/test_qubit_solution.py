"""`solve` for a qubit: closed forms of the Lorentzian vacuum (AHZ Fig. 6), constant rates."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy.linalg import logm

import bathax as bx
from bathax.qubit.elements import MapElements, MapSolver
from tests.unit.qubit.maps import returned

W, LAM = 1.0, 1.0
TS = jnp.linspace(0.0, 12.0, 49)
REGIMES = {"weak": LAM / 5.0, "strong": 5.0 * LAM}


class Lorentzian(MapSolver):
    """|u|^2 and u in closed form for one Lorentzian at w_s in the vacuum, in units of its width."""

    error: float = 0.0

    def map_elements(self, qubit, ts):
        density = qubit.reservoirs[0].spectral_density
        lam, gamma0 = density.width.astype(complex), density.gamma0.astype(complex)
        g = jnp.sqrt(lam**2 - 2.0 * gamma0 * lam)
        x = 0.5 * g * ts.astype(complex)
        turn = jnp.exp((-1j * qubit.frequency.astype(complex) - 0.5 * lam) * ts.astype(complex))
        u = turn * (jnp.cosh(x) + lam / g * jnp.sinh(x))
        # (d/dt + i w_s) u = -gamma0 (lam / g) e^{-lam t / 2} sinh(g t / 2) e^{-i w_s t}
        du = -1j * qubit.frequency.astype(complex) * u - turn * gamma0 * lam / g * jnp.sinh(x)
        p, dp = (u * u.conj()).real, 2.0 * (u.conj() * du).real
        one = jnp.ones_like(ts)
        value = MapElements(p, one, u, dp, jnp.zeros_like(ts), du)
        error = jax.tree.map(lambda x: jnp.full(x.shape, self.error + 1e-15), value)
        return returned(ts, value, error)


class Wrong(Lorentzian):
    """The same, wrong by its stated error."""

    def map_elements(self, qubit, ts):
        right = super().map_elements(qubit, ts)
        signs = jnp.where(jnp.arange(ts.size) % 2 == 0, 1.0, -1.0) * self.error
        value = jax.tree.map(lambda x: x + signs.astype(x.dtype), right.value)
        return returned(ts, value, right.error)


class VanHove(MapSolver):
    """Constant rates gamma (n + 1) and gamma n at the frequency of the qubit."""

    gamma: float = 0.1
    n: float = 0.5

    def map_elements(self, qubit, ts):
        total = self.gamma * (2.0 * self.n + 1.0)
        p, decay = self.n / (2.0 * self.n + 1.0), jnp.exp(-total * ts)
        rate = 0.5 * total + 1j * qubit.frequency.astype(complex)
        c = jnp.exp(-rate * ts.astype(complex))
        up, down = p + (1.0 - p) * decay, 1.0 - p + p * decay
        value = MapElements(up, down, c, total * (p - up), total * (1.0 - p - down), -rate * c)
        error = jax.tree.map(lambda x: jnp.full(x.shape, 1e-15), value)
        return returned(ts, value, error)


def atom(gamma0=REGIMES["weak"], width=LAM, frequency=W):
    return bx.Qubit(frequency, bx.Reservoir(bx.Lorentzian(gamma0, width, frequency)))


def exact_excited(gamma0, t):
    """p, E, S, T, F and the rates from u(t) with 40 digits (AHZ Eqs. 23-25)."""
    with mpmath.workdps(40):
        lam, gamma0 = mpmath.mpf(LAM), mpmath.mpf(float(gamma0))

        def p(t):
            g = mpmath.sqrt(mpmath.mpc(lam**2 - 2 * gamma0 * lam))
            u = mpmath.exp(-lam * t / 2) * (
                mpmath.cosh(g * t / 2) + lam / g * mpmath.sinh(g * t / 2)
            )
            return mpmath.re(u) ** 2

        def entropy(t):
            return -p(t) * mpmath.log(p(t)) - (1 - p(t)) * mpmath.log(1 - p(t))

        t = mpmath.mpf(float(t))
        temperature = W / mpmath.log((1 - p(t)) / p(t))
        values = (p(t), W * p(t), entropy(t), temperature, W * p(t) - temperature * entropy(t))
        rates = (W * mpmath.diff(p, t), mpmath.diff(entropy, t))
        return [float(x) for x in (*values, *rates)]


NAMES = ("number", "energy", "entropy", "temperature", "free_energy", "energy_rate", "entropy_rate")


@pytest.mark.slow
@pytest.mark.parametrize("regime", REGIMES)
def test_excited_atom_follows_the_closed_form(regime):
    gamma0 = REGIMES[regime]
    solution = bx.solve(atom(gamma0), bx.Excited(), TS, Lorentzian())
    expected = np.array([exact_excited(gamma0, t) for t in TS[1:]]).T
    for name, exact in zip(NAMES, expected, strict=True):
        value, error = getattr(solution, name)[1:], getattr(solution.error, name)[1:]
        assert np.all(np.abs(value - exact) <= 4.0 * error + 1e-15), name
        np.testing.assert_allclose(value, exact, rtol=1e-9, atol=1e-14)
    assert jnp.all(solution.temperature_resolved)
    np.testing.assert_array_equal(solution.chemical_potential, W)


def test_excited_atom_at_the_start():
    solution = bx.solve(atom(), bx.Excited(), [0.0], Lorentzian())
    start = [getattr(solution, name)[0] for name in NAMES]
    np.testing.assert_array_equal(start, [1.0, W, 0.0, 0.0, W, 0.0, 0.0])
    assert solution.error.temperature[0] == 0.0


@pytest.mark.parametrize(("gamma0", "poles"), [(LAM / 5.0, 1), (5.0 * LAM, 1), (50.0 * LAM, 3)])
def test_temperature_goes_through_infinity_where_half_is_left(gamma0, poles):
    """T: -0 -> -inf, +inf -> 0, and back where the coupling is so strong that p = 1/2 returns."""
    ts = jnp.linspace(0.0, 8.0, 1601)
    solution = bx.solve(atom(gamma0), bx.Excited(), ts, Lorentzian())
    inverted = solution.number > 0.5
    np.testing.assert_array_equal(solution.temperature[1:] < 0.0, inverted[1:])
    assert int(jnp.sum(jnp.diff(inverted))) == poles
    assert jnp.max(jnp.abs(solution.temperature)) > 30.0


@pytest.mark.slow
def test_an_exact_pole_is_infinite_and_harmless():
    state, ts = bx.QubitState(np.diag([0.5, 0.5])), [0.0, 1.0]

    def solved(gamma0):
        return bx.solve(atom(gamma0), state, ts, Lorentzian())

    solution = solved(0.2)
    assert solution.temperature[0] == jnp.inf
    assert solution.free_energy[0] == -jnp.inf
    assert solution.error.temperature[0] == jnp.inf
    numbers = [x for x in jax.tree.leaves(solution) if x.dtype == float]
    assert not any(bool(jnp.any(jnp.isnan(x))) for x in numbers)

    def later(gamma0):
        solution = solved(gamma0)
        return {name: getattr(solution, name)[1] for name in ("temperature", "free_energy")}

    for name, slope in jax.jit(jax.jacrev(later))(0.2).items():
        assert jnp.isfinite(slope), name


COHERENT = {
    "pure": bx.Bloch(0.6, 0.0, 0.8),
    "mixed": bx.Bloch(0.3, -0.4, 0.5),
    "equator": bx.Bloch(1.0, 0.0, 0.0),
}


@pytest.mark.parametrize("name", COHERENT)
def test_coherent_states_against_their_matrix(name):
    """Entropy by a matrix logarithm; rates by differences of the library's own E and S."""
    step = 1e-4
    ts = jnp.array([1.0, 4.0, 9.0])
    grid = jnp.concatenate([ts[:, None] + jnp.array([[-step, 0.0, step]])]).reshape(-1)
    solution = bx.solve(atom(), COHERENT[name], grid, VanHove())
    rho = solution.density_matrix()
    np.testing.assert_allclose(jnp.trace(rho, axis1=1, axis2=2), 1.0, atol=1e-15)
    np.testing.assert_allclose(rho[:, 1, 0], solution.coherence)
    np.testing.assert_allclose(rho[:, 1, 1].real, solution.populations[:, 1])
    exact = [-np.trace(one @ logm(one)).real for one in np.asarray(rho)]
    np.testing.assert_allclose(solution.entropy, exact, rtol=1e-12)
    for quantity in ("energy", "entropy"):
        values = getattr(solution, quantity).reshape(-1, 3)
        slopes = (values[:, 2] - values[:, 0]) / (2.0 * step)
        np.testing.assert_allclose(getattr(solution, f"{quantity}_rate")[1::3], slopes, rtol=1e-7)
    ratio = solution.energy_rate / solution.entropy_rate
    np.testing.assert_allclose(solution.temperature, ratio, rtol=1e-14)
    free = solution.energy - solution.temperature * solution.entropy
    np.testing.assert_allclose(solution.free_energy, free, rtol=1e-13)


def test_steady_state_of_a_coherent_state_has_the_limit():
    """T is that of the steady state, though E'/S' has another limit: p and |rho_10|^2 decay alike.

    With kappa = |rho_10|^2 / (p - p_eq), constant here, E'/S' -> w_s / (S_d (1 - 2 p_eq - kappa)).
    """
    solution = bx.solve(atom(), COHERENT["mixed"], [40.0, 400.0, 4000.0], VanHove())
    np.testing.assert_array_equal(solution.temperature_resolved, [True, False, False])
    np.testing.assert_allclose(solution.temperature[1:], 1.0 / np.log(3.0), rtol=1e-12)
    kappa, slope = 0.0625 / (0.75 - 0.25), np.log(3.0) / 0.5
    np.testing.assert_allclose(solution.temperature[0], 1.0 / (slope * (0.5 - kappa)), rtol=2e-3)
    np.testing.assert_array_equal(solution.error.temperature[1:], np.inf)


@pytest.mark.parametrize("name", COHERENT)
def test_the_start_of_a_coherent_state(name):
    """T = 0 for a pure state; a mixed one has the limit at fixed coherence, which is a guess."""
    solution = bx.solve(atom(), COHERENT[name], [0.0, 1e-3], Lorentzian())
    np.testing.assert_array_equal(solution.temperature_resolved, [False, True])
    if name == "mixed":
        r = np.sqrt(0.5)
        expected = -W * r / (0.5 * 2.0 * np.arctanh(r))
        np.testing.assert_allclose(solution.temperature[0], expected, rtol=1e-12)
        assert solution.error.temperature[0] == np.inf
    else:
        assert solution.temperature[0] == 0.0
        assert solution.error.temperature[0] < 0.1


def test_a_pure_state_that_decays_at_once_has_an_infinite_entropy_rate():
    """Constant rates do not know the quadratic start; T is 0, and S' beyond any number."""
    for state in (bx.Excited(), COHERENT["pure"]):
        solution = bx.solve(atom(), state, [0.0, 1.0], VanHove())
        assert solution.temperature[0] == 0.0
        assert solution.error.entropy_rate[0] == jnp.inf


@pytest.mark.parametrize("state", [bx.Excited(), bx.Bloch(0.3, -0.4, 0.5), bx.Bloch(0.6, 0.0, 0.8)])
def test_errors_cover_a_wrong_map(state):
    """A map that is wrong by its stated error changes no quantity by more than is said."""
    truth = jax.device_get(bx.solve(atom(), state, TS[1:], Lorentzian()))
    for size in (1e-10, 1e-6, 1e-3):
        wrong = jax.device_get(bx.solve(atom(), state, TS[1:], Wrong(error=size)))
        for name in (*NAMES, "coherence"):
            miss = np.abs(getattr(wrong, name) - getattr(truth, name))
            claim = getattr(wrong.error, name) + 2.0 * getattr(truth.error, name)
            assert np.all((miss <= 1.01 * claim) | np.isinf(claim)), (name, size)


# --- Transformations ---------------------------------------------------------------------------


def final(parameters, state=None):
    gamma0, width, z = parameters
    state = bx.Bloch(0.3, 0.1, z) if state is None else state
    solution = bx.solve(atom(gamma0, width), state, [0.5, 6.0], Lorentzian())
    return jnp.stack([getattr(solution, n)[1] for n in ("entropy", "temperature", "free_energy")])


POINT = np.array([0.3, 1.2, 0.4])


@pytest.mark.slow
@pytest.mark.parametrize("state", [None, bx.Excited()], ids=["coherent", "excited"])
def test_first_and_second_derivatives_against_differences(state):
    def f(x):
        return final(x, state)

    @jax.jit
    @jax.vmap
    def value_and_first(x):
        return f(x), jax.jacrev(f)(x)

    def difference(values, step):
        """Of fourth order, from values at steps of 2, 1, -1, -2 along each of the three axes."""
        far_above, above, below, far_below = np.split(values, 4)
        near, wide = (above - below) / (2.0 * step), (far_above - far_below) / (4.0 * step)
        return np.moveaxis((4.0 * near - wide) / 3.0, 0, -1)

    step = 1e-3
    moved = np.concatenate([POINT + k * step * np.eye(3) for k in (2.0, 1.0, -1.0, -2.0)])
    values, first = jax.device_get(value_and_first(np.concatenate([moved, POINT[None]])))
    second = jax.jit(jax.jacfwd(jax.jacrev(f)))(POINT)
    np.testing.assert_allclose(first[-1], difference(values[:-1], step), rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(second, difference(first[:-1], step), rtol=1e-7, atol=1e-8)


def test_eager_jit_and_vmap_agree():
    points = np.stack([POINT, 1.1 * POINT])
    eager = np.stack([final(x) for x in points])
    np.testing.assert_allclose(jax.jit(final)(POINT), eager[0], rtol=1e-12)
    np.testing.assert_allclose(jax.jit(jax.vmap(final))(points), eager, rtol=1e-12)


def test_a_bad_point_of_a_batch_leaves_the_others_alone():
    def solved(z):
        return bx.solve(atom(), bx.Bloch(0.6, 0.0, z), TS[:3], Lorentzian())

    batch = jax.jit(jax.vmap(solved))(jnp.array([0.8, 0.9, jnp.nan]))
    np.testing.assert_array_equal(batch.status, [0, 2, 2])
    for name in (*NAMES, "coherence"):
        known = [
            ~jnp.isnan(x).any(axis=1) for x in (getattr(batch, name), getattr(batch.error, name))
        ]
        np.testing.assert_array_equal(known, [[True, False, False]] * 2)


# --- What does not fit together ----------------------------------------------------------------

MIXED_UP = [
    (
        lambda: bx.solve(atom(), bx.Fock(1), TS, Lorentzian()),
        "Argument `initial` must be a state of a qubit, like `Excited()`, but is a `Mixture`.",
    ),
    (
        lambda: bx.solve(bx.Cavity(1.0, atom().reservoirs), bx.Excited(), TS),
        "Argument `initial` must be a state of a cavity, like `Fock(1)`, but is a `QubitState`.",
    ),
    (
        lambda: bx.solve(atom(), bx.Excited(), TS, bx.Volterra()),
        "Argument `solver` must be a solver of a qubit, like `Hierarchy()`, which is exact, but is "
        "a `Volterra`.",
    ),
    (
        lambda: bx.solve(bx.Cavity(1.0, atom().reservoirs), bx.Fock(1), TS, Lorentzian()),
        "Argument `solver` must be a solver of a cavity, like `Volterra()`, but is a `Lorentzian`.",
    ),
    (
        lambda: bx.solve(atom().reservoirs[0], bx.Excited(), TS),
        "Argument `system` must be a `Cavity`, a `Qubit` or a `LinearSystem`, but is a "
        "`Reservoir`.",
    ),
]


@pytest.mark.parametrize(("call", "sentence"), MIXED_UP)
def test_a_wrong_combination_is_one_sentence(call, sentence):
    with pytest.raises(ValueError, match="Argument") as caught:
        call()
    assert str(caught.value) == sentence


# --- a tolerance that is not reached -----------------------------------------------------------

COARSE = bx.Hierarchy(rtol=1e-9, depth=2, modes=3)


def warm():
    return bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.02, 5.0), 0.5))


CALLS = {
    "solve": lambda **how: bx.solve(warm(), bx.Excited(), [1.0, 2.0], COARSE, **how),
    "dynamical_map": lambda **how: bx.dynamical_map(warm(), [1.0, 2.0], COARSE, **how),
    "steady_state": lambda **how: bx.steady_state(warm(), COARSE, 2.0, **how),
    "reservoir_occupation": lambda **how: bx.reservoir_occupation(
        warm(), bx.Excited(), [1.0], [1.0], COARSE, **how
    ),
    "least_determinant": lambda **how: bx.least_determinant(warm(), [1.0, 2.0], COARSE, **how),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_one_convention_for_failure(name):
    """A warning and the result, or an exception where it is wanted."""
    with pytest.warns(bx.ToleranceWarning, match="tolerance was not reached"):
        found = CALLS[name]()
    assert jnp.isfinite(found if name == "least_determinant" else found.status)
    with pytest.raises(bx.ToleranceError, match="tolerance was not reached"):
        CALLS[name](throw=True)
