"""No figures."""

DRAWINGS = ()
