"""How tests compile what runs for longer than it takes to compile."""

# Some optimisation, which makes programs of large hierarchies three times as fast.
LONG = {"xla_backend_optimization_level": 1}
