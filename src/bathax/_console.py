"""What commands print."""

import os
import sys
from typing import Any


def say(words: Any) -> None:
    """Print; without a reader, like behind `| head`, the command goes on in silence."""
    try:
        print(words, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
