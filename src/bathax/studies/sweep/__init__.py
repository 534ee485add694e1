"""Sweeps of a function over named parameters, box by box, into a dataset or a store.

`driver` has `bathax.sweep`: it reads the `axes`, makes one `program` for a box of points, with
solvers as large as the points need (`sizes`), runs it on every device and process within a limit on
memory, and keeps the results on disk (`boxes`), whatever ends the process. `record` has the
variables of a point: quantities of `bathax.studies.quantities`, errors, derivatives and a status.
Begin with `driver`.
"""
