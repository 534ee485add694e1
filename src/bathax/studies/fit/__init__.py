"""Fits of model parameters to data: least squares, and how well each parameter is known.

`driver` has `bathax.fit`; `data` are the measured values, `parameters` the start, bounds and scales
of the parameters. The sum of squared residuals, or a robust loss, is minimised by the method of
Levenberg and Marquardt from several starts (`search`), with solvers as large as the starts need
(`sizes`). `result` has the covariance, bands and the profile likelihood; `known` tells which
parameters the data determine, `compare` compares models, and `record` is the format of `files`.
`likelihood` is for samplers of the posterior. Begin with `driver`, then `search`.
"""
