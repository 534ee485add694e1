"""Many solutions: sweeps, fits, and what is read off solutions; results as datasets and files.

`quantities` is the table of all there is to ask for, and `lookup` what the others read in it.
`observe` computes quantities by name, for the points of a `sweep`, of a study file or of a model to
`fit` to data (a folder each). `results` makes datasets of solutions, `store` keeps them on disk,
and `files` saves and loads any result; `outputs` checks where they go, `summaries` says what they
hold. `trajectory` reads poles of T (AHZ Figs. 4 and 6) and turns of S off a solution, `critical`
lists the critical points of a system. `traced`, `sizes` and `cache` keep programs few: one for all
points, with solvers as large as the points ask for, kept on disk. Begin with
`quantities` and `observe`, then `sweep.driver`.
"""
