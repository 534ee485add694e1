"""Programs are kept on disk and found there, and none holds what JAX would not keep."""

import os
import subprocess
import sys
import time
import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.studies import cache
from bathax.studies.cache import cache_programs
from bathax.studies.fit import driver, search
from bathax.studies.fit.parameters import Parameters

TIMES = jnp.linspace(0.5, 5.0, 5)
# Solves something, and prints how many programs were and were not on disk.
CODE = """
import sys
import bathax as bx
folder = bx.cache_programs({folder}, size={size})
import jax
events = []
jax.monitoring.register_event_listener(lambda name, **_: events.append(name.rpartition("/")[2]))
cavity = bx.Cavity(1.0, bx.Reservoir(bx.Lorentzian(0.1, 1.0, 1.0)))
bx.solve(cavity, bx.Fock(1), [0.0, 1.0], bx.BornMarkov())
print(folder, events.count("cache_hits"), events.count("cache_misses"))
"""


def in_new_process(folder=None, size=1.0, **variables):
    """What the code above prints with warnings as errors: a folder, hits and misses."""
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("JAX_COMP", "JAX_PERS", "BATHAX"))
    }
    code = CODE.format(folder=repr(folder and str(folder)), size=size)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=clean | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    where, hits, misses = done.stdout.rsplit(maxsplit=2)
    return where, int(hits), int(misses)


@pytest.fixture
def untold(monkeypatch):
    """JAX has not been told of a folder, and has its settings of before in the end."""
    names = ["jax_compilation_cache_dir", *cache.SETTINGS]
    before = {name: getattr(jax.config, name) for name in names}
    jax.config.update("jax_compilation_cache_dir", None)
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    with warnings.catch_warnings():
        yield
    for name, value in before.items():
        cache._set(name, value)


@pytest.mark.usefixtures("untold")
@pytest.mark.parametrize("word", cache.OFF)
def test_the_environment_switches_it_off(monkeypatch, word):
    monkeypatch.setenv(cache.VARIABLE, word.upper())
    assert cache_programs() is None
    assert jax.config.jax_compilation_cache_dir is None


@pytest.mark.usefixtures("untold")
def test_which_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert cache_programs() == tmp_path / "caches" / "bathax"
    assert jax.config.jax_compilation_cache_dir == str(tmp_path / "caches" / "bathax")
    assert jax.config.jax_persistent_cache_min_compile_time_secs == 0.0
    # What JAX knows stays, unless another folder is asked for.
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "named"))
    assert cache_programs() == tmp_path / "caches" / "bathax"
    assert cache_programs(tmp_path / "given") == tmp_path / "given"
    jax.config.update("jax_compilation_cache_dir", None)
    assert cache_programs() == tmp_path / "named"


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [
        ("linux", None, ".cache/bathax"),
        ("darwin", None, "Library/Caches/bathax"),
        ("win32", None, "AppData/Local/bathax"),
        ("win32", "LOCALAPPDATA", "bathax"),
        ("darwin", "XDG_CACHE_HOME", "bathax"),
    ],
)
def test_the_folder_of_a_platform(monkeypatch, tmp_path, platform, variable, folder):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(cache.Path, "home", lambda: tmp_path)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", cache.VARIABLE):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
    assert cache._folder() == tmp_path / folder


def test_the_oldest_programs_go_first(tmp_path):
    for age in range(4):
        file = tmp_path / f"program{age}-cache"
        file.write_bytes(b"x" * 100)
        os.utime(file, (time.time() - 1000 * age,) * 2)
    (tmp_path / "cut-cache").touch()
    (tmp_path / "notes").write_bytes(b"x" * 1000)
    cache._shrink(tmp_path, 250.0)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "notes",
        "program0-cache",
        "program1-cache",
    ]
    cache._shrink(tmp_path / "absent", 250.0)


# --- No program calls back into Python ---------------------------------------------------------


def ohmic(kind, eta, temperature=2.0):
    return kind(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature))


def entropy(eta, solver):
    return bx.solve(ohmic(bx.Cavity, eta), bx.Fock(1), TIMES, solver).entropy[-1]


def in_map(eta, solver, temperature=2.0):
    return bx.dynamical_map(ohmic(bx.Qubit, eta, temperature), TIMES, solver).p11[-1]


GRID = bx.Volterra(points=128)
# All but `integrate_master_equation`, a check, in which diffrax looks at its times by a callback.
CALLS = {
    "Volterra": lambda eta: entropy(eta, GRID),
    "its gradient": jax.grad(
        lambda eta: GRID.green_functions(ohmic(bx.Cavity, eta), TIMES).value.v[-1]
    ),
    "Resonance": lambda eta: entropy(eta, bx.Resonance(nodes=64)),
    "Hierarchy": lambda eta: in_map(eta, bx.Hierarchy(depth=3, modes=3, steps=64)),
    "Vacuum": lambda eta: in_map(eta, bx.Vacuum(GRID), 0.0),
    "TimeConvolutionless": lambda eta: in_map(eta, bx.TimeConvolutionless(points=128)),
    "critical coupling": lambda eta: bx.critical_coupling(ohmic(bx.Cavity, eta)),
    "critical temperature": lambda eta: bx.critical_temperature(ohmic(bx.Cavity, eta), 5),
    "long times": lambda eta: bx.long_time_limit(ohmic(bx.Cavity, eta)).noise,
    "gradient of a root": jax.grad(lambda eta: bx.find_critical(lambda x: x**2 - eta, (0.0, 1.0))),
    "find_critical": lambda eta: bx.find_critical(lambda x: x**2 - eta, (0.0, 1.0)),
}


def assert_kept(function, *arguments):
    """Programs with host callbacks are never written to the cache."""
    assert "callback" not in jax.jit(function).lower(*arguments).as_text()


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS)
def test_no_public_call_has_a_callback(call):
    assert_kept(CALLS[call], jnp.asarray(0.05))


def test_a_fit_has_no_callback():
    def model(rate):
        return {"value": jnp.exp(-rate * TIMES)}

    data = bx.Data(TIMES, value=(np.exp(-TIMES), 0.1))
    parameters = Parameters.of({"rate": 0.5}, {})
    problem = search.Problem(parameters, model, "linear", None, driver.SOLVER)
    assert_kept(lambda x: search.descend(problem, data, x, jnp.zeros(1, bool)), jnp.zeros(1))


def test_a_check_that_raises_would_be_found():
    with pytest.raises(AssertionError):
        assert_kept(lambda x: eqx.error_if(x, x < 0.0, "negative"), jnp.ones(()))
