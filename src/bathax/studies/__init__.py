"""Sweeps over parameters, fits to data, and results as datasets and files.

`quantities` is the table of all quantities that can be computed, and `lookup` reads it. `observe`
computes quantities by name: for the points of a sweep (`sweep`), for a study file, or for a model
that is fitted to data (`fit`). `results` makes datasets of solutions, `store` writes them to files,
and `files` saves and loads any result; `outputs` checks the paths and `summaries` describes the
contents. `trajectory` finds the poles of T (AHZ Figs. 4 and 6) and extrema of S in a solution,
`critical` lists the critical points of a system. `traced`, `sizes` and `cache` keep the number of
compiled programs small: one program for all points, with solvers as large as the points need, kept
on disk. Begin with `quantities` and `observe`, then `sweep.driver`.
"""
