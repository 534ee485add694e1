"""Every test runs in float64, with JAX's promotion rules at their strictest."""

from pathlib import Path

import jax

import bathax  # noqa: F401  (switches float64 on)

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parents[1] / ".cache" / "jax"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
