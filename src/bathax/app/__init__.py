"""The `bathax` command: studies in TOML files, results in files, figures.

`cli` has a function for each command, `arguments` its options. A study file is checked by `config`
in milliseconds, before JAX is imported, and built from the public classes of `bathax`. `sweeping`
and `fitting` do what the commands of that name ask for, in several `processes` if need be; `saving`
reads, writes and exports results; `figures` writes those of `bathax.papers`. Nothing is computed
here that the library cannot do alone. Begin with `cli`.
"""
