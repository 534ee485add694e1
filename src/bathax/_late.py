"""Methods of objects whose functions are in a chapter above, which is loaded when they are called.

A solution can be drawn, and become a dataset or an object of QuTiP, but solving needs none of that:
the chapters that do it import the solution, and the packages they need are optional.
"""

from importlib import import_module
from typing import Any

# What to install for a package that is missing.
REMEDIES = {"qutip": "qutip"}


def late(chapter: str, name: str) -> Any:
    """A function of a chapter of bathax; a sentence for the user if a package is missing."""
    try:
        return getattr(import_module(f"bathax.{chapter}"), name)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        remedy = REMEDIES.get(package, "'bathax[app]'")
        words = f"Package `{package}` is missing; install it with pip install {remedy}."
        raise ModuleNotFoundError(words, name=error.name) from error


class Exported:
    """A result that becomes a dataset, a data frame or a figure."""

    def to_dataset(self) -> Any:
        """An `xarray.Dataset` with names, units and descriptions of all numbers.

        Each quantity is beside its error, `<name>_error`; status and message are attributes.
        """
        return late("interchange.tables", "to_dataset")(self)

    def to_dataframe(self) -> Any:
        """A `pandas.DataFrame` of the same, a row for each time, or each parameter of a fit.

        Its `attrs` have the units and the status. Levels and matrices are left out.
        """
        return late("interchange.tables", "to_dataframe")(self)

    def plot(self, axes: Any = None, units: Any = None) -> Any:
        """The figure that the command line draws, on the given matplotlib axes or on new ones.

        With `Units` its times, energies and temperatures are in these.
        """
        return late("plot.results", "plot")(self, axes, units)
