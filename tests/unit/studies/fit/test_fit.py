"""A fit finds what linear algebra and SciPy find, and knows how well."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optimistix as optx
import pytest
from scipy import stats
from scipy.optimize import curve_fit, least_squares

import bathax as bx
from bathax.studies import sizes as study_sizes
from bathax.studies.fit import sizes as fit_sizes
from bathax.studies.fit.search import linear_at

TIMES = np.linspace(0.0, 4.0, 30)
TRUTH = {"height": 2.0, "rate": 0.7}
RNG = np.random.default_rng(3)
NOISE = 0.05 * RNG.normal(size=30)


def decay(height, rate):
    return {"value": height * jnp.exp(-rate * TIMES)}


def curve(t, height, rate):
    return height * np.exp(-rate * t)


DATA = bx.Data(TIMES, value=(curve(TIMES, **TRUTH) + NOISE, 0.05))
START = {"height": 1.0, "rate": 1.0}


@pytest.fixture(scope="module")
def found():
    return bx.fit(decay, DATA, START)


def by_scipy(*errors, **options):
    tolerances = {"xtol": 1e-14, "ftol": 1e-14}
    return curve_fit(curve, TIMES, DATA.values["value"], [1, 1], *errors, **options, **tolerances)


def test_parameters_and_covariance_are_those_of_scipy(found):
    best, covariance = by_scipy(np.full(30, 0.05), absolute_sigma=True)
    assert found.converged
    assert found.agreeing == 6
    assert found.labels == ["height", "rate"]
    np.testing.assert_allclose([*found.parameters.values()], best, rtol=1e-7)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-5)
    assert found.freedom == 28
    assert 0.01 < found.p_value < 0.99
    assert abs(found.serial_correlation) < 3.0


def test_without_errors_chi_squared_gives_them(found):
    free = bx.fit(decay, bx.Data(TIMES, value=DATA.values["value"]), START)
    _, covariance = by_scipy()
    np.testing.assert_allclose(free.covariance, covariance, rtol=1e-5)
    # -2 ln L of normal errors of the most probable size, but for n (1 + ln 2 pi).
    spread = np.sqrt(free.chi2 / 30)
    log_likelihood = np.sum(stats.norm.logpdf(free.residuals, scale=spread))
    np.testing.assert_allclose(free.aic, -2 * log_likelihood - 30 * (1 + np.log(2 * np.pi)) + 4)
    assert np.isnan(free.p_value)
    assert "p =" in repr(found)
    assert "p =" not in repr(free)


def test_starts_of_a_batch_end_where_they_do_one_by_one(found, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    batch = bx.fit(decay, DATA, START)
    assert batch.agreeing == found.agreeing
    np.testing.assert_allclose(
        [*batch.parameters.values()], [*found.parameters.values()], rtol=1e-9
    )


def test_values_and_derivatives_by_the_program_of_the_search(found):
    p = np.array([1.3, 0.4])
    there = linear_at(found.problem, found.data, p)
    residuals = (curve(TIMES, *p) - DATA.values["value"]) / 0.05
    np.testing.assert_allclose(there.residuals, residuals, rtol=1e-12)
    slopes = np.stack([np.exp(-0.4 * TIMES), -1.3 * TIMES * np.exp(-0.4 * TIMES)], axis=1)
    np.testing.assert_allclose(there.jacobian, slopes / 0.05, rtol=1e-12)


def test_how_it_shows(found):
    heading, columns, first, second, quality, message = repr(found).splitlines()
    assert (heading, columns.split()) == ("Fit", ["value", "error"])
    assert first.split()[0] == "height"
    assert float(second.split()[1]) == pytest.approx(float(found.parameters["rate"]), rel=1e-7)
    assert quality.startswith(f"chi^2 = {found.chi2:.4g} for 28 degrees of freedom")
    assert message == found.message


def test_without_noise_the_truth_is_found():
    data = bx.Data(TIMES, value=(curve(TIMES, **TRUTH), 0.05))
    found = bx.fit(decay, data, START)
    np.testing.assert_allclose([*found.parameters.values()], [2.0, 0.7], rtol=1e-10)


@pytest.mark.parametrize("loss", ["soft_l1", "cauchy"])
def test_outliers(loss):
    values = np.asarray(DATA.values["value"]).copy()
    values[[5, 20]] += 3.0
    found = bx.fit(decay, bx.Data(TIMES, value=(values, 0.05)), START, loss=loss)
    best = least_squares(
        lambda p: (curve(TIMES, *p) - values) / 0.05, [1, 1], loss=loss, xtol=1e-12, ftol=1e-12
    )
    np.testing.assert_allclose([*found.parameters.values()], best.x, rtol=1e-5)
    off = (np.array([*found.parameters.values()]) - [2.0, 0.7]) / [*found.errors.values()]
    assert np.all(np.abs(off) < 3.0)


def test_band_and_gain_are_linear_in_the_covariance(found):
    times = np.array([0.5, 6.0])
    band = found.band(lambda height, rate: height * jnp.exp(-rate * times))
    decayed = np.exp(-found.parameters["rate"] * times)
    gradient = np.stack([decayed, -found.parameters["height"] * times * decayed], axis=1)
    variance = np.einsum("ti,ij,tj->t", gradient, found.covariance, gradient)
    np.testing.assert_allclose(band.error, np.sqrt(variance), rtol=1e-9)
    gain = found.information_gain(lambda height, rate: height * jnp.exp(-rate * times), 0.05)
    np.testing.assert_allclose(gain, 0.5 * np.log1p(variance / 0.05**2), rtol=1e-9)
    np.testing.assert_allclose(found.information @ found.covariance, np.eye(2), atol=1e-8)


def test_profile(found):
    rate, error = float(found.parameters["rate"]), float(found.errors["rate"])
    profile = found.profile("rate", [rate - error, rate, rate + error])
    np.testing.assert_allclose(profile.excess, [1.0, 0.0, 1.0], atol=0.1)
    with pytest.raises(ValueError, match="one of height, rate"):
        found.profile("width", [1.0])


def test_what_cannot_be_told_apart_is_named():
    def product(a, b):
        return {"value": a * b * jnp.exp(-TIMES)}

    data = bx.Data(TIMES, value=(3.0 * np.exp(-TIMES), 0.1))
    found = bx.fit(product, data, {"a": 1.0, "b": 2.0})
    assert [pair[:2] for pair in found.indistinct] == [("a", "b")]
    assert "The data cannot tell `a` from `b`: their correlation is -1.0000." in found.message
    assert found.errors["a"] > 1e6


def test_bounds_and_arrays():
    def line(c):
        return {"value": c[0] + c[1] * TIMES}

    values = 1.0 - 2.0 * TIMES
    data = bx.Data(TIMES, value=(values, 0.1))
    found = bx.fit(line, data, {"c": jnp.array([0.5, -0.5])})
    np.testing.assert_allclose(found.parameters["c"], [1.0, -2.0], rtol=1e-9)
    assert found.labels == ["c[0]", "c[1]"]
    held = bx.fit(line, data, {"c": jnp.array([0.5, -0.5])}, bounds={"c": (-1.5, 3.0)})
    np.testing.assert_allclose(held.parameters["c"][1], -1.5, rtol=1e-6)
    assert held.at_bounds == ["c[1]"]
    assert "`c[1]` went to its bound." in held.message
    with pytest.raises(ValueError, match=r"start\.c` must be between 0 and 1"):
        bx.fit(line, data, {"c": jnp.array([0.5, -0.5])}, bounds={"c": (0.0, 1.0)})


def test_a_penalty_is_a_prior():
    def constant(a):
        return {"value": a * jnp.ones(30)}

    data = bx.Data(TIMES, value=(np.ones(30), np.sqrt(30.0)))
    found = bx.fit(constant, data, {"a": 0.5}, penalty=lambda a: a - 3.0)
    np.testing.assert_allclose(found.parameters["a"], 2.0, rtol=1e-8)
    np.testing.assert_allclose(found.covariance, [[0.5]], rtol=1e-8)
    # Half of the parameter is the prior's.
    np.testing.assert_allclose([found.size, found.freedom], [0.5, 29.5], rtol=1e-8)


def test_an_optimiser_of_optax(found):
    solver = optx.OptaxMinimiser(optax.adam(0.05), rtol=1e-8, atol=1e-8)
    with jax.numpy_dtype_promotion("standard"):  # which optax needs
        slow = bx.fit(decay, DATA, START, solver=solver, starts=1)
    np.testing.assert_allclose(slow.parameters["rate"], found.parameters["rate"], rtol=1e-3)


def test_a_fit_that_does_not_converge_is_no_result():
    def nowhere(a):
        return {"value": jnp.sqrt(-a) * jnp.ones(30)}

    found = bx.fit(nowhere, DATA, {"a": 1.0})
    assert not found.converged
    assert np.isnan(found.errors["a"])
    assert found.message == "The search did not converge from any start: this is not a result."


def test_models_are_compared(found):
    def constant(height):
        return {"value": height * jnp.ones(30)}

    table = bx.compare({"flat": bx.fit(constant, DATA, {"height": 1.0}), "decay": found})
    assert list(table) == ["decay", "flat"]
    assert table["decay"]["weight"] > 0.999
    assert table["flat"]["p_value"] < 1e-6
    assert table["decay"]["aic"] == pytest.approx(found.chi2 + 4.0)
    assert table["decay"]["bic"] == pytest.approx(found.chi2 + 2.0 * np.log(30))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"loss": "huber"},
            "Argument `loss` must be one of linear, soft_l1, cauchy, but is 'huber'.",
        ),
        ({"starts": 0}, "Argument `starts` must be an integer, 1 or more, but is 0."),
        ({"bounds": {"a": (0.0, 1.0)}}, "Argument `bounds` must be of parameters among height, "),
    ],
)
def test_refusals(options, sentence):
    with pytest.raises(ValueError, match="must be") as caught:
        bx.fit(decay, DATA, START, **options)
    assert str(caught.value).startswith(sentence)


def test_a_quantity_that_the_model_lacks():
    with pytest.raises(
        ValueError, match="of quantities that the model returns, but is of `energy`"
    ):
        bx.fit(decay, bx.Data(TIMES, energy=TIMES), START)


def test_too_few_data():
    with pytest.raises(ValueError, match="at least 2 numbers, as many as there are parameters"):
        bx.fit(decay, bx.Data([1.0], value=([1.0], 0.1)), START)


# --- What is no result --------------------------------------------------------------------------


def test_a_parameter_that_the_model_ignores():
    def model(height, rate, phase):
        return decay(height, rate) | {"unused": phase}

    found = bx.fit(model, DATA, START | {"phase": 2.0}, starts=3)
    assert found.undetermined == {"phase": "nothing that was measured depends on it"}
    assert np.isnan(found.parameters["phase"])
    assert np.isinf(found.errors["phase"])
    assert found.best.shape == (3,)
    sentence = "The data do not determine `phase`: nothing that was measured depends on it."
    assert found.warnings == [sentence]
    assert sentence in found.message
    assert repr(found).splitlines()[3].split() == ["phase", "undetermined"]
    # The others are what they are without it.
    alone = bx.fit(decay, DATA, START, starts=1)
    np.testing.assert_allclose(found.parameters["rate"], alone.parameters["rate"], rtol=1e-6)
    np.testing.assert_allclose(found.errors["rate"], alone.errors["rate"], rtol=1e-5)


def test_times_in_another_unit():
    """All is over at these times: neither rate nor height can be known, and the model is wrong."""
    late = 1e3 * (1.0 + TIMES)

    def model(height, rate):
        return {"value": height * jnp.exp(-rate * late)}

    data = bx.Data(late, value=(1.0 + np.abs(NOISE), 0.05))
    found = bx.fit(model, data, {"height": 2.0, "rate": 1.0}, starts=1)
    assert {*found.undetermined} == {"height", "rate"}
    assert "does not describe the data within their errors: p = 0." in found.message


def test_errors_that_are_not_symmetric():
    """A rate known to half of itself: chi^2 rises as along the profile, not as a parabola."""
    data = bx.Data(TIMES, value=(curve(TIMES, 1.0, 0.02), 0.5))

    def model(rate):
        return {"value": jnp.exp(-rate * TIMES)}

    found = bx.fit(model, data, {"rate": 0.1}, bounds={"rate": (-np.inf, np.inf)})
    assert found.warnings == []
    positive = bx.fit(model, data, {"rate": 0.1})
    assert positive.asymmetric == {"rate": "inf times below and 0.88 times above it"}
    assert "The error of `rate` is not the same on both sides" in positive.message


def test_correlated_parameters_that_are_both_known():
    """To one percent: nothing is said of their correlation."""
    offset = 100.0

    def line(a, b):
        return {"value": a + b * (offset + TIMES)}

    known = bx.fit(
        line, bx.Data(TIMES, value=(1.0 + 2.0 * (offset + TIMES), 1e-4)), {"a": 2, "b": 1}
    )
    assert abs(known.correlation[0, 1]) > 0.99
    assert known.warnings == []
    vague = bx.fit(
        line, bx.Data(TIMES, value=(1.0 + 2.0 * (offset + TIMES), 5e-2)), {"a": 2, "b": 1}
    )
    assert [pair[:2] for pair in vague.indistinct] == [("a", "b")]


@pytest.mark.parametrize(
    ("times", "sentence"),
    [
        (2.0 * TIMES, "Argument `model.t` must be the 30 times `data.t`, but is 0.275862 at index"),
        (TIMES[::2], "Argument `model.value` must be given at the 30 times `data.t`, and at no "),
        (
            np.linspace(0.0, 4.0, 59),
            "Argument `model.value` must be given at the 30 times `data.t`",
        ),
    ],
)
def test_a_model_at_other_times_is_refused(times, sentence):
    def model(rate):
        return {"t": jnp.asarray(times), "value": jnp.exp(-rate * times)}

    with pytest.raises(ValueError, match="must be") as caught:
        bx.fit(model, DATA, {"rate": 1.0})
    assert str(caught.value).startswith(sentence)


def test_a_fit_is_not_differentiated():
    def slope(value):
        return bx.fit(decay, bx.Data(TIMES, value=value * np.ones(30)), START).chi2

    with pytest.raises(
        ValueError, match=r"`value` must be known numbers \(a fit is not itself for"
    ):
        jax.grad(slope)(1.0)
    with pytest.raises(ValueError, match=r"`start.rate` must be known numbers"):
        jax.grad(lambda rate: bx.fit(decay, DATA, {"height": 1.0, "rate": rate}).chi2)(1.0)


# --- Solvers that choose their size ------------------------------------------------------------

LATE = jnp.linspace(0.5, 3.0, 6)


def cavity(eta):
    """v(t) by a solver that chooses its size."""
    system = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), 1.0))
    estimate = bx.Volterra(rtol=1e-8).green_functions(system, LATE)
    return {"v": estimate.value.v, "status": estimate.status}


@pytest.fixture(scope="module")
def measured():
    return bx.Data(LATE, v=(cavity(0.05)["v"], 0.01))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "tries", "reached", "sizes"),
    [(None, 4, True, None), (64, 4, True, None), (64, 1, False, (128,))],
)
def test_solvers_are_as_large_as_they_need_to_be(
    measured, monkeypatch, given, tries, reached, sizes
):
    if given:
        monkeypatch.setattr(study_sizes, "as_sizes", lambda _: (given,))
    monkeypatch.setattr(fit_sizes, "TRIES", tries)
    found = bx.fit(cavity, measured, {"eta": 0.1}, starts=2)
    assert found.converged
    assert found.tolerance_reached == reached
    assert ("did not reach their tolerance" in found.message) != reached
    if sizes:
        assert found.problem.sizes == sizes
    else:
        np.testing.assert_allclose(found.parameters["eta"], 0.05, rtol=1e-7)
        assert found.profile("eta", [0.05]).excess == pytest.approx(0.0, abs=1e-6)


def test_the_same_model_again_compiles_nothing(found):
    twice, names = bx.Data(TIMES, value=(2.0 * np.asarray(DATA.values["value"]), 0.1)), []

    def listen(name, *_, **__):
        names.append(name)

    jax.monitoring.register_event_duration_secs_listener(listen)
    again = bx.fit(decay, twice, START)
    jax.monitoring.unregister_event_duration_listener(listen)
    assert again.parameters["height"] == pytest.approx(2.0 * found.parameters["height"])
    assert not [name for name in names if name.endswith("backend_compile_duration")]
