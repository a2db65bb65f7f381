"""Bootstrap over pieces, areas under curves, permutation: statistics with pieces as the unit."""
