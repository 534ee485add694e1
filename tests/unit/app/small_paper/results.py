"""Two numbers, computed from one."""

import os
import signal


def half(effort: float) -> float:
    """Half of the effort; another type than a number fails."""
    return effort / 2.0


def third(effort: float) -> float:
    """A third of it."""
    return effort / 3.0


def killed(effort: float) -> float:
    """As by a machine without memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    return effort
