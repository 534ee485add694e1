"""XLA's older code generator for loops on a processor, which compiles in 60 to 80% of the time.

The loops run as fast. XLA reads its flags from the environment once, before it compiles anything,
and ends the process if it does not know one: the flag is set only for versions that know it.
"""

import os

from jaxlib import version

FLAG = "xla_cpu_use_fusion_emitters"
KNOWN_TO = ("0.10.",)
# What was put there, and what was there before.
_asked: dict[str, str | None] = {}


def ask_for_quick_loops() -> None:
    """Set the flag, unless the user has; it has no effect if XLA has been used before."""
    given = os.environ.get("XLA_FLAGS")
    if FLAG not in (given or "") and version.__version__.startswith(KNOWN_TO):
        os.environ["XLA_FLAGS"] = asked = f"{given or ''} --{FLAG}=false"
        _asked[asked] = given


def leave_no_flag() -> None:
    """Have XLA read its flags, then restore the environment, which child processes inherit."""
    if not _asked:
        return
    from jaxlib import xla_client

    _ = xla_client.CompileOptions().executable_build_options.debug_options
    asked, given = _asked.popitem()
    if os.environ.get("XLA_FLAGS") != asked:
        return  # set to something else since then
    if given is None:
        del os.environ["XLA_FLAGS"]
    else:
        os.environ["XLA_FLAGS"] = given
