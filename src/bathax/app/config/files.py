"""The data files that a study names."""

import csv
from pathlib import Path
from typing import Any

from bathax.app.config.rules import StudyError


def read_columns(file: Path) -> tuple[Any, Any]:
    """The columns `w` and `J` of a CSV file, as arrays."""
    import numpy as np

    with file.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        if not {"w", "J"} <= set(reader.fieldnames or ()):
            raise StudyError(f"File `{file}` must begin with a line that names the columns `w,J`.")
        w, density = [], []
        for row in reader:
            try:
                w.append(float(row["w"]))
                density.append(float(row["J"]))
            except (TypeError, ValueError):
                rule = f"two numbers in every line, unlike line {reader.line_num}"
                raise StudyError(f"File `{file}` must hold {rule}.") from None
    return np.array(w), np.array(density)


def read_matrix(file: Path) -> Any:
    """The array in a `.npy` file."""
    import numpy as np

    try:
        return np.load(file, allow_pickle=False)
    except (ValueError, EOFError):
        raise StudyError(f"File `{file}` must hold one array saved by `numpy.save`.") from None
