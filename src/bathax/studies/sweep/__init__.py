"""Sweeps of a function over named parameters, box by box, into a dataset or a store.

`driver` is what `bathax.sweep` calls: it reads the `axes`, makes one `program` for a box of points,
runs it on every device and process within a limit on memory (`sizes`), and keeps what is done on
disk, where it survives kills (`boxes`). `record` says what is kept of a point: quantities of
`bathax.studies.quantities`, errors, derivatives and a status. Begin with `driver`.
"""
