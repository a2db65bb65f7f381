"""Measures on natural sound, to which nothing was added; pieces are the unit, and whole pieces are held out."""
