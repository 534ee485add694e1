"""The `bathax` command: studies in TOML files, results in files, figures.

`cli` has a function for each command, `arguments` the options. `config` checks a study file in
milliseconds, before JAX is imported, and builds the objects of `bathax` that it describes.
`sweeping` and `fitting` run sweeps and fits, if need be in several `processes`; `saving` reads,
writes and exports results; `figures` writes the figures of `bathax.papers`. All computation is done
by the library. Begin with `cli`.
"""
