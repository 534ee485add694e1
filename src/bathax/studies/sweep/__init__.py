"""Sweeps over named parameters: axes, what is kept of a point, program, store, driver."""
