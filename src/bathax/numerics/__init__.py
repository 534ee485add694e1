"""Mathematics without physics: Volterra equations, quadrature, interpolation, special functions."""
