"""Every test runs in float64, with JAX's promotion rules at their strictest."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

# Most of the time goes into compiling programs that run once: the least optimised ones do.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false",
)
# Two threads of LAPACK on a core that others use wait for each other a hundred times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import jax
import pytest

import bathax  # noqa: F401  (switches float64 on)

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parents[1] / ".cache" / "jax"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)

# Tracing makes many small objects that stay: to look for garbage among them often costs a tenth.
gc.set_threshold(100_000, 20, 20)

MANY_MAPS = 25_000


@pytest.fixture(autouse=True, scope="module")
def _forget_programs() -> Iterator[None]:
    """Give back compiled programs from time to time.

    They hold memory maps, of which Linux allows a process 65,530: all tests together need more.
    """
    yield
    maps = Path("/proc/self/maps")
    if not maps.exists() or maps.read_text().count("\n") > MANY_MAPS:
        jax.clear_caches()
