"""The main entry, `solve`, and the solutions that it returns.

`solving` chooses a solver, runs it and adds the thermodynamics; `results` has what comes out. Begin
with `results`.
"""
