r"""Results and reservoirs in the objects of other packages, and back.

`tables` makes datasets of xarray and data frames of pandas from solutions, maps and fits. `qutip`
makes states, maps and environments of QuTiP, whose spectral density is pi times the J(w) of
bathax, and reservoirs from its environments. Methods of the results call these functions, so that
packages are imported when they are used. Begin with `tables`.
"""
