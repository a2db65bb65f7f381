"""Sound as numbers: the ERB scale, filters, synthesis and analysis, as pure functions."""
