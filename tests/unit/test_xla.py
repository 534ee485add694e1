"""What XLA is told before it compiles anything, in fresh processes: flags are read once in each."""

import os
import subprocess
import sys

import pytest

from bathax import _xla

OPTIONS = """
import os
{first}
from jaxlib import xla_client
# In an order that is always the same.
options = sorted(xla_client.CompileOptions().SerializeAsString())
print(os.environ.get("XLA_FLAGS"), options, sep="\\n")
"""


def told(first: str, flags: str | None = None) -> tuple[str, str]:
    """The flags in the environment and all options, after a line of Python."""
    clean = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    environment = clean if flags is None else clean | {"XLA_FLAGS": flags}
    command = [sys.executable, "-c", OPTIONS.format(first=first)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found, options = run.stdout.splitlines()
    return found, options


def words(**flags: str) -> str:
    """Flags as they are written, those of bathax unless others are given."""
    return " ".join(f"--{flag}={value}" for flag, value in (_xla.FLAGS | flags).items())


@pytest.mark.slow
def test_loops_are_written_the_quick_way_and_the_environment_stays():
    assert told("import bathax; bathax.solve") == ("None", told("", words())[1])
    assert told("import bathax; bathax.solve")[1] != told("")[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flag", "choice"),
    [
        ("xla_cpu_use_fusion_emitters", "true"),
        ("xla_cpu_use_fusion_emitters", "false"),
        ("xla_backend_extra_options", "xla_cpu_disable_slp_vectorizer"),
    ],
)
def test_who_has_chosen_is_not_asked(flag, choice):
    chosen = f"--{flag}={choice}"
    both = words(**{flag: choice})
    assert told("import bathax; bathax.solve", chosen) == (chosen, told("", both)[1])


def test_other_flags_stay():
    other = "--xla_backend_optimization_level=1"
    assert told("import bathax; bathax.solve", other) == (other, told("", f"{other} {words()}")[1])


def test_versions_that_may_not_know_the_flag_are_not_told(monkeypatch):
    monkeypatch.delenv("XLA_FLAGS")
    monkeypatch.setattr(_xla.version, "__version__", "99.0.0")
    _xla.ask_for_quick_loops()
    assert "XLA_FLAGS" not in os.environ


@pytest.mark.parametrize(
    ("given", "inside"),
    [
        (None, f" --{_xla.LEVEL}=1"),
        ("--one=2", f"--one=2 --{_xla.LEVEL}=1"),
        (f"--{_xla.LEVEL}=0", f"--{_xla.LEVEL}=0"),
    ],
)
def test_processes_optimise_less_unless_told_otherwise(monkeypatch, given, inside):
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    if given:
        monkeypatch.setenv("XLA_FLAGS", given)
    with _xla.lightly_optimised():
        assert os.environ["XLA_FLAGS"] == inside
    assert os.environ.get("XLA_FLAGS") == given
