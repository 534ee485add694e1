"""Reservoirs: spectral densities, occupations, and the kernels that follow from them."""
