"""Nested values as plain ones, which JSON and attributes of files hold, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np

NOT_FINITE = ("nan", "inf", "-inf")


def plain(value: Any) -> Any:
    """Arrays as nested lists, numbers that are not finite as words, complex ones as two parts."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, str | bool | int | None):
        return value
    array: Any = np.asarray(value)
    if np.iscomplexobj(array):
        return {"real": plain(array.real), "imag": plain(array.imag)}
    if array.ndim:
        return [plain(one) for one in array]
    return array.item() if np.isfinite(array) else str(array.item())


def restored(value: Any) -> Any:
    """The inverse of `plain`; lists of numbers become arrays."""
    if isinstance(value, Mapping) and {*value} == {"real", "imag"}:
        return restored(value["real"]) + 1j * restored(value["imag"])
    if isinstance(value, Mapping):
        return {name: restored(one) for name, one in value.items()}
    if isinstance(value, list):
        return np.array(value, float) if _is_numeric(value) else [restored(one) for one in value]
    return float(value) if value in NOT_FINITE else value


def _is_numeric(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_numeric, value))
    return isinstance(value, int | float) or value in NOT_FINITE
