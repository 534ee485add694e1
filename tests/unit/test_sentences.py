"""One sentence for each wrong argument, as a user meets it: without the type checker of tests."""

import json
import subprocess
import sys

import pytest

PREAMBLE = """
import json, sys
import jax, jax.numpy as jnp, numpy as np
import bathax as bx
bath = bx.Reservoir(bx.Ohmic(0.1, 5.0), 1.0)
cavity, qubit, ts = bx.Cavity(1.0, bath), bx.Qubit(1.0, bath), [1.0]
data = bx.Data([1.0], value=([1.0], 0.1))
found = []
for expression in json.load(sys.stdin):
    try:
        eval(expression)
        found.append("nothing")
    except ValueError as error:
        found.append(str(error))
print(json.dumps(found))
"""
NUMBER = "a real number or an array of them"
BATHS = "Argument `reservoirs` must be one `Reservoir(J, temperature)` or several, but is "
SYSTEM = "Argument `system` must be a `Cavity` or a `Qubit`, but is "
SENTENCES = {
    "bx.Resonance(nodes=512.0)": "Argument `nodes` must be an integer, 64 or more, but is 512.0.",
    "bx.Resonance(rtol=None)": "Argument `rtol` must be a positive number, but is None.",
    "bx.bound_states(bath)": f"{SYSTEM}a `Reservoir`.",
    "bx.resonances(3)": f"{SYSTEM}3.",
    "bx.long_time_limit(bath.spectral_density)": f"{SYSTEM}a `Ohmic`.",
    "bx.critical_temperature(bath, 2.0)": f"{SYSTEM}a `Reservoir`.",
    "bx.sweep(3, {'eta': [1.0]})": "Argument `of` must be a function of the parameters, but is 3.",
    "bx.sweep(abs, {'eta': ['a']})": f"Argument `axes.eta` must be {NUMBER}, but is a `list`.",
    "bx.Ohmic('0.1', 5.0)": f"Argument `eta` must be {NUMBER}, but is '0.1'.",
    "bx.Ohmic(0.1j, 5.0)": f"Argument `eta` must be {NUMBER}, but is 0.1j.",
    "bx.Ohmic(0.1, None)": f"Argument `cutoff` must be {NUMBER}, but is None.",
    "bx.Ohmic(0.1, 5.0)('x')": f"Argument `w` must be {NUMBER}, but is 'x'.",
    "bx.Ohmic(0.1, 5.0) * bath": f"Argument `factor` must be {NUMBER}, but is a `Reservoir`.",
    "bx.Uniform('x')": f"Argument `number` must be {NUMBER}, but is 'x'.",
    "bx.Thermal(None)": f"Argument `excess` must be {NUMBER}, but is None.",
    "bx.Squeezed(1j)": f"Argument `r` must be {NUMBER}, but is 1j.",
    "bx.DensityMatrix([[1, 0], [0]])": "Argument `rho` must have rows of one length.",
    "bx.DiscreteModes([1, np.nan], [1, 1])": (
        "Argument `frequencies` must be finite, but is nan at index 1."
    ),
    "bx.Distribution(3)": (
        "Argument `function` must be a function of an array of frequencies, but is 3."
    ),
    "bx.Function(3)": (
        "Argument `function` must be a function of an array of frequencies, but is 3."
    ),
    "bx.Function(lambda w: np.exp(w))": (
        "Argument `function` must be made of `jax.numpy` (of one that is not, `Tabulated(w, J)` "
        "takes the values), but is not."
    ),
    "bx.Function(lambda w: w if w > 0 else 0.0)": (
        "Argument `function` must be made of `jax.numpy` (of one that is not, `Tabulated(w, J)` "
        "takes the values), but is not."
    ),
    "bx.Function(lambda w: (w, w))": (
        "Argument `function` must be one that returns a real number for each frequency, but is not."
    ),
    "bx.Function(lambda w: (1.0 + 1j) * jnp.exp(-w))": (
        "Argument `function` must be one that returns a real number for each frequency, but is not."
    ),
    "bx.Ohmic(0.1, 5.0) / 'x'": f"Argument `divisor` must be {NUMBER}, but is 'x'.",
    "bx.Fock(10**6)": "Argument `n` must be an integer from 0 to 1023, but is 1000000.",
    "bx.Mixture(np.full(2000, 1.0 / 2000))": (
        "Argument `probabilities` must be a list of at most 1024 numbers, but is of shape (2000,)."
    ),
    "bx.Tabulated.from_noisy(np.arange(9.0), -np.arange(9.0))": (
        "Argument `J` must be positive somewhere, once smoothed, but is negative."
    ),
    "bx.critical_coupling(bx.Cavity(1.0, bx.Reservoir(bx.Lorentzian(0.1, 1.0, 1.0))))": (
        "Argument `system` must be coupled to a density with an edge, but is coupled to none."
    ),
    "bx.save(bath, 'bath.json')": (
        "Argument `result` must be a `Fit`, a solution or a `DynamicalMap`, but is a `Reservoir`."
    ),
    "bx.sweep(lambda eta: eta, {'etta': [1.0, 2.0]})": (
        "Argument `axes` must be the parameters of `of`, but is wrong: missing a required "
        "argument: 'eta'."
    ),
    "bx.Function(lambda w: -w * jnp.exp(-w))": (
        "Argument `function` must be non-negative and finite on its support, but is -9.999e-05 at "
        "w = 0.0001."
    ),
    "bx.Function(lambda w: 1.0 / (1.0 + w))": (
        "Argument `function` must be one that falls off faster than any power within 10,000 "
        "`scale`, or ends at `upper`, but is 9.999e-05 at w = 10000."
    ),
    "bx.Function(lambda w: w, upper=-1.0)": "Argument `upper` must be above `lower`, but is -1.0.",
    "bx.Function(lambda w: jnp.exp(-w) / ((w - 3.0) ** 2 + 1e-6))": (
        "Argument `function` must be smooth enough for 32 `panels`, or have more of them, but is "
        "not."
    ),
    "bx.bound_states(bx.Cavity(1.0, bx.Reservoir(bx.Function(lambda w: w, upper=2.0))))": (
        "Argument `spectral_density` must be analytic off the ends of its support, but is "
        "Function(function=<lambda>, lower=f64[], upper=f64[], scale=f64[], panels=32): "
        "J(w) = function(w) = sum_k |V_k|^2 delta(w - w_k), which is not known to be."
    ),
    "bx.Reservoir(lambda w: w)": (
        "Argument `spectral_density` must be a density like `Ohmic(0.1, 5.0)`, or `Function(J)` of "
        "a function J(w), but is a `function`."
    ),
    "bx.Reservoir(bx.Ohmic)": (
        "Argument `spectral_density` must be a density like `Ohmic(0.1, 5.0)`, or `Function(J)` of "
        "a function J(w), but is the class `Ohmic` instead of an object of it."
    ),
    "bx.Reservoir(bx.Ohmic(0.1, 5.0), occupation=2.0)": (
        "Argument `occupation` must be an occupation like `Uniform(0.5)`, or `Distribution(n)` of "
        "a function n(w), but is 2.0."
    ),
    "bx.Cavity(1.0, bx.Ohmic(0.1, 5.0))": BATHS + "a `Ohmic`.",
    "bx.Cavity(1.0, [])": BATHS + "none.",
    "bx.Qubit(1.0, [bath, 3])": BATHS + "3.",
    "bx.Cavity(1.0, None)": BATHS + "None.",
    "bx.Cavity(bath, 1.0)": f"Argument `frequency` must be {NUMBER}, but is a `Reservoir`.",
    "bx.Volterra(points=256.0)": (
        "Argument `points` must be an integer, 64 or more, but is 256.0."
    ),
    "bx.Volterra(points=100)": "Argument `points` must be a power of two, 64 or more, but is 100.",
    "bx.Volterra(rtol='a')": "Argument `rtol` must be a positive number, but is 'a'.",
    "bx.Hierarchy(depth=3.0)": "Argument `depth` must be an integer, 2 or more, but is 3.0.",
    "bx.solve(cavity, ts, bx.Fock(1))": (
        "Argument `ts` must be a list of times after the state, `solve(system, state, ts)`, but is "
        "a state."
    ),
    "bx.solve(cavity, bx.Fock(1), None)": f"Argument `ts` must be {NUMBER}, but is None.",
    "bx.solve(cavity, bx.Fock(1), [1.0, 3.0, 2.0])": (
        "Argument `ts` must be increasing, but is 2 at index 2."
    ),
    "bx.solve(cavity, np.eye(2), ts)": (
        "Argument `initial` must be a state of a cavity, like `Fock(1)`, but is a `ndarray`."
    ),
    "bx.solve(cavity, bx.Fock(1), ts, bx.Volterra)": (
        "Argument `solver` must be a solver of a cavity, like `Volterra()`, but is the class "
        "`Volterra` instead of an object of it."
    ),
    "bx.solve(qubit, bx.Excited(), ts, bx.Resonance())": (
        "Argument `solver` must be a solver of a qubit, like `Hierarchy()`, which is exact, but is "
        "a `Resonance`."
    ),
    "bx.dynamical_map(cavity, ts)": "Argument `qubit` must be a `Qubit`, but is a `Cavity`.",
    "bx.transmission(cavity, 1.0)": (
        "Argument `system` must be a `LinearSystem`, but is a `Cavity`."
    ),
    "bx.steady_state(cavity)": (
        "Argument `system` must be a `Qubit` or a `LinearSystem`, but is a `Cavity`."
    ),
    "bx.reservoir_occupation(qubit, bx.Fock(1), ts, ts)": (
        "Argument `initial` must be a state of a qubit, like `Excited()`, but is a `Mixture`."
    ),
    "bx.critical_coupling(bath)": (
        "Argument `system` must be a `Cavity` or a `Qubit`, but is a `Reservoir`."
    ),
    "bx.fit(3, data, {'a': 1})": "Argument `of` must be a function of the parameters, but is 3.",
    "bx.fit(lambda a: {'value': a}, 3, {'a': 1})": (
        "Argument `data` must be `Data` of one run, or a list of several, but is 3."
    ),
    "bx.fit(lambda a: {'value': a}, data, {'a': 'x'})": (
        f"Argument `start.a` must be {NUMBER}, but is 'x'."
    ),
    "bx.fit(lambda a: {'value': a}, data, [1])": (
        "Argument `start` must be a mapping with at least one parameter, but is a `list`."
    ),
    "bx.fit(lambda a: {'value': a}, data, {'a': 1}, bounds={'a': 2})": (
        "Argument `bounds.a` must be a pair (low, high), but is 2."
    ),
    "bx.fit(lambda a: {'value': a}, data, {'a': 1.0})": (
        "Argument `model.value` must be given at the 1 times `data.t`, and at no others, but is "
        "of shape ()."
    ),
    "bx.Data([1.0, 2.0], energy='x')": f"Argument `energy` must be {NUMBER}, but is 'x'.",
    "bx.find_critical(lambda x: x, 3)": "Argument `bracket` must be a pair (low, high), but is 3.",
}


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    command = [sys.executable, "-c", PREAMBLE]
    asked = json.dumps(list(SENTENCES))
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    return dict(zip(SENTENCES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("expression", SENTENCES)
def test_sentence(found, expression):
    assert found[expression] == SENTENCES[expression]
