"""Figures of solutions, sweeps and fits, in one style.

`results.overview` draws any dataset, a panel for each quantity; `fit.fitted` draws a fit with its
data. `parts` has what figures share: the style, axes, and curves with gaps at the poles of T
(AHZ Fig. 4). `files.write_figure` writes PNG and PDF. Functions take results and, optionally, axes;
they return the figure and never solve. The `plot` methods of solutions, maps and fits call
`results.plot` and `fit.plot`, which evaluates the model of a fit once more for its errors.

matplotlib is imported only here and in the figures of `papers`, when something is drawn. In a
notebook `plt.style.use("bathax.plot.bathax")` sets the style. Begin with `results`.
"""
