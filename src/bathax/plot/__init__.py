"""Figures of results, in one style: what was solved, swept or fitted, drawn and written to files.

`results.overview` draws any dataset, a panel for each quantity; `fit.fitted` draws a fit beside its
data. `parts` has what figures share: the style, axes, and curves with gaps at the poles of T
(AHZ Fig. 4). `files.write_figure` writes PNG and PDF. Functions take results and, if wanted, axes;
they return the figure and never solve.

matplotlib is imported here and in the figures of `papers` alone, once something is drawn. A
notebook has the style by `plt.style.use("bathax.plot.bathax")`. Begin with `results`.
"""
