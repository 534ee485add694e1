"""Fits of model parameters to data: data, bounds, least squares, and how well each is known."""
