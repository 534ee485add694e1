"""XLA's older way of writing loops for a processor, which compiles in 60 to 80% of the time.

The loops are as fast. XLA reads its flags from the environment once, before it compiles anything,
and ends the process where it does not know one: only versions are asked that do.
"""

import os

from jaxlib import version

FLAG = "xla_cpu_use_fusion_emitters"
KNOWN_TO = ("0.10.",)
_before: dict[str, str | None] = {}


def ask_for_quick_loops() -> None:
    """Put the flag into the environment, where the user has not; too late if XLA has been used."""
    given = os.environ.get("XLA_FLAGS")
    if FLAG not in (given or "") and version.__version__.startswith(KNOWN_TO):
        _before["XLA_FLAGS"] = given
        os.environ["XLA_FLAGS"] = f"{given or ''} --{FLAG}=false"


def leave_no_flag() -> None:
    """Have the flags read and the environment as it was: programs started from here inherit it."""
    if not _before:
        return
    from jaxlib import xla_client

    _ = xla_client.CompileOptions().executable_build_options.debug_options
    given = _before.pop("XLA_FLAGS")
    if given is None:
        del os.environ["XLA_FLAGS"]
    else:
        os.environ["XLA_FLAGS"] = given
