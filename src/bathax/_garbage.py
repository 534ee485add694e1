"""How often Python looks for garbage.

Tracing and lowering make many objects that stay, and hardly any garbage in cycles; by default they
spend a sixth of their time looking for it.
"""

import gc

# Objects made between two looks.
OBJECTS = 10_000


def collect_less_often() -> None:
    """For processes of our own, like those of commands; other programs decide for themselves."""
    gc.set_threshold(OBJECTS)
