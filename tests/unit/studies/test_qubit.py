"""The cases of the qubit: parameters, closed forms and the measures taken on their maps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.qubit.elements import MapElements, MapEstimate, MapSolver
from bathax.studies import qubit

SKETCH = qubit.Effort(
    times=21,
    vacuum=bx.Vacuum(bx.Volterra(rtol=1e-4, points=2**10)),
    weak=bx.VanHove(),
    strong=bx.VanHove(),
    single=bx.Hierarchy(depth=8, modes=1),
    field=bx.Hierarchy(depth=3, modes=6),
    exchanged=4.0,
)


class Populations(MapSolver):
    """A map with D of a function of time and a final population, and one error for everything."""

    d: object
    final: object = 0.25
    error: object = 1e-9

    def map_elements(self, qubit, ts):  # noqa: ARG002
        d, slope = jax.vmap(lambda t: jax.jvp(self.d, (t,), (jnp.ones(()),)))(ts)
        p, q = self.final, 1.0 - self.final
        c = jnp.exp(-1j * ts.astype(complex))
        value = MapElements(ts, p + q * d, q + p * d, c, q * slope, p * slope, -1j * c)
        error = jax.tree.map(lambda x: jnp.full(x.shape, self.error), value)
        return MapEstimate(value, error, jnp.asarray(0))


def mapped(d, stop=12.0, times=121):
    ts = jnp.linspace(0.0, stop, times)
    return bx.dynamical_map(qubit.ohmic_qubit(0.1, 1.0), ts, Populations(d))


@pytest.fixture(scope="module")
def relaxations():
    return qubit.relaxation(SKETCH._replace(vacuum=bx.VanHove()))


@pytest.mark.parametrize(("temperature", "boltzmann"), [(0.0, 0.0), (1.0, 0.2689414213699951)])
def test_golden_rule_is_the_van_hove_limit(temperature, boltzmann):
    dmap = bx.dynamical_map(qubit.ohmic_qubit(0.02, temperature), jnp.asarray([1.0]), bx.VanHove())
    rate = qubit.golden_rule(0.02, temperature)
    assert dmap.gamma_minus[0] + dmap.gamma_plus[0] == pytest.approx(rate)
    assert qubit.boltzmann(temperature) == pytest.approx(boltzmann)
    assert dmap.gamma_plus[0] / rate == pytest.approx(boltzmann)


@pytest.mark.parametrize("ratio", qubit.REGIMES)
def test_figure_6_is_the_closed_form(ratio):
    solution = qubit.figure_6(SKETCH)[ratio]
    assert len(solution.t) == 41
    x = qubit.WIDTH * solution.t.astype(complex)
    g = np.sqrt(complex(1.0 - 2.0 * ratio))
    u = jnp.exp(-0.5 * x) * (jnp.cosh(0.5 * g * x) + jnp.sinh(0.5 * g * x) / g)
    np.testing.assert_allclose(solution.number, jnp.abs(u) ** 2, atol=1e-5)


def test_relaxation_has_every_case(relaxations):
    assert tuple(relaxations.couplings) == qubit.COUPLINGS
    assert relaxations.temperatures[1.0] is relaxations.couplings[qubit.MODERATE]
    for case in (*relaxations.couplings.values(), *relaxations.temperatures.values()):
        assert case.exact.t.shape == (21,)
        assert case.exact.determinant[0] == pytest.approx(1.0)


def test_golden_rule_gives_the_lifetimes(relaxations):
    for case in relaxations.couplings.values():
        assert case.lifetime() * case.rate == pytest.approx(1.0, rel=0.05)
        assert case.deviation() == 0.0
    assert relaxations.exponent() == pytest.approx(-1.0, abs=0.03)


@pytest.mark.parametrize(("eta", "temperature"), [(0.02, 0.0), (0.002, 1.0), (0.1, 1.0)])
def test_solver_of_each_case(eta, temperature):
    cold, weak, strong = qubit.FULL.vacuum, qubit.FULL.weak, qubit.FULL.strong
    expected = cold if temperature == 0.0 else weak if eta < 0.01 else strong
    assert qubit.FULL.solver(eta, temperature) is expected


def test_a_small_hierarchy_relaxes_like_the_golden_rule():
    ts = jnp.linspace(0.0, 40.0, 41)
    small = bx.Hierarchy(rtol=1e-2, depth=3, modes=5)
    exact = bx.dynamical_map(qubit.ohmic_qubit(0.005, 1.0), ts, small)
    case = qubit.Relaxation(0.005, 1.0, exact, exact)
    assert case.lifetime() * case.rate == pytest.approx(1.0, rel=0.05)


def test_final_population_is_that_of_the_fixed_point():
    exact = mapped(lambda t: jnp.exp(-t))
    case = qubit.Relaxation(0.1, 1.0, exact, exact)
    assert case.final().value == pytest.approx(0.25)
    assert case.shift().value == pytest.approx(0.25 - qubit.boltzmann(1.0))
    assert 0.0 < case.shift().error < 1e-6
    assert case.lifetime() == pytest.approx(1.0, abs=1e-3)
    assert case.deviation() == 0.0


def test_no_lifetime_without_decay():
    case = mapped(lambda t: 1.0 - 0.01 * t, stop=1.0)
    assert np.isnan(qubit.Relaxation(0.1, 1.0, case, case).lifetime())


def test_first_zero_is_between_samples_and_beyond_the_error():
    crossing = mapped(lambda t: jnp.exp(-0.1 * t) * jnp.cos(0.5 * t))
    assert qubit.first_zero(crossing) == pytest.approx(np.pi, abs=1e-3)
    noise = mapped(lambda t: jnp.exp(-t) - 1e-11 * t, stop=40.0)
    assert np.isnan(qubit.first_zero(noise))


def test_first_rise():
    assert qubit.first_rise(mapped(lambda t: jnp.exp(-t))) is None
    rise = qubit.first_rise(mapped(lambda t: 0.5 + 0.5 * jnp.cos(t)))
    assert rise.time == pytest.approx(np.pi, abs=0.1)
    assert rise.determinant == pytest.approx(0.0, abs=3e-3)


def test_one_mode_with_loss_passes_zero():
    mode = qubit.memory(SKETCH._replace(times=31)).mode
    assert qubit.first_zero(mode) == pytest.approx(15.7, abs=0.3)
    # At t = 20, by diagonalisation of one damped mode.
    assert mode.determinant[10] == pytest.approx(-0.0279535917366179, abs=1e-6)


@pytest.fixture(scope="module")
def exchanged():
    return qubit.exchange(SKETCH)


def test_the_reservoir_gains_on_resonance_what_the_atom_loses(exchanged):
    moderate, weak = exchanged
    assert moderate.t.shape == (21,)
    lost = 1.0 - moderate.excited_population[-1]
    np.testing.assert_allclose(moderate.quanta[0, -1], lost, atol=1e-3)
    n, t = qubit.FILLING, float(weak.t[-1])
    assert qubit.gain_of_mode(weak, 1.0)[-1] == pytest.approx((n + 1.0) * t**2, rel=0.15)
    assert qubit.resonant_share(weak, 0.5) < qubit.resonant_share(weak, 1.0) < 1.0
    assert qubit.off_resonance(weak) < 0.4 * qubit.off_resonance(moderate)


def test_a_mode_off_resonance_returns_after_one_period(exchanged):
    time, left = qubit.first_return(exchanged.weak, 3.0)
    assert time == pytest.approx(np.pi, abs=0.2)
    assert 0.0 < left < 0.1
