"""Fits of model parameters to data: least squares, and how well each parameter is known.

`driver` is what `bathax.fit` calls with `data` and `parameters`, their start, bounds and scales. It
minimises sum r^2 / 2, or a robust loss, by Levenberg and Marquardt from several starts (`search`),
with solvers as large as the points ask for (`sizes`). `result` has covariance, bands and profile
likelihood, `known` tells which parameters the data determine, `compare` weighs models, `record`
and `files` keep them. Begin with `driver`, then `search`.
"""
