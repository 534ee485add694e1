"""Fits in JSON files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bathax.studies.fit.record import FORMAT, fit_from, table_of
from bathax.studies.fit.result import Fit
from bathax.studies.outputs import StoreError, replacing, require_file


def write_fit(
    found: Fit, path: str | Path, given: Mapping[str, Any], *, overwrite: bool = False
) -> None:
    """Write a fit and the information `given` about it as JSON."""
    path = Path(path)
    require_file(path, overwrite=overwrite)
    with replacing(path) as new:
        new.write_text(json.dumps(table_of(found) | dict(given), indent=2) + "\n", encoding="utf-8")


def read_fit(path: str | Path) -> dict[str, Any]:
    """The table of a fit in a file."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"File `{path}` does not hold the result of a fit.") from error
    kind = str(content.get("format")) if isinstance(content, dict) else ""
    if not kind.startswith("bathax fit"):
        raise StoreError(f"File `{path}` does not hold the result of a fit.")
    if kind != FORMAT:
        raise StoreError(f"File `{path}` has the format `{kind}`, but must have `{FORMAT}`.")
    return content


def fit_in(path: Path) -> Fit:
    """The fit in a file."""
    content = read_fit(path)
    try:
        return fit_from(content)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"File `{path}` does not hold the whole result of a fit.") from error
