"""Exact, differentiable dynamics and thermodynamics of small quantum systems in reservoirs.

Importing `bathax` switches JAX to float64, which exact numbers need, and has XLA compile loops in
the quicker of two ways. The public names, listed in `__init__.pyi`, are loaded when first used, so
that `import bathax` and the command line's `--help` cost no import of JAX.
"""

import os
import sys

import lazy_loader

from bathax._xla import ask_for_quick_loops

ask_for_quick_loops()
if "jax" in sys.modules:
    sys.modules["jax"].config.update("jax_enable_x64", True)
else:
    os.environ["JAX_ENABLE_X64"] = "1"

__version__ = "0.2.0.dev0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
