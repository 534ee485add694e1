"""A two-level system in its reservoirs: the exact map, its rates, states."""
