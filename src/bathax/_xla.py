"""How XLA compiles for a processor.

Its older code generator for loops compiles in 60 to 80% of the time, and without unrolling them it
takes 85% of that; they run as fast. XLA reads its flags from the environment once, before it
compiles anything, and ends the process if it does not know one: these are set only for versions
that know them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from jaxlib import version

LEVEL = "xla_backend_optimization_level"
FLAGS = {
    "xla_cpu_use_fusion_emitters": "false",
    "xla_backend_extra_options": "xla_cpu_disable_loop_unrolling",
}
KNOWN_TO = ("0.10.",)
# What was put there, and what was there before.
_asked: dict[str, str | None] = {}


def ask_for_quick_loops() -> None:
    """Set the flags that the user has not; they have no effect if XLA has been used before."""
    given = os.environ.get("XLA_FLAGS")
    words = [f"--{flag}={wanted}" for flag, wanted in FLAGS.items() if flag not in (given or "")]
    if words and version.__version__.startswith(KNOWN_TO):
        os.environ["XLA_FLAGS"] = asked = " ".join([given or "", *words])
        _asked[asked] = given


def leave_no_flag() -> None:
    """Have XLA read its flags, then restore the environment, which child processes inherit."""
    if not _asked:
        return
    from jaxlib import xla_client

    _ = xla_client.CompileOptions().executable_build_options.debug_options
    asked, given = _asked.popitem()
    if os.environ.get("XLA_FLAGS") == asked:  # and not to something else since then
        _restore(given)


@contextmanager
def lightly_optimised() -> Iterator[None]:
    """Have processes that start meanwhile optimise less, for programs that run once."""
    given = os.environ.get("XLA_FLAGS")
    if LEVEL in (given or ""):
        yield
        return
    os.environ["XLA_FLAGS"] = f"{given or ''} --{LEVEL}=1"
    try:
        yield
    finally:
        _restore(given)


def _restore(given: str | None) -> None:
    if given is None:
        del os.environ["XLA_FLAGS"]
    else:
        os.environ["XLA_FLAGS"] = given
